import { expect, type TestContext, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { stepsBack } from "../../support/streams/flv-file.ts";

const DEADLINE_MS = 10_000;
/** The default hold is 120 s. Between that and the three seconds of the test there is room for a slow machine. */
const LATE_MS_MAX = 30_000;

const channelAnswer = z.looseObject({
  channelStatus: z.string(),
  hold: z.object({ seconds: z.int() }),
  backupStreamKey: z.string().optional(),
  ingest: z
    .looseObject({
      state: z.enum(["LIVE", "HELD", "ENDED"]),
      source: z.enum(["main", "backup"]),
      videoCodec: z.string().optional(),
      width: z.int().optional(),
      height: z.int().optional(),
      audioCodec: z.string().optional(),
      sampleRate: z.int().optional(),
      channels: z.int().optional(),
      bytesPerSecond: z.int(),
      warnings: z.array(z.object({ code: z.string() })),
    })
    .optional(),
});
type Shown = z.infer<typeof channelAnswer>;
type Ingest = NonNullable<Shown["ingest"]>;

const urlOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}`;

const shown = async (api: ApiClient, channel: Channel): Promise<Shown> =>
  channelAnswer.parse(await api.request("GET", urlOf(channel)));

const change = async (api: ApiClient, channel: Channel, settings: object): Promise<Shown> =>
  channelAnswer.parse(await api.request("PUT", urlOf(channel), settings));

/** Waits until the channel's encoder satisfies the condition. */
async function ingestBecomes(api: ApiClient, channel: Channel, isWanted: (ingest: Ingest) => boolean): Promise<Shown> {
  let last: Shown | undefined;
  return await waitFor(
    `ingest: ${isWanted.toString()}`,
    DEADLINE_MS,
    async () => {
      last = await shown(api, channel);
      return last.ingest !== undefined && isWanted(last.ingest) ? last : undefined;
    },
    () => `it is ${JSON.stringify(last?.ingest)}`,
  );
}

/** Codes and reasons, oldest first. */
async function eventsOf(api: ApiClient, channel: Channel): Promise<string[]> {
  const events = z
    .array(z.looseObject({ eventCode: z.string(), reason: z.string().optional() }))
    .parse(await api.request("GET", `${urlOf(channel)}/events?pageSizeNo=100`));
  return events.reverse().map(({ eventCode, reason }) => (reason === undefined ? eventCode : `${eventCode} ${reason}`));
}

/** A channel on air to one target of the kit. */
async function onAir({ onTestFinished }: TestContext) {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("held", [{ rtmpUrl: target.url, streamKey: uniqueKey("held") }]);
  const encoder = await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  await waitFor("media at the target", DEADLINE_MS, () => (mediaBytes(target) > 100_000 ? true : undefined));
  return { stage, target, api, channel, encoder };
}

const mediaBytes = (target: KitTarget): number => target.connections[0]?.report.mediaBytes ?? 0;

/** How the only connection to the target was left, and with which commands. */
async function farewell(target: KitTarget): Promise<{ readonly state: string; readonly commands: string[] }> {
  expect(target.connections).toHaveLength(1);
  const report = await target.connections[0]?.closed;
  const commands = report?.commands.filter((name) => name === "FCUnpublish" || name === "deleteStream") ?? [];
  return { state: report?.state ?? "", commands };
}

test.concurrent("a hold of three seconds, set on air, ends after three, and the connection is closed without a goodbye", async (context) => {
  const { target, api, channel, encoder } = await onAir(context);
  const live = await ingestBecomes(
    api,
    channel,
    ({ width, bytesPerSecond }) => width !== undefined && bytesPerSecond > 0,
  );
  expect(live.ingest).toMatchObject({ state: "LIVE", source: "main", videoCodec: "avc", width: 640, height: 360 });
  expect(live.ingest).toMatchObject({ audioCodec: "aac", sampleRate: 48_000, channels: 2, warnings: [] });
  expect((await change(api, channel, { hold: { seconds: 3 } })).hold).toEqual({ seconds: 3 });

  encoder.kill("SIGKILL");
  const heldFrom = performance.now();
  const held = await ingestBecomes(api, channel, ({ state }) => state === "HELD");
  expect([held.channelStatus, held.ingest?.bytesPerSecond]).toEqual(["PUBLISHING", 0]);
  const bytesAtLoss = mediaBytes(target);
  const over = await ingestBecomes(api, channel, ({ state }) => state === "ENDED");
  const heldMs = performance.now() - heldFrom;
  expect(over.channelStatus).toBe("READY");
  expect(heldMs).toBeGreaterThan(2_900);
  expect(heldMs).toBeLessThan(3_000 + LATE_MS_MAX);
  // From two seconds on filler went out.
  expect(mediaBytes(target)).toBeGreaterThan(bytesAtLoss);
  expect(await farewell(target)).toEqual({ state: "ended", commands: [] });
  const events = (await eventsOf(api, channel)).filter((code) => /^(INGEST|PUBLISH)/.test(code));
  expect(events).toEqual(["PUBLISH_START", "INGEST_HELD connection-lost", "PUBLISH_END hold-expired"]);
});

test.concurrent("a broadcast that is ended while it is held is ended properly, at once", async (context) => {
  const { target, api, channel, encoder } = await onAir(context);
  encoder.kill("SIGKILL");
  await ingestBecomes(api, channel, ({ state }) => state === "HELD");
  const answer = z.looseObject({ channelStatus: z.string() }).parse(await api.request("POST", `${urlOf(channel)}/end`));
  expect(answer.channelStatus).toBe("READY");
  expect(await farewell(target)).toEqual({ state: "ended", commands: ["FCUnpublish", "deleteStream"] });
  expect((await shown(api, channel)).ingest?.state).toBe("ENDED");
});

test.concurrent("without a hold the loss of the encoder is the end, as with the original service", async (context) => {
  const { target, api, channel, encoder } = await onAir(context);
  await change(api, channel, { hold: { seconds: 0 } });
  encoder.kill("SIGKILL");
  const over = await ingestBecomes(api, channel, ({ state }) => state !== "LIVE");
  expect([over.channelStatus, over.ingest?.state]).toEqual(["READY", "ENDED"]);
  expect(await farewell(target)).toEqual({ state: "ended", commands: [] });
  expect(await eventsOf(api, channel)).not.toContain("INGEST_HELD connection-lost");
});

test.concurrent("the main encoder dies and the backup goes on: one connection, one recording that decodes without a message", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("backed");
  const channel = await api.createChannel("backed", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const { backupStreamKey = "" } = await change(api, channel, { backup: { enabled: true } });
  stage.keepSecret(backupStreamKey);
  const clip = await makeClip({ seconds: 6 });
  const recorded = (ms: number) =>
    nginx.waitForRecording(key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= ms, DEADLINE_MS);

  const main = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  await recorded(2_000);
  const backup = await stage.ffmpeg(clip, `${channel.publishUrl}/${backupStreamKey}`, { loops: true });
  await waitFor("the backup", DEADLINE_MS, async () =>
    (await eventsOf(api, channel)).includes("BACKUP_SESSION_STREAMING_CONNECTED") ? true : undefined,
  );
  expect((await shown(api, channel)).ingest).toMatchObject({ state: "LIVE", source: "main", warnings: [] });
  main.kill("SIGKILL");
  await ingestBecomes(api, channel, ({ state, source }) => state === "LIVE" && source === "backup");
  const atSwitch = (await nginx.recordings(key))[0]?.tags.at(-1)?.timestamp ?? 0;
  await recorded(atSwitch + 3_000);
  backup.kill("SIGINT");
  await ingestBecomes(api, channel, ({ state }) => state === "ENDED");

  const recordings = await nginx.recordings(key);
  expect(recordings).toHaveLength(1);
  for (const { tags, path } of recordings) {
    expect(stepsBack(tags)).toEqual([]);
    expect(await decodingErrors(path)).toBe("");
  }
  expect((await eventsOf(api, channel)).filter((code) => /^(RTMP|BACKUP)/.test(code))).toEqual([
    "BACKUP_SESSION_STREAMING_CONNECTED",
    "RTMP_BACKUP_STREAM_ENABLED",
  ]);
});

test.concurrent("a backup that is switched off on air is cut and refused, and neither main encoder nor target is affected", async (context) => {
  const { stage, target, api, channel } = await onAir(context);
  const { backupStreamKey: streamKey = "" } = await change(api, channel, { backup: { enabled: true } });
  stage.keepSecret(streamKey);
  const backup = stage.kitEncoder({ ...channel, streamKey }, { clip: syntheticClip() });
  await waitFor("the backup", DEADLINE_MS, async () =>
    (await eventsOf(api, channel)).includes("BACKUP_SESSION_STREAMING_CONNECTED") ? true : undefined,
  );
  // Another size: viewers would see a switch, and the channel warns beforehand.
  const warned = await ingestBecomes(api, channel, ({ warnings }) => warnings.length > 0);
  expect(warned.ingest).toMatchObject({ source: "main", warnings: [{ code: "BACKUP_DIFFERS" }] });
  await change(api, channel, { backup: { enabled: false } });
  const { end } = await backup.closed;
  expect(end?.how).toBe("lost");
  const again = stage.kitEncoder({ ...channel, streamKey }, { clip: syntheticClip() });
  expect((await again.closed).end?.how).toBe("refused");

  const bytesThen = mediaBytes(target);
  await waitFor("media to go on", DEADLINE_MS, () => (mediaBytes(target) > bytesThen + 100_000 ? true : undefined));
  const now = await ingestBecomes(api, channel, ({ warnings }) => warnings.length === 0);
  expect(now.ingest).toMatchObject({ state: "LIVE", source: "main" });
  expect(target.connections).toHaveLength(1);
  expect(await eventsOf(api, channel)).toEqual(expect.arrayContaining(["BACKUP_DIFFERS"]));
});

test.concurrent("a target that stalls loses frames or its connection, as its buffer policy says", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const dropping = await stage.target({ stall: { afterMs: 0 } });
  const disconnected = await stage.target((index) => (index === 0 ? { stall: { afterMs: 0 } } : {}));
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("policies", [
    { rtmpUrl: dropping.url, streamKey: uniqueKey("drop") },
    { rtmpUrl: disconnected.url, streamKey: uniqueKey("disconnect"), bufferPolicy: "disconnect" },
  ]);
  const watch = stage.watch(api, channel);
  // Enough to fill a socket that is not read within seconds.
  const clip = await makeClip({ seconds: 6, kilobits: 16_000 });
  await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  const failed = await watch.until(
    1,
    ({ lastError }) => lastError?.message.includes("its setting is to disconnect it") === true,
    30_000,
  );
  expect(failed).toMatchObject({ bufferPolicy: "disconnect", lastError: { code: "STALLED", severity: "transient" } });
  const dropped = await watch.until(0, ({ droppedFrames }) => Number(droppedFrames ?? 0) > 0, DEADLINE_MS);
  const causes = z.object({ overTime: z.int(), overBytes: z.int(), untilKeyframe: z.int() });
  const { overTime, overBytes, untilKeyframe } = causes.parse(dropped["droppedFramesByCause"]);
  expect(overTime + overBytes + untilKeyframe).toBe(dropped["droppedFrames"]);
  // It gets another connection, and this one it reads from.
  await watch.until(
    1,
    ({ connectStatus, totalRetryCount }) => connectStatus === "PUBLISHING" && totalRetryCount > 0,
    DEADLINE_MS,
  );
  // Between them a silent connection probed whether it can be reached.
  expect(disconnected.connections.filter(({ report }) => report.bytesReceived > 0).length).toBe(2);
});
