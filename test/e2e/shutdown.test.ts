import { expect, test } from "vitest";
import type { ConnectionReport } from "../../src/testkit/target-report.ts";
import { makeClip } from "../support/clip.ts";
import type { FanfareOptions } from "../support/fanfare-process.ts";
import { publishUrl, Stage, uniqueKey } from "../support/stage.ts";
import { waitFor } from "../support/waiting.ts";

const EXIT_MS_MAX = 5_000;

/** A live broadcast to a good target, then SIGTERM: what the target saw, once its connection is over. */
async function shutDownLive(options: Pick<FanfareOptions, "environment" | "from">): Promise<ConnectionReport> {
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

test("SIGTERM ends the broadcast where that is wanted", async () => {
  const { commands, state } = await shutDownLive({ environment: { FANFARE_SHUTDOWN: "end" } });
  expect(commands.slice(-2)).toEqual(["FCUnpublish", "deleteStream"]);
  expect(state).toBe("ended");
});

test("npm start hands SIGTERM on and ends as the server does", async () => {
  const { commands } = await shutDownLive({ from: "start-script" });
  expect(commands).not.toContain("deleteStream");
});
