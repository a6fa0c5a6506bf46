import { afterEach, beforeEach, expect, test } from "vitest";
import type { IngestSample } from "../../../src/thread-protocol/samples.ts";
import { channelSample } from "../../support/stages/sample.ts";
import { Api, CHANNELS, PLATFORM } from "../api.ts";
import { EventReader } from "../live/event-reader.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const ENCODER = {
  state: "LIVE",
  slot: "backup",
  remoteAddress: "192.0.2.7",
  encoder: "OBS",
  startTime: 1_700_000_000_000,
  bytesPerSecond: 0,
  bytesTotal: 0,
} as const;
const MEASURED: IngestSample = {
  ...ENCODER,
  videoCodec: "avc",
  width: 1_920,
  height: 1_080,
  frameRate: 59.94,
  keyframeIntervalSeconds: 2,
  audioCodec: "aac",
  sampleRate: 48_000,
  channels: 2,
  bytesPerSecond: 750_000,
  bytesTotal: 9_000_000,
};

/** A sample a second of such an encoder. */
async function measure(channelId: string, ingest: IngestSample, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    const samples = [{ ...channelSample(channelId, []), ingest }];
    api.runtime.ingest(channelId, ingest);
    api.ingestChecks.samples(samples);
    api.live.samples(samples);
    // The channel is read, and with it, in the same queue, its targets.
    await api.channel(channelId);
    api.clock.advance(1_000);
  }
}

test("a channel has no ingest before the first encoder, and then has it, in the channel and in the list", async () => {
  const { channelId } = await api.create();
  expect(await api.channel(channelId)).not.toHaveProperty("ingest");
  api.runtime.ingest(channelId, ENCODER);
  const { slot: source, ...rest } = ENCODER;
  expect((await api.channel(channelId)).ingest).toEqual({ ...rest, source, warnings: [] });
  api.runtime.ingest(channelId, MEASURED);
  const { slot, ...measured } = MEASURED;
  const answer = { ...measured, source: slot, warnings: [] };
  expect((await api.channel(channelId)).ingest).toEqual(answer);
  const list = await api.get(CHANNELS);
  expect(list.body.content[0].ingest).toEqual(answer);
});

test("a standby that differs is a warning", async () => {
  const { channelId } = await api.create();
  api.runtime.ingest(channelId, { ...MEASURED, standbyDiffers: "width 640 instead of 1920" });
  expect((await api.channel(channelId)).ingest.warnings).toEqual([
    {
      code: "BACKUP_DIFFERS",
      severity: "warning",
      message:
        "The backup encoder differs from the one on air (width 640 instead of 1920): " +
        "give both the same settings, or platforms will notice the switch.",
      messageKo:
        "백업 인코더의 설정이 방송 중인 인코더와 다릅니다(width 640 instead of 1920). " +
        "전환할 때 시청자가 알아차릴 수 있으니 두 인코더의 설정을 동일하게 맞춰 주세요.",
    },
  ]);
});

test("what an encoder has to change is a warning of the platform it is for, also in the list, and of no other channel", async () => {
  const restream = [{ ...PLATFORM, targetName: "TWITCH" }, PLATFORM];
  const { channelId } = await api.create({ restream });
  const other = await api.create({ restream });
  const [twitch] = await api.platforms(channelId);
  const slow = { ...MEASURED, measures: { videoBytesPerSecond: 880_000, longestKeyframeSeconds: 3 } };
  await measure(channelId, slow, 7);
  api.runtime.ingest(other.channelId, MEASURED);
  const warnings = [
    {
      code: "VIDEO_BITRATE_HIGH",
      severity: "warning",
      message:
        "The video bitrate is 7040 kbit/s, but Twitch accepts 6000: set the encoder's video bitrate to 6000 kbit/s or less, constant (CBR).",
      messageKo:
        "영상 비트레이트가 7040 kbit/s로 트위치의 한도 6000 kbit/s를 넘습니다. " +
        "인코더의 영상 비트레이트를 6000 kbit/s 이하의 고정 비트레이트(CBR)로 설정해 주세요.",
      platId: twitch.platId,
    },
    {
      code: "KEYFRAME_INTERVAL_LONG",
      severity: "warning",
      message:
        "Keyframes are up to 3 s apart, but Twitch asks for 2 s: set the encoder's keyframe interval to 2 s, not to automatic.",
      messageKo:
        "키프레임 간격이 최대 3초이며 트위치의 권장값은 2초입니다. 인코더의 키프레임 간격을 자동이 아닌 2초로 설정해 주세요.",
      platId: twitch.platId,
    },
  ];
  expect((await api.channel(channelId)).ingest).toMatchObject({ warnings });
  const list = await api.get(CHANNELS);
  expect(list.body.content.map(({ ingest }: { ingest: object }) => ingest)).toMatchObject([
    { warnings: [] },
    { warnings },
  ]);
  const platform = `${CHANNELS}/${channelId}/platforms/${twitch.platId}`;
  expect((await api.delete(platform)).status).toBe(200);
  await measure(channelId, slow, 1);
  expect((await api.channel(channelId)).ingest).toMatchObject({ warnings: [] });
});

