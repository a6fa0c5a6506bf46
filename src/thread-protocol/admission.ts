import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "./channel-spec.ts";

/** A user name and password that an encoder has proven to know. Secret. */
export type ProvenLogin = { readonly id: string; readonly password: string };

/**
 * The link of an encoder to the owner of its channel, with this epoch, has worked, and has taken nothing for `silentMs`
 * milliseconds.
 */
export type LinkSilence = { readonly epoch: number; readonly silentMs: number };

/**
 * Media thread to control thread: may this key publish? The encoder gets no reply before this one. Holds secrets.
 * `channelId`: the encoder is connected already, and publishes to this channel by this key; `silence`: its owner may be gone.
 */
export type AdmissionRequest = {
  readonly kind: "admission";
  readonly key: string;
  readonly login?: ProvenLogin;
  readonly channelId?: ChannelId;
  readonly silence?: LinkSilence;
};

export type AdmissionReply = { readonly kind: "admission" } & AdmissionDecision;

/** Where a thread of another process accepts links. `path`: a Unix socket. */
export type LinkPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** The thread of another process that owns a channel, and the ownership and revision that this process knows. */
export type OwnerLink = { readonly place: LinkPlace; readonly epoch: number; readonly revision: number };

/** Media thread to control thread: another node asks whether this one owns the channel. */
export type OwnerQuestionRequest = { readonly kind: "owner-question"; readonly channelId: ChannelId };

/** `epoch` is absent where it does not. */
export type OwnerQuestionReply = {
  readonly kind: "owner-question";
  readonly epoch?: number;
  readonly isOnAir: boolean;
  readonly isDraining: boolean;
};

/**
 * Media thread to control thread: another process has an encoder for this channel. It was admitted there, and wants to
 * publish here.
 */
export type AttachRequest = { readonly kind: "attach"; readonly channelId: ChannelId };

/** `spec` is absent where the asking thread does not own the channel. */
export type AttachReply = { readonly kind: "attach"; readonly spec?: ChannelSpec };

/** What an encoder over SRT has to encrypt with, where the channel has a passphrase of its own. Holds a secret. */
type SrtSecret = { readonly srtPassphrase?: string };

/**
 * `admit` carries the channel's spec, so that the thread knows the channel before its first packet. `isReturning`: another
 * process had the channel until now, and was lost or gave it away. Its broadcast is no new one, however busy the thread is.
 */
export type AdmissionDecision =
  | ({
      readonly decision: "admit";
      readonly spec: ChannelSpec;
      readonly slot: IngestSlot;
      readonly isReturning?: boolean;
    } & SrtSecret)
  /**
   * Another thread owns the channel. A transport to that thread comes with the reply
   * (`thread-protocol/remote-publish`), or `link` says where to dial it.
   */
  | ({
      readonly decision: "admit-elsewhere";
      readonly channelId: ChannelId;
      readonly slot: IngestSlot;
      readonly latency: Latency;
      readonly link?: OwnerLink;
    } & SrtSecret)
  /** The channel's owner cannot be reached now, or changes: the encoder has to come again. */
  | { readonly decision: "try-again" }
  /** `refused`: the channel of this key and what it refuses, where the key is right. The encoder is not told so. */
  | { readonly decision: "refuse"; readonly refused?: RefusedKey };

/** Why a right key may not publish: its login is missing or wrong, or its channel is turned off. */
export type KeyRefusal = "auth-failed" | "channel-off";

/** A right key that was refused. */
export type RefusedKey = { readonly refusedFor: KeyRefusal; readonly channelId: ChannelId };

/**
 * Media thread to control thread: which channel's encoders log in with this name? `challenge`: the challenge that the
 * encoder's proof answers. It is one of ours that has not expired, and this request uses it up.
 */
export type LoginRequest = { readonly kind: "login"; readonly userId: string; readonly challenge?: string };

/** The user that encoders of one channel log in as. Holds a secret. */
export type IngestUser = { readonly channelId: ChannelId; readonly password: string };

/** `isFirstUse`: the challenge had not been used before. */
export type LoginReply = { readonly kind: "login"; readonly user?: IngestUser; readonly isFirstUse: boolean };
