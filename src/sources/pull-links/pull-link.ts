import type { Writable } from "node:stream";
import type { PullVariant } from "../../control/channels/source.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import type { HlsPlace } from "./hls-segments.ts";

/** Where a source goes on that was left in its middle. */
export type PullPlace = HlsPlace;

/**
 * An open way to a source for one run of FFmpeg. FFmpeg itself reaches nothing but this process: a local port, or its
 * own standard input.
 */
export type PullLink = {
  /** The source's checked address. */
  readonly address: string;
  /** FFmpeg's options up to and including its input. They hold no secret: every user of the machine can read them. */
  readonly input: readonly string[];
  /** FFmpeg's environment, beside the usual. */
  readonly env: Readonly<Record<string, string>>;
  /** How much a source of this kind may send ahead of its time, in milliseconds. */
  readonly aheadMs: number;
  /** Writes what FFmpeg reads at its standard input, and goes on doing so until the link is closed. */
  readonly feed: (stdin: Writable) => void;
  /** The stream that was chosen, where the source is a list of some. */
  readonly variant?: () => PullVariant | undefined;
  /** Whether FFmpeg leaves unread what the source sent, or never asked for it. */
  readonly isUnread: () => boolean;
  /** Whether nothing more comes this way, whatever FFmpeg asks for: another one has to begin. */
  readonly isOver?: () => boolean;
  /** Where the next one has to begin, if this one ends in the middle of what can be read from its beginning. */
  readonly place?: () => PullPlace | undefined;
  /** What went wrong on the way, if something did: it says more than FFmpeg's own words. */
  readonly failure: () => TargetError | undefined;
  /** Idempotent. */
  readonly close: () => void;
};
