import { describe, expect, test } from "vitest";
import { type LinkFigures, ProgressProof } from "../../../src/relay/subscriber/rtmp-push/health/progress-proof.ts";

const WINDOW = 8_000;

/** A link of 64 kbit/s, looked at once a second; each test says how it behaves. */
class Run {
  readonly proof: ProgressProof;
  nowMs = 0;
  taken = 0;
  acked = 0;
  acks = 0;
  /** Seconds at which the link was called stalled. */
  readonly stalls: number[] = [];
  #by: string[] = [];

  constructor(areAcksTrusted = true) {
    this.proof = new ProgressProof(0, areAcksTrusted);
  }

  second(step: { takes?: number; reaches?: number; acks?: number; hasKernel?: boolean; hasWork?: boolean }): void {
    this.nowMs += 1_000;
    this.taken += step.takes ?? WINDOW;
    this.acked += step.reaches ?? WINDOW;
    this.acks += step.acks ?? 0;
    const figures: LinkFigures = {
      takenBytes: this.taken,
      hasWork: step.hasWork ?? false,
      ackCount: this.acks,
      ackWindowBytes: WINDOW,
      ...(step.hasKernel === false ? {} : { kernel: { ackedBytes: this.acked, queuedBytes: this.taken - this.acked } }),
    };
    const progress = this.proof.look(figures, this.nowMs);
    if (progress.kind === "moving") return;
    this.stalls.push(this.nowMs / 1_000);
    this.#by.push(progress.by);
  }

  seconds(
    count: number,
    step: Parameters<Run["second"]>[0] | ((second: number) => Parameters<Run["second"]>[0]),
  ): void {
    for (let at = 1; at <= count; at += 1) this.second(typeof step === "function" ? step(at) : step);
  }

