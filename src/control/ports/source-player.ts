import type { ChannelId, ChannelSpec } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSource, SourceReason, SourceStatus } from "../channels/source.ts";
import type { Incarnation } from "./ownership-store.ts";
import type { SlateState } from "./slate-maker.ts";

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
  /**
   * Ends it like an encoder that stops streaming. Where the reason is `elsewhere` the channel is held, if it is still here: another
   * process goes on with it. Resolves when FFmpeg is gone.
   */
  stop(channelId: ChannelId, reason: SourceReason): Promise<void>;
  status(channelId: ChannelId): SourceStatus | undefined;
}

/** What a node may ask another one to do with the source of a channel. `ended`: a person ended the broadcast. */
export const SOURCE_COMMANDS = ["start", "stop", "ended", "close-curtain", "open-curtain"] as const;
export type SourceCommand = (typeof SOURCE_COMMANDS)[number];

/** The other nodes, as far as the sources of channels concern them. */
export interface SourcePeers {
  /** Whether this node gives its channels away. */
  readonly isDraining: boolean;
  /** What another node tells of the channel's source: of one that runs, else of the one that stopped last. */
  source(channelId: ChannelId): { readonly node: Incarnation; readonly status: SourceStatus } | undefined;
  /** How the channel's slate is at another node that owns it. */
  slate(channelId: ChannelId): SlateState | undefined;
  /** Another node that owns the channel. */
  owner(channelId: ChannelId): Incarnation | undefined;
  /** The other nodes that take channels, the best one first. */
  takers(): readonly Incarnation[];
  /** Brings what another node that owns the channel says of it up to date. Never rejects. */
  freshen(channelId: ChannelId): Promise<void>;
  /**
   * Returns false where that node cannot play the source: FFmpeg or the files are missing, or it gives its channels away.
   * Rejects with the DomainError of that node, and with OwnerUnavailableError where it does not respond.
   */
  ask(node: Incarnation, channelId: ChannelId, command: SourceCommand): Promise<boolean>;
}

/** What a player tells. */
export type SourceNews = {
  /** The status is another one. Must not throw. */
  readonly onStatus: (channelId: ChannelId, status: SourceStatus) => void;
};
