import { expect, test } from "vitest";
import {
  type BroadcastContext,
  type BroadcastEvent,
  type BroadcastState,
  type BroadcastStep,
  lastOf,
  next,
  STATES,
} from "../../../src/relay/broadcast/broadcast-state.ts";
import type { IngestEnd } from "../../../src/thread-protocol/facts.ts";
import { HOLD_EXTENSION_MS, HOLD_MS_MAX } from "../../../src/thread-protocol/hold-limits.ts";

const NOW_MS = 5_000.4;
const AWAKE_MS = 4_000;
const CONTEXT: BroadcastContext = { nowMs: NOW_MS, awakeMs: AWAKE_MS, holdSeconds: 60, hasStarted: true };

const hold = (lost: string, end: IngestEnd) => ({
  ...{ sinceMs: 1_000, sinceAwakeMs: 900, extendedMs: 0, lost, end },
});

/** Every state, with a holding end and, where it matters, a final end. Publisher `a` is on air or lost. */
const FROM = {
  off: { at: "off" },
  live: { at: "live", publisher: "a" },
  held: { at: "held", ...hold("a", "connection-lost") },
  "held after a clean stop": { at: "held", ...hold("a", "clean") },
  frozen: { at: "frozen", ...hold("a", "frozen") },
} as const satisfies Readonly<Record<string, BroadcastState<string>>>;

const left = (publisher: string, end: IngestEnd, hasHeir: boolean): BroadcastEvent<string> => ({
  ...{ kind: "left", publisher, end, hasHeir },
});

/** Every event, in every form that the table distinguishes. */
const EVENTS = {
  "b goes on air": { kind: "on-air", publisher: "b" },
  "a is lost": left("a", "connection-lost", false),
  "a is lost, b is there": left("a", "connection-lost", true),
  "a stops": left("a", "clean", false),
  "a stops, b is there": left("a", "clean", true),
  "b is lost": left("b", "connection-lost", false),
  "b is lost, c is there": left("b", "connection-lost", true),
  froze: { kind: "froze", hasHeir: false },
  "froze, b is there": { kind: "froze", hasHeir: true },
  "hold expired": { kind: "hold-expired" },
  "hold extended": { kind: "hold-extended" },
  "hold ended": { kind: "hold-ended" },
  "ended by a person": { kind: "ended", end: "ended", how: "end" },
  "ended with the process": { kind: "ended", end: "shutdown", how: "cut" },
} as const satisfies Readonly<Record<string, BroadcastEvent<string>>>;

type Row = Readonly<Record<keyof typeof EVENTS, string>>;

/** The state after each event, and the effects in order; `=` where nothing changes and there is no effect. */
const TABLE: Readonly<Record<keyof typeof FROM, Row>> = {
  off: {
    "b goes on air": "live b: active b 0",
    "a is lost": "off: ended a connection-lost, standby",
    "a is lost, b is there": "off: ended a connection-lost, standby",
    "a stops": "off: ended a clean, standby",
    "a stops, b is there": "off: ended a clean, standby",
    "b is lost": "off: ended b connection-lost, standby",
    "b is lost, c is there": "off: ended b connection-lost, standby",
    froze: "=",
    "froze, b is there": "=",
    "hold expired": "=",
    "hold extended": "=",
    "hold ended": "=",
    "ended by a person": "=",
    "ended with the process": "=",
  },
  live: {
    "b goes on air": "live b: active b 0",
    "a is lost": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a is lost, b is there": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a stops": "off: stop a clean end none",
    "a stops, b is there": "held a clean: ended a clean, held a clean 60, hold",
    "b is lost": "live a: ended b connection-lost, standby",
    "b is lost, c is there": "live a: ended b connection-lost, standby",
    froze: "frozen a frozen: held a frozen 60, hold",
    "froze, b is there": "frozen a frozen: held a frozen 60, hold",
    "hold expired": "=",
    "hold extended": "=",
    "hold ended": "=",
    "ended by a person": "off: stop a ended end all",
    "ended with the process": "off: stop a shutdown cut all",
  },
  held: {
    "b goes on air": "live b: active b 4000",
    "a is lost": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a is lost, b is there": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a stops": "off: stop a clean end none",
    "a stops, b is there": "held a clean: ended a clean, held a clean 60, hold",
    "b is lost": "held a connection-lost: ended b connection-lost, standby",
    "b is lost, c is there": "held a connection-lost: ended b connection-lost, standby",
    froze: "=",
    "froze, b is there": "=",
    "hold expired": "off: stop a hold-expired cut all",
    "hold extended": "held a connection-lost +60:",
    "hold ended": "off: stop a ended end all",
    "ended by a person": "off: stop a ended end all",
    "ended with the process": "off: stop a shutdown cut all",
  },
  "held after a clean stop": {
    "b goes on air": "live b: active b 4000",
    "a is lost": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a is lost, b is there": "held a connection-lost: ended a connection-lost, held a connection-lost 60, hold",
    "a stops": "off: stop a clean end none",
    "a stops, b is there": "held a clean: ended a clean, held a clean 60, hold",
    "b is lost": "off: ended b connection-lost, standby, stop a clean end none",
    "b is lost, c is there": "held a clean: ended b connection-lost, standby",
    froze: "=",
    "froze, b is there": "=",
    "hold expired": "off: stop a clean end all",
    "hold extended": "=",
    "hold ended": "off: stop a ended end all",
    "ended by a person": "off: stop a ended end all",
    "ended with the process": "off: stop a shutdown cut all",
  },
  frozen: {
    "b goes on air": "live b: active b 4000",
    "a is lost": "held a frozen: ended a connection-lost",
    "a is lost, b is there": "held a frozen: ended a connection-lost",
    "a stops": "off: stop a clean end none",
    "a stops, b is there": "held a frozen: ended a clean",
    "b is lost": "frozen a frozen: ended b connection-lost, standby",
    "b is lost, c is there": "frozen a frozen: ended b connection-lost, standby",
    froze: "=",
    "froze, b is there": "=",
    "hold expired": "off: stop a hold-expired cut all",
    "hold extended": "frozen a frozen +60:",
    "hold ended": "off: stop a ended end all",
    "ended by a person": "off: stop a ended end all",
    "ended with the process": "off: stop a shutdown cut all",
  },
};

