import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import type { ConnectionReport } from "../../../src/testkit/target/target-report.ts";
import { LiveClient } from "../../support/dashboard/live-client.ts";
import { startChild } from "../../support/processes/children.ts";
import { type FanfareOptions, ROOT } from "../../support/processes/fanfare-process.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { WebhookReceiver } from "../../support/processes/webhook-receiver.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

const EXIT_MS_MAX = 5_000;

/** A live broadcast to a good target, then SIGTERM: what the target got, once its connection is over. */
async function shutDownLive(options: Pick<FanfareOptions, "environment">): Promise<ConnectionReport> {
  const stage = await Stage.open();
  const clip = await makeClip({ seconds: 6 });
  const target = await stage.target();
  const { api, fanfare } = await stage.server(options);
  const channel = await api.createChannel("shutdown", [{ rtmpUrl: target.url, streamKey: uniqueKey("shutdown") }]);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  const connection = await waitFor("media at the target", 10_000, () =>
    target.connections.find((candidate) => candidate.report.mediaBytes > 100_000),
  );

  const startedMs = performance.now();
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedMs).toBeLessThan(EXIT_MS_MAX);
  await waitFor("the target's connection to end", 2_000, () => (connection.report.state === "open" ? undefined : true));
  expect((await encoder.exited).signal, "the encoder saw its connection end").toBeNull();
  expect(target.connections).toHaveLength(1);
  return connection.report;
}

test("SIGTERM leaves the broadcast to the platform's grace: no end of stream", async () => {
  const { commands } = await shutDownLive({});
  expect(commands).toContain("publish");
  expect(commands).not.toContain("FCUnpublish");
  expect(commands).not.toContain("deleteStream");
  expect(commands).not.toContain("closeStream");
});

test("SIGTERM ends the broadcast where a setting says so", async () => {
  const { commands, state } = await shutDownLive({ environment: { FANFARE_SHUTDOWN: "end" } });
  expect(commands.slice(-2)).toEqual(["FCUnpublish", "deleteStream"]);
  expect(state).toBe("ended");
});

test("a hang-up of a server without a terminal ends no broadcast", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { api, fanfare } = await stage.server({ wrapper: ["nohup"] });
  const channel = await api.createChannel("hang_up", [{ rtmpUrl: target.url, streamKey: uniqueKey("hang") }]);
  const encoder = await stage.ffmpeg(await makeClip({ seconds: 4 }), publishUrl(channel));
  await waitFor("media at the target", 10_000, () => target.connections.find(({ report }) => report.mediaBytes > 0));
  process.kill(fanfare.pid, "SIGHUP");
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect(target.connections).toHaveLength(1);
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
});

test("SIGTERM while an event stream is open, a webhook waits for its answer and a platform is tested ends the server in time", async () => {
  const stage = await Stage.open();
  const silent = await stage.target({ silentAt: "handshake" });
  const receiver = await WebhookReceiver.start();
  onTestFinished(() => receiver.close());
  const { api, fanfare } = await stage.server();
  const reader = await LiveClient.open(fanfare.origin, api.signedHeaders("GET", LiveClient.TARGET));
  const hold = receiver.holdAnswers();
  const callbackUrl = `http://127.0.0.1:${receiver.port}/hook`;
  const endpoint = await api.request("POST", "/api/v2/events/callbackEndpoint", { callbackUrl });
  stage.keepSecret(z.object({ webhookSecret: z.string() }).parse(endpoint).webhookSecret);
  const { channelId } = await api.createChannel("busy", [{ rtmpUrl: silent.url, streamKey: uniqueKey("busy") }]);
  await waitFor("the webhook", 10_000, () => (receiver.received.length > 0 ? true : undefined));
  const [{ platId = 0 } = {}] = await api.platforms(channelId);
  const tried = api.request("POST", `/api/v2/re-stream/channels/${channelId}/platforms/${platId}/test`).then(
    () => "answered",
    () => "ended",
  );
  await waitFor("the platform to be tried", 10_000, () => (silent.connections.length > 0 ? true : undefined));

  const startedMs = performance.now();
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - startedMs).toBeLessThan(EXIT_MS_MAX);
  await reader.closed;
  expect(["answered", "ended"]).toContain(await tried);
  expect(receiver.received).toHaveLength(1);

  // The server cannot know whether it arrived, so it sends it again, under the same id.
  hold.release();
  await fanfare.restart();
  const again = await waitFor("the webhook again", 30_000, () => receiver.received[1]);
  expect(again.headers["webhook-id"]).toBe(receiver.received[0]?.headers["webhook-id"]);
});

test("npm passes SIGTERM to the server, waits for it, and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ports = { FANFARE_HTTP_PORT: `${await freePort()}`, FANFARE_RTMP_PORT: `${await freePort()}` };
  const hosts = { FANFARE_HTTP_HOST: "127.0.0.1", FANFARE_RTMP_HOST: "127.0.0.1" };
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, HOME: folder, FANFARE_DATA_DIR: folder, ...ports, ...hosts };
  const npm = await startChild("npm", ["start"], { cwd: ROOT, env });
  onTestFinished(async () => {
    await npm.stop("SIGKILL", EXIT_MS_MAX);
  });
  await waitFor("the server", 30_000, () => (npm.stdout().includes("Fanfare is ready.") ? true : undefined));
  npm.kill("SIGTERM");
  // Its streams end with the last process that has them.
  expect(await npm.exited, npm.stderr()).toEqual({ code: 0, signal: null });
  expect(npm.stdout()).toContain('"event":"stopped"');
});
