import { backoffDelayMs } from "../../../base/backoff.ts";
import { unreachable } from "../../../base/unreachable.ts";
import {
  type ConnectStatus,
  type TargetError,
  TargetErrorCode,
  type TargetStatus,
  type TargetWarning,
} from "../../../thread-protocol/targets/target-status.ts";
import type { LinkClose } from "../subscriber.ts";

type Failure = TargetError & { readonly time: number };

/**
 * A target's life. `attempt` counts the retries since it was last PUBLISHING; `…Time` is wall time, for people, and follows
 * a wall clock that is set; `…AtMs` is monotonic, for arithmetic.
 */
export type TargetState =
  /** Not needed: no encoder, or switched off. */
  | { readonly at: "ready"; readonly sinceTime: number }
  | { readonly at: "connecting"; readonly sinceTime: number; readonly attempt: number; readonly lastError?: Failure }
  | {
      readonly at: "publishing";
      readonly sinceTime: number;
      readonly attempt: number;
      readonly startedAtMs: number;
      readonly warning?: TargetWarning;
    }
  /** The link is open but takes nothing: FAIL, and PUBLISHING again at the first progress. */
  | {
      readonly at: "stalled";
      readonly sinceTime: number;
      readonly attempt: number;
      readonly startedAtMs: number;
      readonly lastError: Failure;
    }
  | {
      readonly at: "waiting";
      readonly sinceTime: number;
      readonly attempt: number;
      readonly nextRetryTime: number;
      readonly lastError: Failure;
    };

export type TargetInput =
  /** There is media for it: there is an encoder and the target is switched on. */
  | { readonly kind: "wanted" }
  | { readonly kind: "unwanted"; readonly how: LinkClose }
  /** Address, key or stream changed: start over at once. */
  | { readonly kind: "redial"; readonly how: LinkClose }
  | { readonly kind: "accepted" }
  /**
   * `isPathProven`: the link made no progress although its address accepts connections, so the next attempt may follow
   * at once.
   */
  | { readonly kind: "failed"; readonly error: TargetError; readonly isPathProven?: boolean }
  | { readonly kind: "retry-due" }
  | { readonly kind: "stalled"; readonly error: TargetError }
  /** A better reason for the same failure; the next retry stays as it is. */
  | { readonly kind: "blamed"; readonly error: TargetError }
  /** The retry that is due must wait for its turn. */
  | { readonly kind: "postponed"; readonly delayMs: number }
  | { readonly kind: "progressed" }
  /** Something is wrong; undefined: no longer. */
  | { readonly kind: "warned"; readonly warning: TargetWarning | undefined };

/** What the owner of the state must do, in this order. */
export type TargetEffect =
  | { readonly kind: "dial" }
  | { readonly kind: "leave-link"; readonly how: LinkClose }
  | { readonly kind: "start-retry-timer"; readonly delayMs: number }
  | { readonly kind: "cancel-retry-timer" };

export type TargetStep = { readonly next: TargetState; readonly effects: readonly TargetEffect[] };

/**
 * The time, in milliseconds, and the random number of a step. `clockStepMs`: by how much the wall clock was set since the
 * last step.
 */
export type StepContext = {
  readonly nowMs: number;
  readonly wallMs: number;
  readonly clockStepMs: number;
  readonly random: () => number;
};

/** After this long on air the next failure counts as the first. */
const HEALTHY_AFTER_MS = 30_000;
/** A refused key or login needs a person to correct it: one attempt a minute is enough. In milliseconds. */
const FATAL_RETRY_MS = 60_000;

/**
 * An attempt without any reply is no load for the platform, and a path that works again must be found within seconds.
 */
const UNANSWERED_BACKOFF = { baseMs: 1_000, capMs: 5_000 };

/**
 * The only place where a target's state changes. Returns the same state if the input has no meaning in it, and the wall
 * clock was not set.
 */
