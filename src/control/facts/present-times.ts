import type { Fact } from "../../thread-protocol/facts.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";

// What was told, by a wall clock that was set by `stepMs` since: everything as long ago, and as long from now, as before.

export function movedStatus<Told extends TargetStatus>(status: Told, stepMs: number): Told {
  if (stepMs === 0) return status;
  const { sinceTime, nextRetryTime, lastError } = status;
  return {
    ...status,
    sinceTime: sinceTime + stepMs,
    ...(nextRetryTime === undefined ? {} : { nextRetryTime: nextRetryTime + stepMs }),
    ...(lastError === undefined ? {} : { lastError: { ...lastError, time: lastError.time + stepMs } }),
  };
}

type IngestTimes = Pick<IngestSample, "startTime" | "testPatternEndTime">;

export function movedIngest<Ingest extends IngestTimes>(ingest: Ingest, stepMs: number): Ingest {
  if (stepMs === 0) return ingest;
  const { startTime, testPatternEndTime } = ingest;
  return {
    ...ingest,
    startTime: startTime + stepMs,
    ...(testPatternEndTime === undefined ? {} : { testPatternEndTime: testPatternEndTime + stepMs }),
  };
}

export function movedFact<Told extends Fact>(fact: Told, stepMs: number): Told {
  if (stepMs === 0) return fact;
  const moved = { ...fact, time: fact.time + stepMs };
  if (fact.kind === "target-status") return { ...moved, status: movedStatus(fact.status, stepMs) };
  if (fact.kind === "ingest-started" && fact.testPatternEndTime !== undefined)
    return { ...moved, testPatternEndTime: fact.testPatternEndTime + stepMs };
  return moved;
}
