import type { ReportAnswer } from "../../api-contract/schemas/event-answer-schemas.ts";
import type { HistoryAnswer } from "../../control/history/history-reader.ts";
import type { FinishedReport, Interruptions, TargetReport } from "../../control/reports/reports.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { refusedEncoderAnswer } from "./event-answers.ts";

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
  const { channelId, startTime, endTime, end, isTest, interruptions, targets, refused } = report;
  return {
    channelId,
    startTime,
    endTime,
    durationSeconds: seconds(endTime - startTime),
    reason: end,
    ...(isTest === true ? { testPattern: true } : {}),
    ...interruptionsAnswer(interruptions),
    platforms: targets.map(targetReportAnswer),
    ...(refused === undefined ? {} : { refusedEncoders: refused.map(refusedEncoderAnswer) }),
  };
}

/** What `…/history` returns. */
export function historyAnswer(channelId: ChannelId, { from, to, stepSeconds, ingestRates, targets }: HistoryAnswer) {
  return {
    channelId,
    fromTime: from,
    toTime: to,
    stepSeconds,
    ingest: { bytesPerSecond: ingestRates },
    platforms: targets.map(({ targetId, rates, queueMs, drops, retries }) => ({
      platId: targetId,
      bytesPerSecond: rates,
      queueMilliseconds: queueMs,
      droppedFrames: drops,
      retryCount: retries,
    })),
  };
}
