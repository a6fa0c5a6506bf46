import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** Files of the library, played one after another without a gap. */
export type FilesSource = {
  readonly kind: "files";
  readonly fileIds: readonly string[];
  readonly isLooped: boolean;
};

/** What plays into a channel in place of an encoder. */
export type ChannelSource = FilesSource;

/** Why a source stopped. */
export type SourceReason =
  /** The last file has ended. */
  | "finished"
  | "stopped-by-person"
  /** An encoder took over, or the broadcast was ended. */
  | "replaced"
  /** No file of the playlist can be played. `detail` has FFmpeg's last error. */
  | "not-playable"
  | "channel-off"
  | "server-overloaded"
  /** Another encoder is on air. */
  | "encoder-on-air"
  /** A mistake of this program, or a media thread that died. */
  | "internal";

/** What a source does now. Times are milliseconds since the Unix epoch. `detail`: FFmpeg's own words. */
export type SourceStatus =
  | {
      readonly state: "stopped";
      readonly sinceTime: number;
      readonly reason?: SourceReason;
      readonly detail?: string;
    }
  /** FFmpeg opens it. */
  | { readonly state: "starting"; readonly sinceTime: number }
  | {
      readonly state: "playing";
      readonly sinceTime: number;
      /** Of files: which of the playlist plays, counted from 0. */
      readonly position?: number;
      readonly fileId?: string;
    };

/** A channel's source as it is stored. */
export type StoredSource = {
  readonly channelId: ChannelId;
  readonly source?: ChannelSource;
  /** It plays, or would if the server had not been stopped. */
  readonly isWanted: boolean;
  /** The media file that is the channel's slate. */
  readonly slateFileId?: string;
  /** Where a playlist continues after a restart. */
  readonly position: number;
};
