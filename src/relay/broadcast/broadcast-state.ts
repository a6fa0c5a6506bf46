import { unreachable } from "../../base/unreachable.ts";
import type { Fact, IngestEnd } from "../../thread-protocol/facts.ts";
import { HOLD_EXTENSION_MS, HOLD_MS_MAX } from "../../thread-protocol/hold-limits.ts";
import type { LinkClose } from "../subscriber/subscriber.ts";

/** The encoder on air is lost and the targets are held. */
export type Hold<Publisher> = {
  readonly sinceMs: number;
  /** The same moment on `awakeNow()`, which stands still while no encoder could be heard. */
  readonly sinceAwakeMs: number;
  /** By how much a person extended this hold, in milliseconds. */
  readonly extendedMs: number;
  readonly lost: Publisher;
  /** How the lost encoder ended. */
  readonly end: IngestEnd;
};

/** A channel's broadcast life. `Publisher` is only compared. */
export type BroadcastState<Publisher> =
  | { readonly at: "off" }
  | { readonly at: "live"; readonly publisher: Publisher }
  /** The encoder's connection is gone. */
  | ({ readonly at: "held" } & Hold<Publisher>)
  /** The encoder is connected but has sent no media for a while. */
  | ({ readonly at: "frozen" } & Hold<Publisher>);

export type BroadcastEvent<Publisher> =
  /** This publisher feeds the targets from now on: the first of a broadcast, or one that takes over. */
  | { readonly kind: "on-air"; readonly publisher: Publisher }
  /** The connection of a publisher is gone. `hasHeir`: others are connected. */
  | { readonly kind: "left"; readonly publisher: Publisher; readonly end: IngestEnd; readonly hasHeir: boolean }
  /** The publisher on air is connected but has sent no media for a while. */
  | { readonly kind: "froze"; readonly hasHeir: boolean }
  | { readonly kind: "hold-expired" }
  /** A person extends the hold, or ends it. */
  | { readonly kind: "hold-extended" }
  | { readonly kind: "hold-ended" }
  /** The broadcast is ended from outside: by a person, with the channel, or with the process. */
  | { readonly kind: "ended"; readonly end: IngestEnd; readonly how: LinkClose };

/** What the owner of the state must do, in this order, once the new state is in place. */
export type BroadcastEffect<Publisher> =
  | { readonly kind: "fact"; readonly publisher: Publisher; readonly fact: PublisherFact }
  /** The targets are held from now on. */
  | { readonly kind: "begin-hold" }
  /** Another publisher may be the standby now. */
  | { readonly kind: "update-standby" }
  /** The broadcast is over. `last`: the publisher on air, or the lost one. `dismisses`: whose connections to close. */
  | {
      readonly kind: "stop";
      readonly last: Publisher;
      readonly end: IngestEnd;
      readonly how: LinkClose;
      readonly dismisses: "all" | "last" | "none";
    };

export type BroadcastStep<Publisher> = {
  readonly next: BroadcastState<Publisher>;
  readonly effects: readonly BroadcastEffect<Publisher>[];
};

/** What a step depends on besides state and event. `hasStarted`: targets got some of this broadcast. */
export type BroadcastContext = {
  readonly nowMs: number;
  readonly awakeMs: number;
  readonly holdSeconds: number;
  readonly hasStarted: boolean;
};

/** A fact about one publisher, without the fields that every such fact has. */
export type PublisherFact =
  Extract<Fact, { readonly ingestId: number }> extends infer Each
    ? Each extends Fact
      ? Omit<Each, "time" | "channelId" | "ingestId" | "slot">
      : never
    : never;

/** The state's name in samples. */
export const STATES = { off: "ENDED", live: "LIVE", held: "HELD", frozen: "HELD" } as const;

/** The hold of a state; undefined where no hold runs. */
export function holdOf<P>(state: BroadcastState<P>): Hold<P> | undefined {
  return state.at === "held" || state.at === "frozen" ? state : undefined;
}

/** The publisher on air, or the lost one; undefined while off. */
export function lastOf<P>(state: BroadcastState<P>): P | undefined {
  return state.at === "live" ? state.publisher : holdOf(state)?.lost;
}

/** Ends after which nothing more comes. */
const STOPS: readonly IngestEnd[] = ["clean", "test-pattern-over"];

/** Whether an encoder that ended this way does not come back: it stopped, or it left because the process stops. */
export function isFinal(end: IngestEnd): boolean {
  return STOPS.includes(end) || end === "shutdown";
}

/** How targets are left after the last encoder: only a clean stop ends the broadcast on the platforms too. */
function closeAfter(end: IngestEnd): LinkClose {
  return STOPS.includes(end) ? "end" : "cut";
}

