import { join } from "node:path";
import { expect, test } from "vitest";
import { runFanfare } from "../../support/processes/fanfare-command.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

type Found = { readonly check: string; readonly state: string; readonly text: string };

test("the doctor finds a running server at its ports, and which of its platforms cannot be reached", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const good = await stage.target();
  const closedPort = await freePort();
  const key = uniqueKey("doctor");
  await api.createChannel("show", [
    { rtmpUrl: good.url, streamKey: key, label: "good" },
    { rtmpUrl: `rtmp://127.0.0.1:${closedPort}/hidden`, streamKey: key, label: "closed" },
  ]);
  const args = ["doctor", "--json", "--data-dir", join(stage.folder, "data")];
  const settings = { FANFARE_HTTP_PORT: `${fanfare.httpPort}`, FANFARE_RTMP_PORT: `${fanfare.rtmpPort}` };
  const hosts = { FANFARE_HTTP_HOST: "127.0.0.1", FANFARE_RTMP_HOST: "127.0.0.1", FANFARE_TARGET_ALLOW: "127.0.0.0/8" };
  const clock = ["--clock", `${fanfare.origin}/livez`];

  const { code, stdout, stderr } = await runFanfare([...args, ...clock], { ...settings, ...hosts });
  expect([code, stderr]).toEqual([1, ""]);
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  const of = (check: string) => findings.filter((finding) => finding.check === check);
  const held = `held by this server (process ${fanfare.pid}).`;
  expect(of("ports").map(({ state, text }) => `${state} ${text}`)).toEqual([
    `ok port ${fanfare.httpPort}/tcp of 127.0.0.1 for the API: ${held}`,
    `ok port ${fanfare.rtmpPort}/tcp of 127.0.0.1 for encoders: ${held}`,
  ]);
  expect(of("descriptors")[0]?.text).toContain(`the server (process ${fanfare.pid}) may open`);
  expect(of("clock")).toEqual([
    { check: "clock", state: "ok", text: `clock: agrees with 127.0.0.1:${fanfare.httpPort}.` },
  ]);
  expect(of("target").map(({ state, text }) => [state, text.split(" ").slice(0, 3).join(" ")])).toEqual([
    ["ok", `show, good: rtmp://127.0.0.1:${good.port}/…`],
    ["failed", `show, closed: rtmp://127.0.0.1:${closedPort}/…`],
  ]);
  expect(of("database").map(({ state }) => state)).toEqual(["ok"]);
  expect(of("dns").map(({ state }) => state)).toEqual(["unknown"]);
  expect(stdout).not.toContain(key);

  // Without the operator's permission the address itself is the problem.
  const strict = await runFanfare(args, {
    ...settings,
    FANFARE_HTTP_HOST: "127.0.0.1",
    FANFARE_RTMP_HOST: "127.0.0.1",
  });
  expect(strict.stdout.match(/not a public one \(loopback\)/g)).toHaveLength(2);
});
