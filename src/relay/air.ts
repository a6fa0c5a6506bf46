import type { Fact, IngestEnd } from "../exchange/facts.ts";
import { FREEZE_TIMES, type FreezeTimes } from "../exchange/freeze-times.ts";
import { type Feed, SILENT_AFTER_MS } from "./feed.ts";
import type { LinkClose } from "./ports.ts";

/** Whether a channel is on air, and what feeds it. */
export type Air =
  | { readonly at: "off" }
  | { readonly at: "live"; readonly feed: Feed }
  /** The encoder is lost (or frozen: connected without media); targets are held. */
  | {
      readonly at: "held";
      readonly sinceMs: number;
      /** The same by the clock that stands while no encoder could be heard. */
      readonly sinceAwakeMs: number;
      readonly lost: Feed;
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

/**
 * Connected without media for longer than the channel allows, and than this encoder is slow: it counts as lost. An encoder that sent nothing
 * at all yet has its session's own deadline.
 */
export function hasFrozen(feed: Feed, awakeMs: number, { mediaSeconds }: FreezeTimes): boolean {
  return feed.hasBegun && feed.silentMs(awakeMs) >= Math.max(mediaSeconds * 1_000, feed.missedAfterMs);
}

/** … and for so long that nobody waits for it any more. */
export function isGivenUp(feed: Feed, awakeMs: number, { mediaSeconds }: FreezeTimes): boolean {
  return feed.hasBegun && feed.silentMs(awakeMs) >= CLOSED_AFTER * Math.max(mediaSeconds * 1_000, feed.missedAfterMs);
}

/**
 * Whether a feed that could begin with this very frame may go on air now: a newcomer always, the other key's encoder when the one
 * on air is silent, the main one's also when it has been well for long enough.
 */
export function mayGoOnAir(air: Air, feed: Feed, awakeMs: number): boolean {
  if (air.at !== "live" || air.feed.slot === feed.slot) return true;
  if (air.feed.isSilent(awakeMs)) return true;
  return feed.slot === "main" && feed.healthyMs(awakeMs) >= RETURN_AFTER_MS;
}

/** The other key's encoder, once it and the one on air have shown a frame: before, headers may be on their way. */
export function standbyOf(air: Air, feeds: readonly Feed[], awakeMs: number): Feed | undefined {
  if (air.at !== "live" || air.feed.framesForMs(awakeMs) === undefined) return undefined;
  return feeds.find((feed) => feed.slot !== air.feed.slot && feed.framesForMs(awakeMs) !== undefined);
}

/** Whether filler is to stand for what does not come. Slow is who is connected: of who is gone nothing comes. */
export function isMissed(air: Exclude<Air, { at: "off" }>, awakeMs: number): boolean {
  return air.at === "live" ? air.feed.isSilent(awakeMs) : air.lost.silentMs(awakeMs) >= SILENT_AFTER_MS;
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
export function holdEndMs(held: Air & { readonly at: "held" }, holdSeconds: number, heirs: readonly Feed[]): number {
  const ownMs = held.sinceAwakeMs + (isFinal(held.end) ? 0 : holdSeconds * 1_000);
  return Math.max(ownMs, ...heirs.map((heir) => Math.max(heir.openedMs, held.sinceAwakeMs) + HEIR_WAIT_MS));
}

/** A fact about one feed, without what every such fact has. */
export type FeedFact =
  Extract<Fact, { readonly ingestId: number }> extends infer Each
    ? Each extends Fact
      ? Omit<Each, "time" | "channelId" | "ingestId" | "slot">
      : never
    : never;