/** The only place where a broadcast's state changes. An event without a meaning in a state leaves it as it is. */
export function next<P>(
  state: BroadcastState<P>,
  event: BroadcastEvent<P>,
  context: BroadcastContext,
): BroadcastStep<P> {
  const hold = holdOf(state);
  switch (event.kind) {
    case "on-air": {
      const heldMs = hold === undefined ? 0 : Math.round(context.nowMs - hold.sinceMs);
      const { publisher } = event;
      return {
        next: { at: "live", publisher },
        effects: [factEffect(publisher, { kind: "publisher-active", heldMs })],
      };
    }
    case "left":
      return lastOf(state) === event.publisher ? lose(state, event, context) : loseOther(state, event);
    case "froze": {
      if (state.at !== "live") return stay(state);
      const isHeld = context.holdSeconds > 0 || event.hasHeir;
      if (isHeld) return beginHold("frozen", state.publisher, "frozen", context);
      return stop(state.publisher, "frozen", closeAfter("frozen"), "last");
    }
    case "hold-expired":
      if (hold === undefined) return stay(state);
      return stop(hold.lost, isFinal(hold.end) ? hold.end : "hold-expired", closeAfter(hold.end), "all");
    case "hold-extended":
      return { next: extended(state, context.holdSeconds), effects: [] };
    case "hold-ended":
      return hold === undefined ? stay(state) : stop(hold.lost, "ended", "end", "all");
    case "ended": {
      const last = lastOf(state);
      return last === undefined ? stay(state) : stop(last, event.end, event.how, "all");
    }
    default:
      return unreachable(event);
  }
}

type Left<P> = Extract<BroadcastEvent<P>, { kind: "left" }>;

/** The publisher on air, or the frozen one, is gone. */
function lose<P>(state: BroadcastState<P>, event: Left<P>, context: BroadcastContext): BroadcastStep<P> {
  const { publisher, end, hasHeir } = event;
  // A publisher that is about to go on air keeps the broadcast alive, whatever the hold.
  if (!hasHeir && (isFinal(end) || context.holdSeconds === 0 || !context.hasStarted)) {
    return stop(publisher, end, closeAfter(end), "none");
  }
  const ended = factEffect(publisher, { kind: "ingest-ended", end, isBroadcastOver: false });
  // The hold of a frozen publisher goes on.
  if (state.at === "frozen") return { next: { ...state, at: "held" }, effects: [ended] };
  const held = beginHold("held", publisher, end, context);
  return { ...held, effects: [ended, ...held.effects] };
}

/** A publisher that is not on air is gone. */
function loseOther<P>(state: BroadcastState<P>, { publisher, end, hasHeir }: Left<P>): BroadcastStep<P> {
  const effects: BroadcastEffect<P>[] = [
    factEffect(publisher, { kind: "ingest-ended", end, isBroadcastOver: false }),
    { kind: "update-standby" },
  ];
  const hold = holdOf(state);
  if (hold === undefined || !isFinal(hold.end) || hasHeir) return { next: state, effects };
  // After a clean stop, or at the process's end, the hold waited for this publisher only.
  const stopped = stop(hold.lost, hold.end, closeAfter(hold.end), "none");
  return { ...stopped, effects: [...effects, ...stopped.effects] };
}

function beginHold<P>(
  at: "held" | "frozen",
  lost: P,
  end: IngestEnd,
  { nowMs, awakeMs, holdSeconds }: BroadcastContext,
): BroadcastStep<P> {
  return {
    next: { at, sinceMs: nowMs, sinceAwakeMs: awakeMs, extendedMs: 0, lost, end },
    effects: [factEffect(lost, { kind: "ingest-held", end, holdSeconds }), { kind: "begin-hold" }],
  };
}

function stop<P>(last: P, end: IngestEnd, how: LinkClose, dismisses: "all" | "last" | "none"): BroadcastStep<P> {
  return { next: { at: "off" }, effects: [{ kind: "stop", last, end, how, dismisses }] };
}

/** The state with its hold extended once more, up to the limit. A final end has no hold to extend. */
function extended<P>(state: BroadcastState<P>, holdSeconds: number): BroadcastState<P> {
  if ((state.at !== "held" && state.at !== "frozen") || isFinal(state.end)) return state;
  const extendedMs = state.extendedMs + HOLD_EXTENSION_MS;
  return holdSeconds * 1_000 + extendedMs > HOLD_MS_MAX ? state : { ...state, extendedMs };
}

function factEffect<P>(publisher: P, fact: PublisherFact): BroadcastEffect<P> {
  return { kind: "fact", publisher, fact };
}

function stay<P>(state: BroadcastState<P>): BroadcastStep<P> {
  return { next: state, effects: [] };
}