  get by(): string[] {
    return [...new Set(this.#by)];
  }
}

describe("by the kernel's queue", () => {
  test("bytes that the kernel takes and the peer does not are no progress: the link stalls 5 s after the peer's last byte", () => {
    const run = new Run();
    run.seconds(10, {});
    run.seconds(7, { reaches: 0 });
    expect(run.stalls).toEqual([15, 16, 17]);
    expect(run.by).toEqual(["connection"]);
    run.second({ reaches: 1 });
    expect(run.stalls).toHaveLength(3);
  });

  test("a peer that takes a hundredth of the stream is not stalled", () => {
    const run = new Run();
    run.seconds(120, { reaches: 80, hasWork: true });
    expect(run.stalls).toEqual([]);
  });

  test("a peer that takes something each four seconds is not stalled, one that does each seven is, in between", () => {
    const four = new Run();
    four.seconds(60, (second) => ({ reaches: second % 4 === 0 ? 100 : 0 }));
    expect(four.stalls).toEqual([]);
    const seven = new Run();
    seven.seconds(14, (second) => ({ reaches: second % 7 === 0 ? 100 : 0 }));
    expect(seven.stalls).toEqual([5, 6, 12, 13]);
  });

  test("a peer that takes a lot each seven seconds is not stalled from the third time on, and is stalled when it stops", () => {
    const run = new Run();
    run.seconds(140, (second) => ({ reaches: second % 7 === 0 ? 500 : 0, hasWork: true }));
    expect(run.stalls).toEqual([5, 6, 12, 13]);
    run.seconds(30, { reaches: 0, hasWork: true });
    // 1.5 times seven.
    expect(run.stalls[4]).toBe(151);
  });

  test("a habit of pauses is forgotten after a minute, and allows twelve seconds at most", () => {
    const run = new Run();
    run.seconds(40, (second) => ({ reaches: second % 20 === 0 ? 500 : 0, hasWork: true }));
    const { length } = run.stalls;
    run.seconds(12, { reaches: 0, hasWork: true });
    expect(run.stalls.slice(length)).toEqual([52]);
    run.seconds(60, {});
    run.seconds(5, { reaches: 0, hasWork: true });
    expect(run.stalls.slice(length)).toEqual([52, 117]);
  });

  test("short pauses leave the allowed time unchanged", () => {
    const run = new Run();
    run.seconds(60, (second) => ({ reaches: second % 3 === 0 ? 500 : 0, hasWork: true }));
    run.seconds(6, { reaches: 0, hasWork: true });
    expect(run.stalls).toEqual([65, 66]);
  });

  test("a link with nothing to send, and nothing on its way, makes progress", () => {
    const run = new Run();
    run.seconds(60, { takes: 0, reaches: 0 });
    expect(run.stalls).toEqual([]);
  });

  test("where the queue cannot be read, what the kernel takes is progress, and taking nothing with data waiting is none", () => {
    const run = new Run();
    run.seconds(60, { reaches: 0, hasKernel: false });
    expect(run.stalls).toEqual([]);
    run.seconds(6, { takes: 0, reaches: 0, hasKernel: false, hasWork: true });
    expect(run.stalls).toEqual([65, 66]);
  });

  test("one missing reading is neither progress nor a stall", () => {
    const run = new Run();
    run.seconds(60, (second) => ({ hasKernel: second % 2 === 0, reaches: 100, takes: 100 }));
    expect(run.stalls).toEqual([]);
  });
});

describe("by the peer's acknowledgements", () => {
  test("a program that hangs while its kernel takes data is reported within 8 s, and makes progress with its next acknowledgement", () => {
    const run = new Run();
    run.seconds(10, { acks: 1 });
    run.seconds(8, {});
    expect(run.stalls[0]).toBeLessThanOrEqual(18);
    expect(run.by).toEqual(["program"]);
    const { length } = run.stalls;
    run.second({ acks: 1 });
    expect(run.stalls).toHaveLength(length);
  });

  const odd: Record<string, (second: number) => number> = {
    "each half window, twice a second": () => 2,
    "twice for one": (second) => (second % 2 === 0 ? 2 : 0),
    "each four windows": (second) => (second % 4 === 0 ? 1 : 0),
    "each ten seconds": (second) => (second % 10 === 0 ? 1 : 0),
    "each thirty seconds": (second) => (second % 30 === 0 ? 1 : 0),
    "once, and never again": (second) => (second === 5 ? 1 : 0),
    "three times at the start, and never again": (second) => (second <= 3 ? 1 : 0),
    never: () => 0,
  };
  for (const [how, acks] of Object.entries(odd)) {
    test(`a target that acknowledges ${how} is never called stalled`, () => {
      const run = new Run();
      run.seconds(600, (second) => ({ acks: acks(second) }));
      expect(run.stalls).toEqual([]);
    });
  }

  test("a slow target, whose acknowledgements are late because its bytes are, is not called stalled", () => {
    const run = new Run();
    run.seconds(20, { acks: 1 });
    // A fifth of the stream reaches it: it acknowledges each window all the same.
    run.seconds(300, (second) => ({ reaches: WINDOW / 5, acks: second % 5 === 0 ? 1 : 0 }));
    expect(run.stalls).toEqual([]);
  });

  test("a target that stops acknowledging for good and takes megabytes is believed to take them, from then on", () => {
    const run = new Run();
    run.seconds(10, { acks: 1 });
    run.seconds(60, { takes: 250_000, reaches: 250_000 });
    expect(run.stalls.length).toBeGreaterThan(0);
    expect(run.stalls.at(-1)).toBeLessThan(50);
    run.seconds(10, { acks: 1 });
    run.seconds(60, {});
    expect(run.stalls.at(-1)).toBeLessThan(50);
  });

  test("a target whose buffers take less than two windows stalls 5 s after its last acknowledgement, not after they were full", () => {
    const run = new Run();
    run.seconds(10, { acks: 1 });
    run.seconds(2, { reaches: WINDOW - 100 });
    run.seconds(4, { reaches: 0, hasWork: true });
    expect(run.stalls).toEqual([15, 16]);
    expect(run.by).toEqual(["connection"]);
  });

  test("a target that pauses for as long as usual is not stalled", () => {
    const run = new Run();
    run.seconds(60, (second) => ({ acks: second % 6 === 0 ? 1 : 0, reaches: second % 4 === 0 ? 4 * WINDOW : 0 }));
    expect(run.stalls).toEqual([]);
  });

  test("a target whose path becomes bad, so that a window takes ten seconds in spurts, is not stalled", () => {
    const run = new Run();
    run.seconds(20, { acks: 1 });
    run.seconds(60, (second) => ({
      acks: second % 10 === 0 ? 1 : 0,
      reaches: second % 3 === 0 ? WINDOW / 4 : 0,
      hasWork: true,
    }));
    expect(run.stalls).toEqual([]);
  });

  test("a target that hangs behind buffers of many megabytes is not believed to take them before 20 s", () => {
    const run = new Run();
    run.seconds(10, { acks: 1 });
    run.seconds(18, { takes: 750_000, reaches: 750_000 });
    expect(run.stalls).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28]);
  });

  test("missing acknowledgements prove nothing where acknowledgements are not trusted", () => {
    const run = new Run(false);
    run.seconds(10, { acks: 1 });
    run.seconds(60, {});
    expect(run.stalls).toEqual([]);
  });
});
