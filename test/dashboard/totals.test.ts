import { expect, test } from "vitest";
import type { Channel, Ingest, Platform } from "../../web/src/base/model.ts";
import { withSample } from "../../web/src/live/changes.ts";

const INGEST: Ingest = {
  ...{ state: "LIVE", source: "main", remoteAddress: "192.0.2.1", encoder: "test", startTime: 0, warnings: [] },
  ...{ bytesPerSecond: 0, bytesTotal: 50 },
};

const CHANNEL: Channel = {
  ...{
    channelId: "ls-1",
    channelName: "totals",
    envType: "REAL",
    planType: "UNLIMITED",
    instanceNo: 1,
    createdTime: 0,
  },
  ...{ channelStatus: "PUBLISHING", isPublishing: true, health: { state: "healthy", reasonCount: 0 }, alertOn: false },
  ...{ publishUrl: "rtmp://host/relay", globalPublishUrl: "rtmp://host/relay", streamKey: "key", latency: "efficient" },
  ...{ hold: { seconds: 0 }, backup: { enabled: false }, freeze: { mediaSeconds: 5, videoSeconds: 10 } },
  ...{ recording: { enabled: false, status: "OFF" } },
  ...{ platformCount: 2, totalPublishSeconds: 0, ingest: INGEST, platforms: [] },
};

/** A platform on air that was sent so many bytes. */
function platform(platId: number, bytesTotal: number): Platform {
  return {
    ...{ platId, targetName: "CUSTOM", rtmpUrl: "rtmp://host/live", streamKey: "key", enabled: true },
    ...{ bufferPolicy: "drop", connectStatus: "PUBLISHING", bytesPerSecond: 0, totalPlaySecond: 0, totalRetryCount: 0 },
    ...{ bytesTotalTrans: bytesTotal, totalBytesPerSecond: bytesTotal },
  };
}

test("between whole objects the totals grow by each second's sample", () => {
  const channel = { ...CHANNEL, platforms: [platform(7, 1_000), platform(8, 5)] };
  const sample = {
    channelId: "ls-1",
    time: 1,
    ingest: { bytesPerSecond: 30 },
    platforms: [
      { platId: 7, bytesPerSecond: 200, queueMilliseconds: 0, droppedFrames: 0, stability: "stable" as const },
    ],
  };
  expect(withSample(withSample(channel, sample), sample)).toEqual({
    ...{ ...CHANNEL, platforms: [platform(7, 1_400), platform(8, 5)], ingest: { ...INGEST, bytesTotal: 110 } },
  });
});
