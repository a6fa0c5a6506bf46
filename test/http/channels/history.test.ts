import { afterEach, beforeEach, expect, test } from "vitest";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { Api, CHANNELS, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

async function onAir(seconds: number): Promise<string> {
  const { channelId, restream } = await api.create();
  const [{ platId }] = restream;
  const encoder = {
    ingestId: 1,
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "x",
    isBroadcastNew: true,
  } as const;
  api.events.history.fact({ kind: "ingest-started", time: api.clock.wallMs, channelId, ...encoder });
  for (let second = 0; second < seconds; second += 1) {
    api.clock.advance(1_000);
    const sample = channelSample(channelId, [targetSample(platId, { bytesPerSecond: 500, queueMs: 7 })]);
    api.events.history.samples([{ ...sample, ingest: { ...sample.ingest, bytesPerSecond: 1_000 } }]);
  }
  return channelId;
}

test("a channel's history covers its broadcast, a second a point, for viewers too", async () => {
  const from = api.clock.wallMs;
  const channelId = await onAir(3);
  const { status, body } = await api.get(`${CHANNELS}/${channelId}/history`, VIEWER);
  expect(status).toBe(200);
  expect(body.content).toEqual({
    channelId,
    fromTime: from,
    toTime: from + 3_000,
    stepSeconds: 1,
    ingest: { bytesPerSecond: [null, 1_000, 1_000, 1_000] },
    platforms: [
      {
        platId: 1,
        bytesPerSecond: [null, 500, 500, 500],
        queueMilliseconds: [null, 7, 7, 7],
        droppedFrames: [null, 0, 0, 0],
        retryCount: [null, 0, 0, 0],
      },
    ],
  });
});

test("history is selected by time and step", async () => {
  const from = api.clock.wallMs;
  const channelId = await onAir(9);
  const url = `${CHANNELS}/${channelId}/history?fromTime=${from + 1_000}&toTime=${from + 6_999}&stepSeconds=3`;
  const { body } = await api.get(url);
  expect([body.content.stepSeconds, body.content.ingest.bytesPerSecond]).toEqual([3, [1_000, 1_000]]);
});

test.each(["stepSeconds=0", "stepSeconds=86401", "stepSeconds=1.5", "stepSeconds=x", "fromTime=-1", "toTime=tomorrow"])(
  "%s is refused",
  async (query) => {
    const channelId = await onAir(1);
    const { status, body } = await api.get(`${CHANNELS}/${channelId}/history?${query}`);
    expect([status, body.error.errorCode === 250002 || body.error.errorCode === 250021]).toEqual([400, true]);
  },
);

test("a missing channel has none", async () => {
  const { status, body } = await api.get(`${CHANNELS}/ls-20260101000000-AAAAA/history`);
  expect(status).toBe(404);
  expect(body).toMatchObject(service(250004, "NOT_FOUND", "Channel not found."));
});
