import type { ChannelId, ChannelSpec } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSource, SourceReason, SourceStatus } from "../channels/source.ts";

/** A source that begins to play. */
export type SourceStart = {
  readonly channelId: ChannelId;
  readonly source: ChannelSource;
  /** The first file to play, counted from 0. */
  readonly position: number;
  /** Where in that file it begins, in milliseconds. Absent: at its beginning. */
  readonly offsetMs?: number;
  /** Finds the channel's spec. Rejects where the channel may not begin now. */
  readonly read: () => Promise<ChannelSpec>;
};

/** Plays sources into channels, as their encoders. */
export interface SourcePlayer {
  /** Whether FFmpeg is there. */
  readonly isAvailable: boolean;
  /**
   * Begins. A source of the channel that plays already gives way: within the same stream where that has the new one's
   * form, else it is stopped first. What becomes of it shows in the status.
   */
  start(start: SourceStart): void;
  /** The playlist changed while it plays: it goes on behind the present file. */
  update(channelId: ChannelId, source: ChannelSource): void;
  /** Ends it like an encoder that stops streaming. Resolves when FFmpeg is gone. */
  stop(channelId: ChannelId, reason: SourceReason): Promise<void>;
  status(channelId: ChannelId): SourceStatus | undefined;
}

/** What a player tells. */
export type SourceNews = {
  /** The status is another one. Must not throw. */
  readonly onStatus: (channelId: ChannelId, status: SourceStatus) => void;
};
