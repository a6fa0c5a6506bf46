import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNELS, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

test("the reports of a channel's broadcasts are listed newest first, for viewers too", async () => {
  const { channelId } = await api.create();
  const url = `${CHANNELS}/${channelId}/reports`;
  expect((await api.get(url)).body).toEqual({ content: [], total: 0 });
  const none = { list: [], count: 0 };
  const drops = { overTime: 4, overBytes: 2, untilKeyframe: 30 };
  const part = { targetId: 7, onAirMs: 5_600, bytes: 1_234, retryCount: 2, drops, interruptions: none };
  const stalls = { list: [{ time: 2_000, durationMs: 2_500, reason: "STALLED" as const }], count: 1 };
  await api.events.reports.putReports([
    { channelId, startTime: 1_000, endTime: 2_000, end: "ended", interruptions: none, targets: [] },
    {
      channelId,
      startTime: 3_000,
      endTime: 64_400,
      end: "hold-expired",
      interruptions: { list: [{ time: 60_000, durationMs: 4_400, reason: "connection-lost" }], count: 1 },
      targets: [part, { ...part, targetId: 8, targetName: "TWITCH", label: "Mine", interruptions: stalls }],
    },
  ]);
  const answer = await api.get(`${url}?pageNo=1&pageSizeNo=1`, VIEWER);
  const platform = { onAirSeconds: 6, bytesSent: 1_234, retryCount: 2, droppedFrames: 36, droppedFramesByCause: drops };
  expect(answer.body).toEqual({
    content: [
      {
        channelId,
        startTime: 3_000,
        endTime: 64_400,
        durationSeconds: 61,
        reason: "hold-expired",
        interruptions: [{ time: 60_000, durationSeconds: 4, reason: "connection-lost" }],
        interruptionCount: 1,
        platforms: [
          { platId: 7, ...platform, interruptions: [], interruptionCount: 0 },
          {
            platId: 8,
            targetName: "TWITCH",
            label: "Mine",
            ...platform,
            interruptions: [{ time: 2_000, durationSeconds: 3, reason: "STALLED" }],
            interruptionCount: 1,
          },
        ],
      },
    ],
    total: 2,
  });
});