test("an encoder that stays 20 % above what a platform takes is an event, once in a broadcast", async () => {
  const { channelId } = await api.create({ restream: [{ ...PLATFORM, targetName: "TWITCH" }] });
  const [{ platId }] = await api.platforms(channelId);
  const rate = (videoBytesPerSecond: number): IngestSample => ({ ...MEASURED, measures: { videoBytesPerSecond } });
  await measure(channelId, rate(899_000), 20);
  await measure(channelId, rate(912_500), 30);
  expect((await api.delete(`${CHANNELS}/${channelId}/platforms/${platId}`)).status).toBe(200);
  await api.events.written(3);
  const events = await api.get(`${CHANNELS}/${channelId}/events`);
  expect(events.body.content).toMatchObject([
    { eventCode: "STREAM_UPDATE" },
    {
      logLevel: "WARN",
      eventCode: "PUBLISH_OVER_THRESHOLD",
      description: `channel001 channel video of 7300 kbit/s stays above the 6000 kbit/s of platform TWITCH (${platId}).`,
      platId,
      reason: "VIDEO_BITRATE_HIGH",
    },
    { eventCode: "STREAM_RESERVE" },
  ]);
});

test("the live stream sends a channel again when a warning comes, and when it goes", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId } = await api.create({ restream: [{ ...PLATFORM, targetName: "TWITCH" }] });
  api.runtime.start(channelId, 0);
  await measure(channelId, MEASURED, 1);
  api.clock.advance(100);
  const reader = await EventReader.open(api);
  await reader.next();
  const nextWarnings = async () => {
    for (;;) {
      const { name, data } = await reader.next();
      if (name === "channel") return data.ingest.warnings.map(({ code }: { code: string }) => code);
    }
  };
  await measure(channelId, { ...MEASURED, measures: { bFrames: 2, longestKeyframeSeconds: 8 } }, 7);
  expect(await nextWarnings()).toEqual(["KEYFRAME_INTERVAL_LONG"]);
  await measure(channelId, { ...MEASURED, measures: { bFrames: 2, longestKeyframeSeconds: 2 } }, 11);
  expect(await nextWarnings()).toEqual([]);
  reader.close();
});

test("the live stream sends a channel again when its encoder shows something new, and not for every count", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId } = await api.create();
  api.runtime.start(channelId, 0);
  api.clock.advance(100);
  const reader = await EventReader.open(api);
  await reader.next();
  const sample = (ingest: IngestSample) => {
    api.runtime.ingest(channelId, ingest);
    api.live.samples([{ ...channelSample(channelId, []), ingest }]);
  };
  const next = async (name: string) => {
    for (;;) {
      const event = await reader.next();
      if (event.name === name) return event.data;
    }
  };
  const steps: readonly (readonly [IngestSample, boolean])[] = [
    [ENCODER, true],
    [{ ...ENCODER, bytesPerSecond: 5, bytesTotal: 5 }, false],
    [MEASURED, true],
    [{ ...MEASURED, bytesPerSecond: 6, bytesTotal: 6, frameRate: 30, keyframeIntervalSeconds: 1.9 }, false],
    [{ ...MEASURED, standbyDiffers: "width 640 instead of 1920" }, true],
    [{ ...MEASURED, state: "ENDED" }, true],
  ];
  for (const [index, [ingest, isReported]] of steps.entries()) {
    sample(ingest);
    await next("sample");
    api.clock.advance(100);
    const channel = await api.channel(channelId);
    if (isReported) {
      expect(await next("channel")).toMatchObject({ channelId, ingest: channel.ingest });
      continue;
    }
    // The next thing sent is the next change.
    const channelName = `renamed_${index}`;
    await api.put(`${CHANNELS}/${channelId}`, { channelName });
    api.clock.advance(100);
    expect(await next("channel")).toMatchObject({ channelName });
  }
  reader.close();
});
