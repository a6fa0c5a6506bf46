import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";

/** How long a picture of a playlist is shown, in seconds. */
export const PICTURE_SECONDS = 10;

/** Files of the library, played one after another without a gap. */
export type FilesSource = {
  readonly kind: "files";
  readonly fileIds: readonly string[];
  readonly isLooped: boolean;
};

/** A stream that this server fetches from elsewhere. */
export type PullSource = {
  readonly kind: "pull";
  /** As entered; may hold a password. */
  readonly url: string;
};

/** What plays into a channel in place of an encoder. */
export type ChannelSource = FilesSource | PullSource;

/** What a list of streams says of the one that was chosen from it: bits a second, pixels, and codecs by RFC 6381. */
export type PullVariant = {
  readonly bitRate: number;
  readonly width?: number;
  readonly height?: number;
  readonly codecs?: string;
};

/**
 * How the connection to a fetched source is: in the words of targets. `isUnstable`: it was lost again and again. `variant`:
 * what was chosen, while it plays, of a list of streams.
 */
export type PullStatus = TargetStatus & { readonly isUnstable: boolean; readonly variant?: PullVariant };

/** Why a source stopped. */
export type SourceReason =
  /** The last file has ended. */
  | "finished"
  | "stopped-by-person"
  /** An encoder took over, or the broadcast was ended. */
  | "replaced"
  /** The end of its schedule has come. */
  | "schedule-over"
  /** No file of the playlist can be played. `detail` has FFmpeg's last error. */
  | "not-playable"
  /** None can be played now, but those of the watched folder may be later: it is tried again. `detail`: what the first one lacks. */
  | "files-away"
  | "channel-off"
  | "server-overloaded"
  /** Another encoder is on air. */
  | "encoder-on-air"
  /** Another server of the cluster has the channel. */
  | "elsewhere"
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
  /** FFmpeg opens it; of a pull: it is being connected to. */
  | { readonly state: "starting"; readonly sinceTime: number; readonly link?: PullStatus }
  /** It is tried again: the connection of a pull (`link`), or files that cannot be read now (`reason`). */
  | {
      readonly state: "failed";
      readonly sinceTime: number;
      readonly link?: PullStatus;
      readonly reason?: SourceReason;
      readonly detail?: string;
    }
  | {
      readonly state: "playing";
      readonly sinceTime: number;
      /** Of files: which of the playlist plays, counted from 0. */
      readonly position?: number;
      readonly fileId?: string;
      /** Of a pull. */
      readonly link?: PullStatus;
    };

/** Whether a source plays, or is about to. */
export function isRunning(status: SourceStatus | undefined): boolean {
  return status !== undefined && status.state !== "stopped";
}

/**
 * Of what two nodes say about one channel's source, the one that counts: that of the node where it runs, else what
 * happened last. Equal on every node.
 */
export function newerSource(left: SourceStatus | undefined, right: SourceStatus | undefined): SourceStatus | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  if (isRunning(left) !== isRunning(right)) return isRunning(left) ? left : right;
  return right.sinceTime > left.sinceTime ? right : left;
}

/** A run of a schedule, which plays in place of the channel's own source. */
export type ScheduledRun = {
  readonly scheduleId: string;
  readonly source: FilesSource;
  /** Milliseconds since the Unix epoch. Absent: it plays to the end of its files. */
  readonly endTime?: number;
};

/** A channel's source as it is stored. */
export type StoredSource = {
  readonly channelId: ChannelId;
  readonly source?: ChannelSource;
  /** It plays, or would if the server had not been stopped. */
  readonly isWanted: boolean;
  /** What plays in its place. */
  readonly scheduled?: ScheduledRun;
  /** The media file that is the channel's slate. */
  readonly slateFileId?: string;
  /** Where the playlist that plays continues after a restart. */
  readonly position: number;
  /** The process that plays it, or did last: its incarnation; 0 where no other shares the database. */
  readonly node: number;
};

/** Whether something plays, or would if the server had not ended. */
export function isToPlay({ isWanted, source, scheduled }: StoredSource): boolean {
  return scheduled !== undefined || (isWanted && source !== undefined);
}
