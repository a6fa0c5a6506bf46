import { expect, test } from "vitest";
import { reportsOf } from "../../web/src/reports.ts";

const event = (id: number, second: number, eventCode: string, more: object = {}) => ({
  id,
  channelId: "ls-20260102030405-aB3dE",
  logLevel: "INFO" as const,
  eventCode,
  description: "",
  timestamp: second * 1_000,
  ...more,
});
const status = (id: number, second: number, platId: number, to: string, reason?: string) =>
  event(id, second, "SIMULCAST_STATUS_CHANGE", { platId, to, ...(reason === undefined ? {} : { reason }) });

test("a broadcast's report says how long each platform was on air, and what interrupted it", () => {
  const events = [
    status(1, 5, 7, "PUBLISHING"),
    event(2, 10, "PUBLISH_START"),
    status(3, 12, 7, "PUBLISHING"),
    status(4, 13, 8, "FAIL", "AUTH_FAILED"),
    status(5, 20, 7, "FAIL", "TCP_RESET"),
    status(6, 25, 7, "PUBLISHING"),
    event(7, 40, "PUBLISH_END", { reason: "encoder-stopped" }),
    status(8, 41, 7, "READY"),
    event(9, 50, "PUBLISH_START"),
    event(10, 55, "PUBLISH_END"),
    event(11, 60, "PUBLISH_START"),
  ];
  expect(reportsOf(events.toReversed())).toEqual([
    { startTime: 50_000, endTime: 55_000, reason: "", platforms: [] },
    {
      startTime: 10_000,
      endTime: 40_000,
      reason: "encoder-stopped",
      platforms: [
        { platId: 7, onAirSeconds: 8 + 15, interruptions: [{ time: 20_000, reason: "TCP_RESET" }] },
        { platId: 8, onAirSeconds: 0, interruptions: [{ time: 13_000, reason: "AUTH_FAILED" }] },
      ],
    },
  ]);
});