function nameOf(state: BroadcastState<string>): string {
  if (state.at === "off") return "off";
  if (state.at === "live") return `live ${state.publisher}`;
  return `${state.at} ${state.lost} ${state.end}${state.extendedMs === 0 ? "" : ` +${state.extendedMs / 1_000}`}`;
}

/** A step, written in the words of the table. */
function stepOf(state: BroadcastState<string>, event: BroadcastEvent<string>, context = CONTEXT): string {
  const step = next(state, event, context);
  if (step.next === state && step.effects.length === 0) return "=";
  const effects = step.effects.map((effect) => {
    if (effect.kind === "begin-hold") return "hold";
    if (effect.kind === "update-standby") return "standby";
    if (effect.kind === "stop") return `stop ${effect.last} ${effect.end} ${effect.how} ${effect.dismisses}`;
    const { fact, publisher } = effect;
    if (fact.kind === "publisher-active") return `active ${publisher} ${fact.heldMs}`;
    if (fact.kind === "ingest-held") return `held ${publisher} ${fact.end} ${fact.holdSeconds}`;
    return fact.kind === "ingest-ended" ? `ended ${publisher} ${fact.end}` : fact.kind;
  });
  return `${nameOf(step.next)}: ${effects.join(", ")}`.trimEnd();
}

test.each(Object.keys(FROM) as (keyof typeof FROM)[])("every event in %s leads where the table says", (from) => {
  const row = Object.fromEntries(Object.entries(EVENTS).map(([name, event]) => [name, stepOf(FROM[from], event)]));
  expect(row).toEqual(TABLE[from]);
});

test("a hold begins at the moment of the loss, by both clocks", () => {
  const { next: held } = next(FROM.live, EVENTS["a is lost"], CONTEXT);
  expect(held).toEqual({
    ...{ at: "held", sinceMs: NOW_MS, sinceAwakeMs: AWAKE_MS, extendedMs: 0, lost: "a", end: "connection-lost" },
  });
});

test("losing the last publisher ends the broadcast without a hold or before any media, and another publisher keeps it", () => {
  const over = "off: stop a connection-lost cut none";
  expect(stepOf(FROM.live, EVENTS["a is lost"], { ...CONTEXT, holdSeconds: 0 })).toBe(over);
  expect(stepOf(FROM.live, EVENTS["a is lost"], { ...CONTEXT, hasStarted: false })).toBe(over);
  expect(stepOf(FROM.live, EVENTS["a is lost, b is there"], { ...CONTEXT, holdSeconds: 0 })).toBe(
    "held a connection-lost: ended a connection-lost, held a connection-lost 0, hold",
  );
});

test("a frozen publisher is dismissed when there is no hold, unless another can go on", () => {
  const context = { ...CONTEXT, holdSeconds: 0 };
  expect(stepOf(FROM.live, EVENTS.froze, context)).toBe("off: stop a frozen cut last");
  expect(stepOf(FROM.live, EVENTS["froze, b is there"], context)).toBe("frozen a frozen: held a frozen 0, hold");
});

test("a hold is extended up to its limit and no further", () => {
  let state: BroadcastState<string> = FROM.held;
  let count = 0;
  for (;;) {
    const step: BroadcastStep<string> = next(state, EVENTS["hold extended"], CONTEXT);
    if (step.next === state) break;
    state = step.next;
    count += 1;
  }
  expect(count).toBe((HOLD_MS_MAX - 60_000) / HOLD_EXTENSION_MS);
});

test("the last publisher and the name in samples follow from the state", () => {
  expect(Object.values(FROM).map((state) => [lastOf<string>(state), STATES[state.at]])).toEqual([
    ...[[undefined, "ENDED"]],
    ...[["a", "LIVE"]],
    ...[["a", "HELD"]],
    ...[["a", "HELD"]],
    ...[["a", "HELD"]],
  ]);
});
