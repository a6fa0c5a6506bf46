import { expect, test } from "vitest";
import {
  next,
  type StepContext,
  statusOf,
  type TargetInput,
  type TargetState,
} from "../../../src/relay/subscriber/rtmp-push/target-state.ts";
import type { TargetError } from "../../../src/thread-protocol/targets/target-status.ts";
import { targetWarning } from "../../../src/thread-protocol/targets/target-warnings.ts";
import { BAD_KEY, REFUSED } from "../../support/stages/relay-stage.ts";

const TIMEOUT: TargetError = { ...REFUSED, code: "TCP_TIMEOUT", message: "no answer" };
const WALL_MS = 1_000_000;
const at = (nowMs: number): StepContext => ({ nowMs, wallMs: WALL_MS + nowMs, clockStepMs: 0, random: () => 1 });

/** The state after these inputs, each at its moment, with the effects of the last one. */
function after(...inputs: readonly (readonly [atMs: number, input: TargetInput])[]) {
  let state: TargetState = { at: "ready", sinceTime: 0 };
  let effects: readonly unknown[] = [];
  for (const [atMs, input] of inputs) ({ next: state, effects } = next(state, input, at(atMs)));
  return { state, effects };
}

const wanted = [0, { kind: "wanted" }] as const;
const accepted = (atMs: number) => [atMs, { kind: "accepted" }] as const;
const failed = (atMs: number, error = REFUSED) => [atMs, { kind: "failed", error }] as const;
const retryDue = (atMs: number) => [atMs, { kind: "retry-due" }] as const;

/** One state of each kind. */
const STATES = {
  ready: after(),
  connecting: after(wanted),
  publishing: after(wanted, accepted(1)),
  stalled: after(wanted, accepted(1), [2, { kind: "stalled", error: REFUSED }]),
  waiting: after(wanted, failed(1)),
} as const;

const INPUTS = {
  wanted: { kind: "wanted" },
  unwanted: { kind: "unwanted", how: "end" },
  redial: { kind: "redial", how: "cut" },
  accepted: { kind: "accepted" },
  failed: { kind: "failed", error: REFUSED },
  "retry-due": { kind: "retry-due" },
  stalled: { kind: "stalled", error: REFUSED },
  blamed: { kind: "blamed", error: TIMEOUT },
  postponed: { kind: "postponed", delayMs: 7 },
  progressed: { kind: "progressed" },
  warned: { kind: "warned", warning: targetWarning("no-media") },
} as const satisfies Record<string, TargetInput>;

/** The whole table: what each input makes of each state, with its effects; a dash: nothing at all. */
test.each([
  ["wanted", { ready: "connecting dial", connecting: "-", publishing: "-", stalled: "-", waiting: "-" }],
  [
    "unwanted",
    {
      ready: "-",
      connecting: "ready leave-link",
      publishing: "ready leave-link",
      stalled: "ready leave-link",
      waiting: "ready cancel-retry-timer",
    },
  ],
  [
    "redial",
    {
      ready: "-",
      connecting: "connecting leave-link dial",
      publishing: "connecting leave-link dial",
      stalled: "connecting leave-link dial",
      waiting: "connecting cancel-retry-timer dial",
    },
  ],
  ["accepted", { ready: "-", connecting: "publishing", publishing: "-", stalled: "-", waiting: "-" }],
  [
    "failed",
    {
      ready: "-",
      connecting: "waiting start-retry-timer",
      publishing: "waiting start-retry-timer",
      stalled: "waiting start-retry-timer",
      waiting: "-",
    },
  ],
  ["retry-due", { ready: "-", connecting: "-", publishing: "-", stalled: "-", waiting: "connecting dial" }],
  ["stalled", { ready: "-", connecting: "-", publishing: "stalled", stalled: "-", waiting: "-" }],
  ["blamed", { ready: "-", connecting: "-", publishing: "-", stalled: "stalled", waiting: "waiting" }],
  ["postponed", { ready: "-", connecting: "-", publishing: "-", stalled: "-", waiting: "waiting" }],
  ["progressed", { ready: "-", connecting: "-", publishing: "-", stalled: "publishing", waiting: "-" }],
  ["warned", { ready: "-", connecting: "-", publishing: "publishing", stalled: "-", waiting: "-" }],
] as const)("%s", (input, expected) => {
  for (const [from, { state }] of Object.entries(STATES)) {
    const step = next(state, INPUTS[input], at(10));
    const outcome = step.next === state ? "-" : [step.next.at, ...step.effects.map(({ kind }) => kind)].join(" ");
    expect([from, outcome]).toEqual([from, expected[state.at]]);
  }
});

