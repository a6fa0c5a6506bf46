import type { Removal } from "../base/pasted-text.ts";
import type { ChannelId, IngestSlot, TargetId } from "./channel-spec.ts";
import type { ServerTroubleName } from "./server-troubles.ts";
import type { TargetStatus } from "./targets/target-status.ts";

/** Why an encoder's connection, or with it the broadcast, ended. */
export const INGEST_ENDS = [
  /** The encoder said so: FCUnpublish, deleteStream, closeStream. */
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
  /** By request of an API client, or because its key changed. */
  "ended",
  "hold-expired",
  "shutdown",
] as const;
export type IngestEnd = (typeof INGEST_ENDS)[number];

/** What every fact about one encoder's connection tells. */
type IngestFact = {
  readonly time: number;
  readonly channelId: ChannelId;
  readonly ingestId: number;
  readonly slot: IngestSlot;
};

/**
 * What happened in the media thread, told once, where it happened. Logs, events and metrics all read these.
 * Times are milliseconds since the Unix epoch. No fact carries a stream key or a URL.
 */
export type Fact =
  | (IngestFact & {
      readonly kind: "ingest-started";
      readonly remoteAddress: string;
      /** What the encoder calls itself (`flashVer`), cut to 64 printable characters; may be empty. */
      readonly encoder: string;
      /** What came along with its key, and was taken off; absent where nothing was. */
      readonly keyRemoved?: readonly Removal[];
      /** True where a broadcast begins with it; false for takeovers, returns and standbys. */
      readonly isBroadcastNew: boolean;
    })
  | (IngestFact & {
      readonly kind: "ingest-ended";
      readonly end: IngestEnd;
      /** True where the broadcast ended with it, or with the hold that followed it. */
      readonly isBroadcastOver: boolean;
    })
  /** The encoder was lost. Its targets are held with filler for at most this long. */
  | (IngestFact & { readonly kind: "ingest-held"; readonly end: IngestEnd; readonly holdSeconds: number })
  /**
   * Until when the targets are held: so much longer, in milliseconds. Follows each `ingest-held`, and each change of
   * it.
   */
  | (IngestFact & { readonly kind: "hold-set"; readonly leftMs: number })
  /** Media flows from this encoder from now on: the first of a broadcast, or instead of another or of filler. */
  | (IngestFact & { readonly kind: "publisher-active"; readonly heldMs: number })
  /** Its video stopped this long ago, and its audio goes on. */
  | (IngestFact & { readonly kind: "video-stopped"; readonly silentMs: number })
  /** Its video came back after this long. */
  | (IngestFact & { readonly kind: "video-back"; readonly awayMs: number })
  /** A standby differs from what is on air: switching to it would disturb the targets. */
  | (IngestFact & { readonly kind: "standby-differs"; readonly detail: string })
  /** Too many takeovers: two encoders share a key and push each other out. The newcomer was refused. */
  | { readonly kind: "encoders-fight"; readonly time: number; readonly channelId: ChannelId; readonly slot: IngestSlot }
  | {
      readonly kind: "ingest-refused";
      readonly time: number;
      /** How many were refused for this reason since the last such fact: floods become one fact a second. */
      readonly count: number;
      /** The address of the last of them. */
      readonly remoteAddress: string;
      readonly reason:
        | "unknown-key"
        /** A wrong user name or password, or the right key without the login that its channel requires. */
        | "auth-failed"
        /** A login that was not checked: too many of its network have failed within a minute. */
        | "too-many-guesses"
        | "encoders-fight"
        /** The key was good, and this server admits no new channel now. */
        | "overloaded"
        /** A player without a token that opens what it asked for now, or one too many. */
        | "play-refused"
        | "not-answered"
        | "protocol-error"
        | "timed-out"
        | "too-many-connections";
      /** The channel of the login or the encoder, where that is known. */
      readonly channelId?: ChannelId;
      /** What was wrong, where the peer broke the protocol. */
      readonly detail?: string;
    }
  | {
      /** A mistake of our own, caught where it reaches one connection or target only. */
      readonly kind: "internal-fault";
      readonly time: number;
      readonly where: "ingest" | "link" | "relay";
      readonly detail: string;
    }
  /** This machine lacked something. Each thread reports it at most once a second. */
  | { readonly kind: "server-trouble"; readonly time: number; readonly trouble: ServerTroubleName }
  | {
      readonly kind: "target-status";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly targetId: TargetId;
      readonly from: TargetStatus["status"];
      readonly status: TargetStatus;
    };
