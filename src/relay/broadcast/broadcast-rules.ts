import { FREEZE_TIMES, type FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { type Publisher, SILENT_AFTER_MS } from "../publisher/publisher.ts";
import { type BroadcastState, type Hold, holdOf, isFinal } from "./broadcast-state.ts";

/** What is judged of a channel's publishers, by the clock that stands while no encoder could be heard. */

/**
 * A connection without media for this long is dead, in milliseconds: the next encoder with its key replaces it, and
 * that does not count as a takeover.
 */
export const DEAD_AFTER_MS = FREEZE_TIMES.mediaSeconds * 1_000;
/** A frozen connection is closed after this many times the time that counts as frozen. */
const CLOSED_AFTER = 2;
/** The main encoder goes on air again after this long without a gap, in milliseconds. */
const RETURN_AFTER_MS = 30_000;
/** A connected encoder that is not on air gets this long for its keyframe, whatever the hold, in milliseconds. */
const HEIR_WAIT_MS = 10_000;
/** How often filler is sent, in milliseconds. */
const FILLER_STEP_MS = 100;
/** A publisher is checked at least this often, in milliseconds. */
const LOOK_MS = 1_000;

/**
 * Whether a connected publisher counts as lost: no media for longer than the channel allows, and for longer than its
 * own pace explains. A publisher that has sent nothing at all yet has its session's own deadline.
 */
export function hasFrozen(publisher: Publisher, awakeMs: number, times: FreezeTimes): boolean {
  return publisher.hasBegun && publisher.silentMs(awakeMs) >= frozenAfterMs(publisher, times);
}

/**
 * Whether it has been frozen for so long that its connection should be closed: its encoder may come back over another one. A
 * source does not come back by itself. What plays it notices its silence, and goes on with the next file or connects anew.
 */
export function isGivenUp(publisher: Publisher, awakeMs: number, times: FreezeTimes): boolean {
  if (publisher.description.sourceKind !== undefined) return false;
  return publisher.hasBegun && publisher.silentMs(awakeMs) >= CLOSED_AFTER * frozenAfterMs(publisher, times);
}

function frozenAfterMs(publisher: Publisher, { mediaSeconds }: FreezeTimes): number {
  return Math.max(mediaSeconds * 1_000, publisher.missedAfterMs);
}

/**
 * Whether a publisher whose stream could begin with this frame may go on air now: a newcomer always; the other key's publisher
 * when the one on air is silent or a test pattern; the main one also when it has been healthy for long enough.
 */
export function mayGoOnAir(state: BroadcastState<Publisher>, publisher: Publisher, awakeMs: number): boolean {
  if (state.at !== "live" || state.publisher.slot === publisher.slot) return true;
  if (state.publisher.isTestPattern || state.publisher.isSilent(awakeMs)) return true;
  return publisher.slot === "main" && publisher.healthyMs(awakeMs) >= RETURN_AFTER_MS;
}

/**
 * The other key's publisher, once it and the one on air have sent a frame: before that, headers may still come. Nothing
 * stands by for a test pattern: every encoder takes over from it.
 */
export function standbyOf(
  state: BroadcastState<Publisher>,
  publishers: readonly Publisher[],
  awakeMs: number,
): Publisher | undefined {
  if (state.at !== "live" || state.publisher.isTestPattern || state.publisher.framesForMs(awakeMs) === undefined)
    return undefined;
  return publishers.find(
    (publisher) => publisher.slot !== state.publisher.slot && publisher.framesForMs(awakeMs) !== undefined,
  );
}

/** Whether filler replaces the missing media. A lost encoder has no pace of its own: nothing comes from it. */
export function isMissed(state: BroadcastState<Publisher>, awakeMs: number): boolean {
  if (state.at === "live") return state.publisher.isSilent(awakeMs);
  const hold = holdOf(state);
  return hold !== undefined && hold.lost.silentMs(awakeMs) >= SILENT_AFTER_MS;
}

/**
 * When to check the publisher again, in milliseconds: soon while filler is sent, else when it may have become silent.
 */
export function nextLookMs(publisher: Publisher, isFilling: boolean, awakeMs: number): number {
  if (isFilling) return FILLER_STEP_MS;
  return Math.max(FILLER_STEP_MS, Math.min(LOOK_MS, SILENT_AFTER_MS - publisher.silentMs(awakeMs)));
}

/**
 * When a hold ends: after its time, which is zero after a final end, but not before every connected publisher had its
 * chance.
 */
export function holdEndMs(hold: Hold<Publisher>, holdSeconds: number, connected: readonly Publisher[]): number {
  const heirs = connected.filter((publisher) => publisher !== hold.lost);
  const ownMs = hold.sinceAwakeMs + (isFinal(hold.end) ? 0 : holdSeconds * 1_000 + hold.extendedMs);
  return Math.max(ownMs, ...heirs.map((heir) => Math.max(heir.openedMs, hold.sinceAwakeMs) + HEIR_WAIT_MS));
}
