import type { ChannelSpec, TargetId } from "./channel-spec.ts";

/** The name of a test pattern where an encoder's name is shown. */
export const TEST_PATTERN_NAME = "Fanfare test pattern";

/** Control thread to media thread: send the built-in clip as this channel's encoder until `endTime`. Holds secrets: never log it. */
export type TestPatternRequest = {
  readonly kind: "test-pattern";
  readonly spec: ChannelSpec;
  /** When it ends by itself, milliseconds since the Unix epoch. */
  readonly endTime: number;
  /** How long it runs at most, in milliseconds. */
  readonly forMs: number;
  /** The targets that get it, if they are on; absent: all that are on. */
  readonly targetIds?: readonly TargetId[];
};

/**
 * `on-air`: a broadcast or its hold runs, and is not interrupted. `overloaded`: this server takes no new channel now.
 */
export type TestPatternResult = "started" | "on-air" | "overloaded";

export type TestPatternReply = { readonly kind: "test-pattern"; readonly result: TestPatternResult };
