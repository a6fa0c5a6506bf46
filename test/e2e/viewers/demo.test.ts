import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { startChild } from "../../support/processes/children.ts";
import { commandLineFile, ROOT } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage } from "../../support/stages/stage.ts";

const DEADLINE_MS = 40_000;
const STOP_GRACE_MS = 10_000;

test("the demo shows a healthy target and one that refuses its key, behind a password, and leaves nothing", async () => {
  const { folder } = await Stage.open();
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  // A folder of its own: another demo on this machine has one among the system's.
  const environment = { PATH, NODE_COMPILE_CACHE, TMPDIR: folder, FANFARE_DATA_DIR: "/nowhere/that/may/be/used" };
  const child = await startChild(process.execPath, [commandLineFile(), "demo"], { cwd: ROOT, env: environment });
  const shown = await waitFor(
    "the demo's link",
    DEADLINE_MS,
    () => /Dashboard: (http:\/\/127\.0\.0\.1:\d+)\/\n +Password: +(\S+)/.exec(child.stdout()) ?? undefined,
    () => child.stdout() + child.stderr(),
  );
  const [, origin = "", password = ""] = shown;
  expect((await fetch(`${origin}/api/v2/re-stream/channels`)).status).toBe(401);
  const signIn = await fetch(`${origin}/dashboard/session`, {
    method: "POST",
    headers: { origin, "content-type": "application/json" },
    body: JSON.stringify({ password }),
  });
  const headers = { cookie: signIn.headers.get("set-cookie")?.split(";")[0] ?? "" };
  const read = async (path: string) => {
    const answer = await fetch(`${origin}/api/v2/re-stream/channels${path}`, { headers });
    return ((await answer.json()) as { content: Record<string, unknown>[] }).content;
  };
  const [channel] = await read("");
  const states = await waitFor("both states", DEADLINE_MS, async () => {
    const platforms = await read(`/${String(channel?.["channelId"])}/platforms`);
    const found = platforms.map(({ label, connectStatus }) => `${String(label)}: ${String(connectStatus)}`);
    return found.includes("Healthy: PUBLISHING") && found.includes("Refuses its key: FAIL") ? found : undefined;
  });
  expect(states).toHaveLength(3);
  expect(await child.stop("SIGTERM", STOP_GRACE_MS)).toEqual({ code: 0, signal: null });
  expect(readdirSync(folder)).toEqual([]);
});