test("retries wait 1, 2, 4, 8, 16 s and then 30, 5 s at most where the peer does not answer, 60 s for what a person must correct", () => {
  const delays = (error: TargetError, count: number) => {
    let state = STATES.connecting.state;
    return Array.from({ length: count }, () => {
      const step = next(state, { kind: "failed", error }, at(0));
      state = next(step.next, { kind: "retry-due" }, at(0)).next;
      return step.effects.map((effect) => effect.kind === "start-retry-timer" && effect.delayMs)[0];
    });
  };
  expect(delays(REFUSED, 7)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(delays(TIMEOUT, 5)).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(delays(BAD_KEY, 3)).toEqual([60_000, 60_000, 60_000]);
});

test.each([
  { onAirMs: 29_999, delayMs: 2_000 },
  { onAirMs: 30_000, delayMs: 1_000 },
])("after $onAirMs ms on air the next failure waits $delayMs ms", ({ onAirMs, delayMs }) => {
  const second = after(wanted, failed(0), retryDue(1_000), accepted(2_000), failed(2_000 + onAirMs));
  expect(second.effects).toEqual([{ kind: "start-retry-timer", delayMs }]);
});

test("a link that is given up on a path that answers is dialled again without delay the first time", () => {
  const error = REFUSED;
  const proven = after(wanted, failed(0), retryDue(1), accepted(2), [3, { kind: "failed", error, isPathProven: true }]);
  expect(proven.effects).toEqual([{ kind: "start-retry-timer", delayMs: 1_000 }]);
});

test("the API shows each state's status, reason, retries and warning", () => {
  const warning = targetWarning("no-media");
  expect(statusOf(STATES.connecting.state)).toEqual({ status: "CONNECTING", sinceTime: WALL_MS });
  expect(statusOf(after(wanted, accepted(5), [6, { kind: "warned", warning }]).state)).toEqual({
    ...{ status: "PUBLISHING", sinceTime: WALL_MS + 5, warning },
  });
  const lastError = { ...REFUSED, time: WALL_MS + 10 };
  expect(statusOf(after(wanted, failed(10)).state)).toEqual({
    ...{ status: "FAIL", sinceTime: WALL_MS + 10, lastError, nextRetryTime: WALL_MS + 1_010, retryAttempt: 1 },
  });
  expect(statusOf(after(wanted, failed(10), retryDue(1_010)).state)).toEqual({
    ...{ status: "CONNECTING", sinceTime: WALL_MS + 1_010, lastError, retryAttempt: 1 },
  });
});

test("a stall that becomes a failure has failed since the stall", () => {
  const { state } = after(wanted, accepted(1), [50, { kind: "stalled", error: REFUSED }], failed(9_000, TIMEOUT));
  expect(statusOf(state)).toMatchObject({
    status: "FAIL",
    sinceTime: WALL_MS + 50,
    lastError: { code: "TCP_TIMEOUT" },
  });
});

test("the times of every state follow a wall clock that was set, whatever comes next", () => {
  const stepMs = -86_400_000;
  for (const { state } of Object.values(STATES)) {
    for (const input of Object.values(INPUTS)) {
      const unset = next(state, input, at(5));
      const set = next(state, input, { ...at(5), wallMs: WALL_MS + 5 + stepMs, clockStepMs: stepMs });
      expect(set.effects).toEqual(unset.effects);
      expect(timesOf(set.next)).toEqual(timesOf(unset.next).map((time) => time + stepMs));
    }
  }
});

const timesOf = (state: TargetState): number[] => {
  const { sinceTime, lastError, nextRetryTime } = statusOf(state);
  return [sinceTime, lastError?.time, nextRetryTime].filter((time) => time !== undefined);
};
