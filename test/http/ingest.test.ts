import { afterEach, beforeEach, expect, test } from "vitest";
import type { IngestSample } from "../../src/exchange/samples.ts";
import { channelSample } from "../support/sample.ts";
import { Api, CHANNELS } from "./api.ts";
import { EventReader } from "./event-reader.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const read = async (channelId: string) =>
  (await api.call({ method: "GET", url: `${CHANNELS}/${channelId}` })).body.content;

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

test("before the first encoder a channel has no ingest; then it has, in the channel and in the list", async () => {
  const { channelId } = await api.create();
  expect(await read(channelId)).not.toHaveProperty("ingest");
  api.runtime.ingest(channelId, ENCODER);
  const { slot: source, ...rest } = ENCODER;
  expect((await read(channelId)).ingest).toEqual({ ...rest, source, warnings: [] });
  api.runtime.ingest(channelId, MEASURED);
  const { slot, ...measured } = MEASURED;
  const answer = { ...measured, source: slot, warnings: [] };
  expect((await read(channelId)).ingest).toEqual(answer);
  const list = await api.call({ method: "GET", url: CHANNELS });
  expect(list.body.content[0].ingest).toEqual(answer);
});

test("a standby that differs is a warning", async () => {
  const { channelId } = await api.create();
  api.runtime.ingest(channelId, { ...MEASURED, standbyDiffers: "width 640 instead of 1920" });
  expect((await read(channelId)).ingest.warnings).toEqual([
    {
      code: "BACKUP_DIFFERS",
      severity: "warning",
      message:
        "The encoder that stands by differs from the one on air (width 640 instead of 1920): " +
        "give both the same settings, or platforms will notice the switch.",
    },
  ]);
});

test("the live stream tells a channel again when its encoder shows something new, and not for every count", async () => {
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const { channelId } = await api.create();
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
  for (const [index, [ingest, isTold]] of steps.entries()) {
    sample(ingest);
    await next("sample");
    api.clock.advance(100);
    const channel = await read(channelId);
    if (isTold) {
      expect(await next("channel")).toMatchObject({ channelId, ingest: channel.ingest });
      continue;
    }
    // The next thing told is the next thing that changed.
    const channelName = `renamed_${index}`;
    await api.call({ method: "PUT", url: `${CHANNELS}/${channelId}`, body: { channelName } });
    api.clock.advance(100);
    expect(await next("channel")).toMatchObject({ channelName });
  }
  reader.close();
});
