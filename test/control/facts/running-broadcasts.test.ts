import { deserialize, serialize } from "node:v8";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventTracker } from "../../../src/control/events/event-tracker.ts";
import { type RunningBroadcast, RunningBroadcasts } from "../../../src/control/facts/running-broadcasts.ts";
import { HistoryRecorder } from "../../../src/control/history/history-recorder.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import { ReportTracker } from "../../../src/control/reports/report-tracker.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { ChannelSample } from "../../../src/thread-protocol/samples.ts";
import type { ConnectStatus, TargetStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { ManualClock } from "../manual-clock.ts";

const CHANNEL = "ls-1";
/** As it arrives in another process. */
const copyOf = <Value>(value: Value): Value => deserialize(serialize(value));
type Moment = { readonly facts: readonly Fact[]; readonly sample?: ChannelSample };

const byTarget = (left: { targetId: number }, right: { targetId: number }) => left.targetId - right.targetId;

/** What may happen while a broadcast is on air. */
type Step =
  | { readonly kind: "status"; readonly targetId: number; readonly status: ConnectStatus }
  | { readonly kind: "sample"; readonly bytes: number }
  | { readonly kind: "record"; readonly status: "READY" | "RECORDING" | "FAIL" }
  | { readonly kind: "standby" | "switch" | "lose" | "return" | "leave" };

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("status" as const),
      targetId: fc.integer({ min: 1, max: 3 }),
      status: fc.constantFrom<ConnectStatus>("CONNECTING", "PUBLISHING", "FAIL", "READY"),
    }),
    fc.record({ kind: fc.constant("sample" as const), bytes: fc.nat(1_000) }),
    fc.record({
      kind: fc.constant("record" as const),
      status: fc.constantFrom("READY" as const, "RECORDING" as const, "FAIL" as const),
    }),
    fc.constantFrom<Step>(
      { kind: "standby" },
      { kind: "switch" },
      { kind: "lose" },
      { kind: "return" },
      { kind: "leave" },
    ),
  ),
  { maxLength: 25 },
);

/** Turns steps into what the media thread reports, a second apart. */
class Story {
  readonly moments: Moment[] = [];
  #time = 1_700_000_000_000;
  #lastId = 1;
  #bytes = 0;
  #isHeld = false;

  constructor(all: readonly Step[]) {
    this.#add(this.#ingest("ingest-started", 1, { remoteAddress: "192.0.2.1", encoder: "a", isBroadcastNew: true }));
    this.#add(this.#ingest("publisher-active", 1, { heldMs: 0 }));
    for (const step of all) this.#step(step);
  }

  get lastSample(): ChannelSample {
    const counters = { bytesTotal: this.#bytes, playMs: this.#bytes * 2, retryCount: this.#bytes >> 8 };
    return channelSample(
      CHANNEL,
      [1, 2, 3].map((targetId) => targetSample(targetId, counters)),
    );
  }

  end(): void {
    this.#add(this.#ingest("ingest-ended", this.#lastId, { end: "clean", isBroadcastOver: true }));
  }

  #step(step: Step): void {
    switch (step.kind) {
      case "status": {
        const lastError = { code: "TCP_RESET", severity: "transient", message: "m", messageKo: "m", time: this.#time };
        const status = {
          ...{ status: step.status, sinceTime: this.#time },
          ...(step.status === "FAIL" ? { lastError } : {}),
        } as TargetStatus;
        const fact = { kind: "target-status", time: this.#time, channelId: CHANNEL, from: "READY" } as const;
        return this.#add({ ...fact, targetId: step.targetId, status });
      }
      case "record": {
        const status =
          step.status === "FAIL" ? ({ status: "FAIL", problem: "DISK_FULL" } as const) : { status: step.status };
        return this.#add({ kind: "recording-status", time: this.#time, channelId: CHANNEL, status });
      }
      case "sample": {
        this.#bytes += step.bytes;
        this.moments.push({ facts: [], sample: this.lastSample });
        this.#time += 1_000;
        return;
      }
      case "standby":
      case "return":
        this.#lastId += 1;
        this.#add(
          this.#ingest("ingest-started", this.#lastId, {
            remoteAddress: "192.0.2.2",
            encoder: "b",
            isBroadcastNew: false,
          }),
        );
        return step.kind === "return" ? this.#activate() : undefined;
      case "switch":
        return this.#activate();
      case "lose":
        this.#isHeld = true;
        return this.#add(
          this.#ingest("ingest-held", this.#lastId, { end: "connection-lost", holdSeconds: 60 }),
          this.#ingest("hold-set", this.#lastId, { leftMs: 60_000 }),
        );
      case "leave":
        return this.#add(this.#ingest("ingest-ended", this.#lastId + 100, { end: "clean", isBroadcastOver: false }));
    }
  }

  #activate(): void {
    this.#add(this.#ingest("publisher-active", this.#lastId, { heldMs: this.#isHeld ? 1_000 : 0 }));
    this.#isHeld = false;
  }

  #add(...facts: readonly Fact[]): void {
    this.moments.push({ facts });
    this.#time += 1_000;
  }

  #ingest(kind: Fact["kind"], ingestId: number, more: object): Fact {
    return { kind, time: this.#time, channelId: CHANNEL, ingestId, slot: "main", ...more } as Fact;
  }
}

