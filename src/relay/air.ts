import type { Fact, IngestEnd } from "../exchange/facts.ts";
import { type Feed, SILENT_AFTER_MS } from "./feed.ts";
import type { LinkClose } from "./ports.ts";

/** Whether a channel is on air, and what feeds it. */
export type Air =
  | { readonly at: "off" }
  | { readonly at: "live"; readonly feed: Feed }
  /** The encoder is lost (or frozen: connected without media); targets are held. */
  | { readonly at: "held"; readonly sinceMs: number; readonly lost: Feed; readonly end: IngestEnd };

/** Connected, but no media: counts as lost. */
export const FROZEN_AFTER_MS = 5_000;
/** … and then its connection is closed. */
export const FROZEN_CLOSE_MS = 10_000;
/** The main encoder is gone back to after so long without a gap. */
const RETURN_AFTER_MS = 30_000;
/** An encoder that waits in the wings gets so long for its keyframe, whatever the hold. */
const HEIR_WAIT_MS = 10_000;

/** Connected without media for so long. An encoder that sent nothing at all yet has its session's own deadline. */
export function hasFrozen(feed: Feed, nowMs: number, afterMs: number): boolean {
  return feed.hasBegun && feed.silentMs(nowMs) >= afterMs;
}

/**
 * Whether a feed that could begin with this very frame may go on air now: a newcomer always, the other key's encoder when the one
 * on air is silent, the main one's also when it has been well for long enough.
 */
export function mayGoOnAir(air: Air, feed: Feed, nowMs: number): boolean {
  if (air.at !== "live" || air.feed.slot === feed.slot) return true;
  if (air.feed.silentMs(nowMs) >= SILENT_AFTER_MS) return true;
  return feed.slot === "main" && feed.healthyMs(nowMs) >= RETURN_AFTER_MS;
}

/** The other key's encoder, once it and the one on air have shown a frame: before, headers may be on their way. */
export function standbyOf(air: Air, feeds: readonly Feed[], nowMs: number): Feed | undefined {
  if (air.at !== "live" || air.feed.framesForMs(nowMs) === undefined) return undefined;
  return feeds.find((feed) => feed.slot !== air.feed.slot && feed.framesForMs(nowMs) !== undefined);
}

/** Whether nobody waits for an encoder that ended so: it stopped, or it left because the process stops. */
export function isFinal(end: IngestEnd): boolean {
  return end === "clean" || end === "shutdown";
}

/** How targets are left behind the last encoder: only a clean stop is the end to the platforms too. */
export function closeAfter(end: IngestEnd): LinkClose {
  return end === "clean" ? "end" : "cut";
}

/** When a hold ends: after its time, of which a final end has none, but not before every heir had its chance. */
export function holdEndMs(held: Air & { readonly at: "held" }, holdSeconds: number, heirs: readonly Feed[]): number {
  const ownMs = held.sinceMs + (isFinal(held.end) ? 0 : holdSeconds * 1_000);
  return Math.max(ownMs, ...heirs.map((heir) => Math.max(heir.openedMs, held.sinceMs) + HEIR_WAIT_MS));
}

/** A fact about one feed, without what every such fact has. */
export type FeedFact =
  Extract<Fact, { readonly ingestId: number }> extends infer Each
    ? Each extends Fact
      ? Omit<Each, "time" | "channelId" | "ingestId" | "slot">
      : never
    : never;
