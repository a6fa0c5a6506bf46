import type { Removal } from "../base/pasted-text.ts";
import type { ChannelId, IngestSlot, SourceKind, TargetId } from "./channel-spec.ts";
import type { RecordingStatus } from "./recordings/recordings.ts";
import type { ServerTroubleName } from "./server-troubles.ts";
import type { TargetStatus } from "./targets/target-status.ts";

/** Why an encoder's connection, or with it the broadcast, ended. */
export const INGEST_ENDS = [
  /** The encoder ended its stream: FCUnpublish, deleteStream, closeStream. */
  "clean",
  "connection-lost",
  /** Connected, but without media for too long. */
  "frozen",
  "timed-out",
  "protocol-error",
  /** It sent more messages than any encoder does, however short they were. */
  "too-many-messages",
  /** Another encoder with the same key took its place. */
  "replaced",
  "removed",
  /** An API client asked for it, or the key changed. */
  "ended",
  "hold-expired",
  /** The test pattern's time is over, a person stopped it, or an encoder took over from it. */
  "test-pattern-over",
  "shutdown",
] as const;
export type IngestEnd = (typeof INGEST_ENDS)[number];

/** What every fact about one encoder's connection holds. */
type IngestFact = {
  readonly time: number;
  readonly channelId: ChannelId;
  readonly ingestId: number;
  readonly slot: IngestSlot;
};

/**
 * What happened in the media thread, published once, where it happened. Logs, events and metrics all read these facts.
 * Times are milliseconds since the Unix epoch. No fact holds a stream key or a URL.
 */
export type Fact =
  | (IngestFact & {
      readonly kind: "ingest-started";
      readonly remoteAddress: string;
      /** What the encoder calls itself (`flashVer`), cut to 64 printable characters; may be empty. */
      readonly encoder: string;
      /** What was removed from around the key; absent where nothing was. */
      readonly keyRemoved?: readonly Removal[];
      /** True where a broadcast begins with it; false for takeovers, returns and standbys. */
      readonly isBroadcastNew: boolean;
      /** Of a test pattern: when it ends by itself. Absent for encoders. */
      readonly testPatternEndTime?: number;
      /** Of a test pattern for chosen targets: those. */
      readonly onlyTargetIds?: readonly TargetId[];
      /** Of a source that this server plays. Absent for encoders. */
      readonly sourceKind?: SourceKind;
    })
  | (IngestFact & {
      readonly kind: "ingest-ended";
      readonly end: IngestEnd;
      /** True where the broadcast ended with it, or with the hold that followed. */
      readonly isBroadcastOver: boolean;
    })
  /** The encoder was lost. Its targets are held with filler for at most this many seconds. */
  | (IngestFact & {
      readonly kind: "ingest-held";
      readonly end: IngestEnd;
      readonly holdSeconds: number;
      /** The filler is the channel's slate; absent: the last frame. */
      readonly isSlateShown?: true;
    })
  /** How much longer the targets are held, in milliseconds. Follows each `ingest-held` and each change of the hold. */
  | (IngestFact & { readonly kind: "hold-set"; readonly leftMs: number })
  /**
   * Media comes from this encoder from now on: the first of a broadcast, or in place of another encoder or of filler.
   * `heldMs`: how long the hold lasted, in milliseconds.
   */
  | (IngestFact & { readonly kind: "publisher-active"; readonly heldMs: number })
  /** The publisher's video stopped this many milliseconds ago, and its audio goes on. */
  | (IngestFact & { readonly kind: "video-stopped"; readonly silentMs: number })
  /** The publisher's video came back after this many milliseconds. */
  | (IngestFact & { readonly kind: "video-back"; readonly awayMs: number })
  /** A standby's stream differs from the one on air: switching to it would disturb the targets. */
  | (IngestFact & { readonly kind: "standby-differs"; readonly detail: string })
  /** Too many takeovers: two encoders share a key and push each other out. The newcomer was refused. */
  | { readonly kind: "encoders-fight"; readonly time: number; readonly channelId: ChannelId; readonly slot: IngestSlot }
  | {
      readonly kind: "ingest-refused";
      readonly time: number;
      /** How many were refused for this reason since the last such fact: a flood makes one fact a second. */
      readonly count: number;
      /** The address of the last of them. */
      readonly remoteAddress: string;
      readonly reason:
        | "unknown-key"
        /** A wrong user name or password, or the right key without the login that its channel requires. */
        | "auth-failed"
        /** The key is right, and its channel is turned off. */
        | "channel-off"
        /** A login that was not checked: too many logins from its network failed within a minute. */
        | "too-many-guesses"
        | "encoders-fight"
        /** The key was good, but this server admits no new channel at the moment. */
        | "overloaded"
        /** A player whose token does not open this channel now, or one player too many. */
        | "play-refused"
        | "not-answered"
        | "protocol-error"
        | "timed-out"
        | "too-many-connections";
      /** The channel of the login or the encoder, where known. */
      readonly channelId?: ChannelId;
      /** What the peer did wrong, where it broke the protocol. */
      readonly detail?: string;
    }
  | {
      /** A mistake of this program, which ended one connection or target only. */
      readonly kind: "internal-fault";
      readonly time: number;
      readonly where: "ingest" | "link" | "relay";
      readonly detail: string;
    }
  | {
      /**
       * Another node fell silent or broke the protocol, or something else connected to the nodes' port. Each thread reports it at most
       * once a minute. `count`: since the last report.
       */
      readonly kind: "node-link-fault";
      readonly time: number;
      readonly detail: string;
      readonly count: number;
    }
  /** This machine lacks something. Each thread reports it at most once a second. */
  | { readonly kind: "server-trouble"; readonly time: number; readonly trouble: ServerTroubleName }
  /** How the recording of a channel stands from now on. */
  | {
      readonly kind: "recording-status";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly status: RecordingStatus;
    }
  | {
      readonly kind: "target-status";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly targetId: TargetId;
      readonly from: TargetStatus["status"];
      readonly status: TargetStatus;
    };