/** A process's whole knowledge of broadcasts. */
class Knowledge {
  readonly running: RunningBroadcasts;
  readonly live: LiveState;
  readonly #reports = new ReportTracker();
  readonly #events = new EventTracker();
  readonly #clock: ManualClock;
  readonly told: unknown[] = [];

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.live = new LiveState(clock);
    this.running = new RunningBroadcasts(clock);
  }

  take({ facts, sample }: Moment): void {
    for (const fact of facts) {
      this.running.fact(fact);
      this.live.fact(fact);
      this.told.push(...this.#events.fact(fact));
      const report = this.#reports.fact(fact, this.#clock.now());
      if (report !== undefined) this.told.push(report);
    }
    if (sample === undefined) return;
    this.running.samples([sample]);
    this.live.samples([sample]);
    this.#reports.samples([sample]);
  }

  /** Goes on with what another process knows, as after a transfer between the two. `isStored`: that one could store its totals. */
  resume(other: Knowledge, isStored = true): void {
    const broadcasts: readonly RunningBroadcast[] = copyOf(other.running.list());
    const onAirMs = new Map(other.live.onAirMs(CHANNEL));
    if (isStored) other.live.markStored(other.live.unstored());
    this.live.resume(broadcasts, onAirMs, this.#clock.now(), copyOf(other.live.unstoredTotals()));
    this.running.resume(broadcasts);
    for (const { facts } of broadcasts) for (const fact of facts) this.#events.fact(fact);
    for (const report of copyOf(other.#reports.running(this.#clock.now()))) {
      const [broadcast] = broadcasts;
      const startedMs = this.#clock.now() - (this.#clock.wallNow() - report.startTime);
      if (broadcast !== undefined) this.#reports.resume(report, broadcast, startedMs);
    }
  }
}

test("a process that goes on with another's broadcast knows, counts and tells the same as one that saw it all", () => {
  fc.assert(
    fc.property(steps, steps, fc.boolean(), fc.boolean(), (before, after, isEnded, isStored) => {
      const story = new Story([...before, ...after]);
      if (isEnded) story.end();
      const clock = new ManualClock();
      const whole = new Knowledge(clock);
      const first = new Knowledge(clock);
      const second = new Knowledge(clock);
      const cut = new Story(before).moments.length;
      for (const [index, moment] of story.moments.entries()) {
        if (index === cut) {
          second.resume(first, isStored);
          // What is stored is stored once; what the other process tells from here on is the same.
          if (isStored) whole.live.markStored(whole.live.unstored());
          whole.told.length = 0;
        }
        whole.take(moment);
        (index < cut ? first : second).take(moment);
        clock.advance(1_000);
      }
      if (cut === story.moments.length) return;
      // Until the first sample the encoder's numbers are those of the last one.
      for (const each of [second, whole]) each.take({ facts: [], sample: story.lastSample });
      // An event makes its text when it is stored.
      const told = [second, whole].map((each) => JSON.stringify(each.told));
      expect(told[0]).toBe(told[1]);
      expect(second.live.live(CHANNEL)).toEqual(whole.live.live(CHANNEL));
      const [counted, expected] = [second, whole].map(({ live }) => [...live.unstored().targets].sort(byTarget));
      expect(counted).toEqual(expected);
      const publishMs = [second, whole].map(({ live }) => live.unstoredPublishMs(CHANNEL));
      expect(publishMs[0]).toBe(publishMs[1]);
      expect(second.running.list()).toEqual(whole.running.list());
    }),
    { numRuns: 200 },
  );
});

test("a removed target leaves nothing behind", () => {
  const running = new RunningBroadcasts(new ManualClock());
  const story = new Story([{ kind: "status", targetId: 1, status: "PUBLISHING" }]);
  for (const { facts } of story.moments) for (const fact of facts) running.fact(fact);
  running.fact(channelChanged("target-removed", CHANNEL, 1));
  expect(running.list()[0]?.facts.map(({ kind }) => kind)).toEqual(["ingest-started", "publisher-active"]);
});

test("a process that goes on shows the times that the one before it showed, also where the wall clock was set meanwhile", () => {
  const clock = new ManualClock();
  const [first, second] = [new Knowledge(clock), new Knowledge(clock)];
  const story = new Story([
    { kind: "status", targetId: 1, status: "PUBLISHING" },
    { kind: "status", targetId: 2, status: "FAIL" },
  ]);
  for (const moment of story.moments) first.take(moment);
  first.take({ facts: [], sample: story.lastSample });
  clock.advance(5_000);
  clock.wallMs += 400 * 86_400_000;
  second.resume(first);
  expect(second.live.live(CHANNEL)).toEqual(first.live.live(CHANNEL));
  clock.wallMs -= 86_400_000;
  expect(second.live.live(CHANNEL)).toEqual(first.live.live(CHANNEL));
});

test("history goes on without counting what was counted before", () => {
  const recorder = new HistoryRecorder({ block: () => undefined, began: () => undefined });
  const [started] = new Story([]).moments;
  for (const fact of started?.facts ?? []) recorder.fact(fact, 0);
  recorder.resume(channelSample(CHANNEL, [targetSample(1, { droppedFrames: 50, retryCount: 3 })]));
  recorder.samples([channelSample(CHANNEL, [targetSample(1, { droppedFrames: 52, retryCount: 3 })])], 1_000);
  expect(recorder.running(CHANNEL, "second")?.targets).toMatchObject([{ drops: [2], retries: [0] }]);
});
