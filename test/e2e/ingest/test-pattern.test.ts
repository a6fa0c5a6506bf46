import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { startChild } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";

const DEADLINE_MS = 15_000;

const urlOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}`;
const shown = z.looseObject({
  channelStatus: z.string(),
  ingest: z
    .looseObject({
      state: z.string(),
      encoder: z.string(),
      bytesTotal: z.int(),
      testPattern: z.object({ endTime: z.int() }).optional(),
      warnings: z.array(z.unknown()),
    })
    .optional(),
});
const read = async (api: ApiClient, channel: Channel) => shown.parse(await api.request("GET", urlOf(channel)));

const codesOf = async (api: ApiClient, channel: Channel): Promise<string[]> => {
  const events = z
    .array(z.looseObject({ eventCode: z.string(), reason: z.string().optional(), by: z.string().optional() }))
    .parse(await api.request("GET", `${urlOf(channel)}/events?pageSizeNo=100`));
  return events
    .reverse()
    .filter(({ eventCode }) => eventCode !== "SIMULCAST_STATUS_CHANGE")
    .map(({ eventCode, reason }) => [eventCode, reason].filter((word) => word !== undefined).join(" "));
};

/** ffprobe's description of the streams of a file. */
async function streamsOf(path: string): Promise<unknown> {
  const entries = "stream=codec_name,width,height,r_frame_rate,sample_rate,channels";
  const probe = await startChild("ffprobe", ["-v", "error", "-of", "json", "-show_entries", entries, path]);
  await probe.exited;
  return JSON.parse(probe.stdout()).streams;
}

test.concurrent("the pattern reaches a platform through two media threads and a login, decodes without a message, and ends properly", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await stage.server({ environment: { FANFARE_MEDIA_THREADS: "2" } });
  const channel = await api.createChannel("pattern", [{ rtmpUrl: target.url, streamKey: uniqueKey("pattern") }]);
  // Encoders of this channel have to log in. The pattern does not count as one.
  const password = uniqueKey("login");
  stage.keepSecret(password);
  await api.request("PUT", urlOf(channel), { ingestAuth: { id: "studio", password } });
  const started = shown.parse(await api.request("POST", `${urlOf(channel)}/test-pattern`, { durationSeconds: 120 }));
  expect(started.ingest).toMatchObject({
    encoder: "Fanfare test pattern",
    testPattern: { endTime: expect.any(Number) },
  });
  await waitFor("five seconds of it", DEADLINE_MS, () =>
    (target.connections[0]?.report.mediaBytes ?? 0) > 625_000 ? true : undefined,
  );
  const live = await read(api, channel);
  expect([live.channelStatus, live.ingest?.state, live.ingest?.warnings]).toEqual(["PUBLISHING", "LIVE", []]);
  await expect(api.request("POST", `${urlOf(channel)}/test-pattern`)).rejects.toThrow("on air already");

  const over = shown.parse(await api.request("DELETE", `${urlOf(channel)}/test-pattern`));
  expect(over.channelStatus).toBe("READY");
  const report = await target.connections[0]?.closed;
  expect(report?.state).toBe("ended");
  expect(report?.commands).toEqual(expect.arrayContaining(["FCUnpublish", "deleteStream"]));
  const path = report?.recordings[0] ?? join(stage.folder, "none");
  expect(await streamsOf(path)).toEqual([
    { codec_name: "aac", r_frame_rate: "0/0", sample_rate: "48000", channels: 2 },
    { codec_name: "h264", width: 640, height: 360, r_frame_rate: "25/1" },
  ]);
  expect(await decodingErrors(path)).toBe("");
  expect(await codesOf(api, channel)).toEqual([
    "STREAM_RESERVE",
    "STREAM_UPDATE settings-changed",
    "PUBLISH_START",
    "STREAM_UPDATE test-pattern-started",
    "STREAM_UPDATE test-pattern-stopped",
    "PUBLISH_END test-pattern-over",
  ]);
  const reports = z.array(z.looseObject({ reason: z.string(), testPattern: z.boolean().optional() }));
  const told = await waitFor("the report", DEADLINE_MS, async () => {
    const all = reports.parse(await api.request("GET", `${urlOf(channel)}/reports`));
    return all.length > 0 ? all : undefined;
  });
  expect(told).toMatchObject([{ reason: "test-pattern-over", testPattern: true }]);
});

test.concurrent("a real encoder takes over from the pattern at once, and the broadcast is its own from then on", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("takeover", [{ rtmpUrl: target.url, streamKey: uniqueKey("takeover") }]);
  await api.request("POST", `${urlOf(channel)}/test-pattern`, { durationSeconds: 600 });
  await waitFor("the pattern at the target", DEADLINE_MS, () =>
    (target.connections[0]?.report.mediaBytes ?? 0) > 100_000 ? true : undefined,
  );
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
  const taken = await waitFor("the encoder on air", DEADLINE_MS, async () => {
    const now = await read(api, channel);
    return now.ingest?.testPattern === undefined && now.ingest?.state === "LIVE" ? now : undefined;
  });
  expect(taken.channelStatus).toBe("PUBLISHING");
  // An encoder on air is never disturbed.
  await expect(api.request("POST", `${urlOf(channel)}/test-pattern`)).rejects.toThrow("An encoder is on air");
  await expect(api.request("DELETE", `${urlOf(channel)}/test-pattern`)).rejects.toThrow("No test pattern");
  const before = taken.ingest?.bytesTotal ?? 0;
  await waitFor("more of the encoder", DEADLINE_MS, async () =>
    ((await read(api, channel)).ingest?.bytesTotal ?? 0) > before ? true : undefined,
  );
  await encoder.stop("clean");
  const codes = await waitFor("the end", DEADLINE_MS, async () => {
    const all = await codesOf(api, channel);
    return all.at(-1)?.startsWith("PUBLISH_END") === true ? all : undefined;
  });
  expect(codes).toEqual([
    "STREAM_RESERVE",
    "PUBLISH_START",
    "STREAM_UPDATE test-pattern-started",
    "TEST_PATTERN_ENDED",
    "PUBLISH_END clean",
  ]);
});
