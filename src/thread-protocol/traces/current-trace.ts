import { AsyncLocalStorage } from "node:async_hooks";
import type { OpenSpan } from "./open-span.ts";
import type { TraceParent } from "./traces.ts";

const current = new AsyncLocalStorage<OpenSpan>();

/**
 * The trace of what this thread is doing now; undefined where that is not traced. What a step has started and is done after
 * its end, such as a timer, does not belong to it.
 */
export function currentTrace(): TraceParent | undefined {
  const span = current.getStore();
  if (span === undefined || span.isOver) return undefined;
  const { traceId, spanId, isSampled } = span;
  return { traceId, spanId, isSampled };
}

/** Runs a step, and all that it waits for, as the span's. */
export function runWithin<Result>(span: OpenSpan, run: () => Result): Result {
  return current.run(span, run);
}