export function next(before: TargetState, input: TargetInput, context: StepContext): TargetStep {
  const state = context.clockStepMs === 0 ? before : movedBy(before, context.clockStepMs);
  const sinceTime = context.wallMs;
  switch (input.kind) {
    case "wanted":
      return state.at === "ready" ? dial({ at: "connecting", sinceTime, attempt: 0 }) : stay(state);
    case "unwanted":
      return state.at === "ready"
        ? stay(state)
        : { next: { at: "ready", sinceTime }, effects: leave(state, input.how) };
    case "redial":
      if (state.at === "ready") return stay(state);
      return {
        next: { at: "connecting", sinceTime, attempt: 0 },
        effects: [...leave(state, input.how), { kind: "dial" }],
      };
    case "accepted":
      if (state.at !== "connecting") return stay(state);
      return {
        next: { at: "publishing", sinceTime, attempt: state.attempt, startedAtMs: context.nowMs },
        effects: [],
      };
    case "failed":
      return fail(state, input.error, input.isPathProven === true, context);
    case "retry-due":
      if (state.at !== "waiting") return stay(state);
      return dial({ at: "connecting", sinceTime, attempt: state.attempt + 1, lastError: state.lastError });
    case "stalled": {
      if (state.at !== "publishing") return stay(state);
      const { attempt, startedAtMs } = state;
      const lastError = { ...input.error, time: context.wallMs };
      return { next: { at: "stalled", sinceTime, attempt, startedAtMs, lastError }, effects: [] };
    }
    case "blamed":
      if (state.at !== "stalled" && state.at !== "waiting") return stay(state);
      if (state.lastError.message === input.error.message) return stay(state);
      return { next: { ...state, lastError: { ...input.error, time: context.wallMs } }, effects: [] };
    case "postponed":
      if (state.at !== "waiting") return stay(state);
      return { next: { ...state, nextRetryTime: context.wallMs + input.delayMs }, effects: [] };
    case "progressed": {
      if (state.at !== "stalled") return stay(state);
      const { attempt, startedAtMs } = state;
      return { next: { at: "publishing", sinceTime, attempt, startedAtMs }, effects: [] };
    }
    case "warned": {
      if (state.at !== "publishing" || state.warning === input.warning) return stay(state);
      const { warning: _, ...rest } = state;
      return { next: input.warning === undefined ? rest : { ...rest, warning: input.warning }, effects: [] };
    }
    default:
      return unreachable(input);
  }
}

/** As long ago, and as long from now, by a wall clock that was set. */
function movedBy(state: TargetState, stepMs: number): TargetState {
  const sinceTime = state.sinceTime + stepMs;
  const movedError = (error: Failure) => ({ ...error, time: error.time + stepMs });
  switch (state.at) {
    case "ready":
    case "publishing":
      return { ...state, sinceTime };
    case "connecting":
      return state.lastError === undefined
        ? { ...state, sinceTime }
        : { ...state, sinceTime, lastError: movedError(state.lastError) };
    case "stalled":
      return { ...state, sinceTime, lastError: movedError(state.lastError) };
    case "waiting": {
      const nextRetryTime = state.nextRetryTime + stepMs;
      return { ...state, sinceTime, nextRetryTime, lastError: movedError(state.lastError) };
    }
    default:
      return unreachable(state);
  }
}

function fail(state: TargetState, error: TargetError, isPathProven: boolean, context: StepContext): TargetStep {
  if (state.at === "ready" || state.at === "waiting") return stay(state);
  const wasHealthy =
    (state.at === "publishing" || state.at === "stalled") && context.nowMs - state.startedAtMs >= HEALTHY_AFTER_MS;
  const attempt = wasHealthy || isPathProven ? 0 : state.attempt;
  const delayMs = retryDelayMs(error, attempt, context.random);
  return {
    next: {
      at: "waiting",
      sinceTime: state.at === "stalled" ? state.sinceTime : context.wallMs,
      attempt,
      nextRetryTime: context.wallMs + delayMs,
      lastError: { ...error, time: context.wallMs },
    },
    effects: [{ kind: "start-retry-timer", delayMs }],
  };
}

function retryDelayMs({ code, severity }: TargetError, attempt: number, random: () => number): number {
  if (severity === "fatal") return FATAL_RETRY_MS;
  return code === TargetErrorCode.TcpTimeout
    ? backoffDelayMs(attempt, random, UNANSWERED_BACKOFF)
    : backoffDelayMs(attempt, random);
}

function dial(state: TargetState): TargetStep {
  return { next: state, effects: [{ kind: "dial" }] };
}

function stay(state: TargetState): TargetStep {
  return { next: state, effects: [] };
}

function leave(state: TargetState, how: LinkClose): TargetEffect[] {
  return state.at === "waiting" ? [{ kind: "cancel-retry-timer" }] : [{ kind: "leave-link", how }];
}

const STATUS: Readonly<Record<TargetState["at"], ConnectStatus>> = {
  ready: "READY",
  connecting: "CONNECTING",
  publishing: "PUBLISHING",
  stalled: "FAIL",
  waiting: "FAIL",
};

/** Returns the state as the API shows it. */
export function statusOf(state: TargetState): TargetStatus {
  return {
    status: STATUS[state.at],
    sinceTime: state.sinceTime,
    ...(state.at === "publishing" && state.warning !== undefined ? { warning: state.warning } : {}),
    ...("lastError" in state && state.lastError !== undefined ? { lastError: state.lastError } : {}),
    ...(state.at === "waiting" ? { nextRetryTime: state.nextRetryTime } : {}),
    ...(state.at === "waiting" ? { retryAttempt: state.attempt + 1 } : {}),
    ...(state.at === "connecting" && state.attempt > 0 ? { retryAttempt: state.attempt } : {}),
  };
}
