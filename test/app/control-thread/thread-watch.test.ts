import { expect, test } from "vitest";
import { ThreadWatch } from "../../../src/app/control-thread/thread-watch.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const report = (thread: string, p99: number) =>
  ({ kind: "loop-delay", thread, directSockets: 0, delay: { median: 0, p99, max: p99, load: 0.1 } }) as const;

test("a thread is late where two reports in a row say so; the latest thread counts", () => {
  const clock = new VirtualClock();
  const watch = new ThreadWatch({
    clock,
    metrics: new Metrics(() => "healthy").threads,
    loadMax: 0.9,
    onOverload: () => undefined,
  });
  expect(watch.loopDelaySeconds).toBe(0);
  watch.take(report("media", 0.4));
  expect(watch.loopDelaySeconds).toBe(0);
  watch.take(report("media", 0.3));
  expect(watch.loopDelaySeconds).toBe(0.3);
  for (const p99 of [0.1, 0.2]) watch.take(report("media-2", p99));
  expect(watch.loopDelaySeconds).toBe(0.3);
  watch.take(report("media", 0));
  expect(watch.loopDelaySeconds).toBe(0.1);
});
