import type { ReportAnswer } from "../../api-contract/schemas/event-answer-schemas.ts";
import type { FinishedReport, Interruptions, TargetReport } from "../../control/reports/reports.ts";

const seconds = (ms: number): number => Math.round(ms / 1_000);

function interruptionsAnswer({ list, count }: Interruptions) {
  return {
    interruptions: list.map(({ time, durationMs, reason }) => ({ time, durationSeconds: seconds(durationMs), reason })),
    interruptionCount: count,
  };
}

function targetReportAnswer({ targetId, targetName, label, onAirMs, bytes, retryCount, drops, ...rest }: TargetReport) {
  return {
    platId: targetId,
    ...(targetName === undefined ? {} : { targetName }),
    ...(label === undefined ? {} : { label }),
    onAirSeconds: seconds(onAirMs),
    bytesSent: bytes,
    retryCount,
    droppedFrames: drops.overTime + drops.overBytes + drops.untilKeyframe,
    droppedFramesByCause: drops,
    ...interruptionsAnswer(rest.interruptions),
  };
}

/** One element of the list of reports. */
export function reportAnswer(report: FinishedReport): ReportAnswer {
  const { channelId, startTime, endTime, end, interruptions, targets } = report;
  return {
    channelId,
    startTime,
    endTime,
    durationSeconds: seconds(endTime - startTime),
    reason: end,
    ...interruptionsAnswer(interruptions),
    platforms: targets.map(targetReportAnswer),
  };
}
