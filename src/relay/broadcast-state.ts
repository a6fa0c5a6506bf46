import type { Fact, IngestEnd } from "../thread-protocol/facts.ts";
import { FREEZE_TIMES, type FreezeTimes } from "../thread-protocol/freeze-times.ts";
import { HOLD_EXTENSION_MS, HOLD_MS_MAX } from "../thread-protocol/hold-limits.ts";
import { type Publisher, SILENT_AFTER_MS } from "./publisher/publisher.ts";
import type { LinkClose } from "./subscriber/subscriber.ts";

/** Whether a channel is on air, and what feeds it. */
export type BroadcastState =
  | { readonly at: "off" }
  | { readonly at: "live"; readonly publisher: Publisher }
  /** The encoder is lost (or frozen: connected without media); targets are held. */
  | {
      readonly at: "held";
      readonly sinceMs: number;
      /** The same by the clock that stands while no encoder could be heard. */
      readonly sinceAwakeMs: number;
      /** By how much a person extended this hold, in milliseconds. */
      readonly extendedMs: number;
      readonly lost: Publisher;
      readonly end: IngestEnd;
    };

/** The same, as samples tell it. */
export const STATES = { off: "ENDED", live: "LIVE", held: "HELD" } as const;

/** A connection without media for so long locks nobody out. */
export const DEAD_AFTER_MS = FREEZE_TIMES.mediaSeconds * 1_000;
/** Frozen for so many times the time that counts as frozen: its connection is closed. */
const CLOSED_AFTER = 2;
/** The main encoder is gone back to after so long without a gap. */
const RETURN_AFTER_MS = 30_000;
/** An encoder that waits in the wings gets so long for its keyframe, whatever the hold. */
const HEIR_WAIT_MS = 10_000;
const FILLER_STEP_MS = 100;
/** How often an encoder that is well is looked at, at least. */
const LOOK_MS = 1_000;

/**
 * Connected without media for longer than the channel allows, and than this encoder is slow: it counts as lost. An encoder that sent nothing
 * at all yet has its session's own deadline.
 */
export function hasFrozen(publisher: Publisher, awakeMs: number, { mediaSeconds }: FreezeTimes): boolean {
  return publisher.hasBegun && publisher.silentMs(awakeMs) >= Math.max(mediaSeconds * 1_000, publisher.missedAfterMs);
}

/** … and for so long that nobody waits for it any more. */
export function isGivenUp(publisher: Publisher, awakeMs: number, { mediaSeconds }: FreezeTimes): boolean {
  return (
    publisher.hasBegun &&
    publisher.silentMs(awakeMs) >= CLOSED_AFTER * Math.max(mediaSeconds * 1_000, publisher.missedAfterMs)
  );
}

/**
 * Whether a feed that could begin with this very frame may go on air now: a newcomer always, the other key's encoder when the one
 * on air is silent, the main one's also when it has been well for long enough.
 */
export function mayGoOnAir(air: BroadcastState, publisher: Publisher, awakeMs: number): boolean {
  if (air.at !== "live" || air.publisher.slot === publisher.slot) return true;
  if (air.publisher.isSilent(awakeMs)) return true;
  return publisher.slot === "main" && publisher.healthyMs(awakeMs) >= RETURN_AFTER_MS;
}

/** The other key's encoder, once it and the one on air have shown a frame: before, headers may be on their way. */
export function standbyOf(
  air: BroadcastState,
  publishers: readonly Publisher[],
  awakeMs: number,
): Publisher | undefined {
  if (air.at !== "live" || air.publisher.framesForMs(awakeMs) === undefined) return undefined;
  return publishers.find(
    (publisher) => publisher.slot !== air.publisher.slot && publisher.framesForMs(awakeMs) !== undefined,
  );
}

/** Whether filler is to stand for what does not come. Slow is who is connected: of who is gone nothing comes. */
export function isMissed(air: Exclude<BroadcastState, { at: "off" }>, awakeMs: number): boolean {
  return air.at === "live" ? air.publisher.isSilent(awakeMs) : air.lost.silentMs(awakeMs) >= SILENT_AFTER_MS;
}

/** In how long an encoder is looked at next: soon while filler is sent, else when it may have become silent. */
export function nextLookMs(publisher: Publisher, isFilling: boolean, awakeMs: number): number {
  if (isFilling) return FILLER_STEP_MS;
  return Math.max(FILLER_STEP_MS, Math.min(LOOK_MS, SILENT_AFTER_MS - publisher.silentMs(awakeMs)));
}

/** Whether nobody waits for an encoder that ended so: it stopped, or it left because the process stops. */
export function isFinal(end: IngestEnd): boolean {
  return end === "clean" || end === "shutdown";
}

/** How targets are left behind the last encoder: only a clean stop is the end to the platforms too. */
export function closeAfter(end: IngestEnd): LinkClose {
  return end === "clean" ? "end" : "cut";
}

/** When a hold ends, by the clock that stands while no encoder could be heard: after its time, of which a final end has none, but not before every heir had its chance. */
export function holdEndMs(
  held: BroadcastState & { readonly at: "held" },
  holdSeconds: number,
  connected: readonly Publisher[],
): number {
  const heirs = connected.filter((publisher) => publisher !== held.lost);
  const ownMs = held.sinceAwakeMs + (isFinal(held.end) ? 0 : holdSeconds * 1_000 + held.extendedMs);
  return Math.max(ownMs, ...heirs.map((heir) => Math.max(heir.openedMs, held.sinceAwakeMs) + HEIR_WAIT_MS));
}

/** The state with its hold extended once more; the same state where there is no hold to extend, or no more of it. */
export function extended(air: BroadcastState, holdSeconds: number): BroadcastState {
  if (air.at !== "held" || isFinal(air.end)) return air;
  const extendedMs = air.extendedMs + HOLD_EXTENSION_MS;
  return holdSeconds * 1_000 + extendedMs > HOLD_MS_MAX ? air : { ...air, extendedMs };
}

/** A fact about one feed, without what every such fact has. */
export type PublisherFact =
  Extract<Fact, { readonly ingestId: number }> extends infer Each
    ? Each extends Fact
      ? Omit<Each, "time" | "channelId" | "ingestId" | "slot">
      : never
    : never;
