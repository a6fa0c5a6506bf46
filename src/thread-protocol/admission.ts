import type { MessagePort } from "node:worker_threads";
import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "./channel-spec.ts";

/** A user name and a password that an encoder has proven to know. Secret. */
export type ProvenLogin = { readonly id: string; readonly password: string };

/** May this key publish? Asked by the media thread before the encoder hears anything. Holds secrets. */
export type AdmissionRequest = { readonly requestId: number; readonly key: string; readonly login?: ProvenLogin };

/** `admit` brings the channel's spec along, so that the channel is known before its first packet. */
export type AdmissionAnswer =
  | { readonly requestId: number; readonly decision: "admit"; readonly spec: ChannelSpec; readonly slot: IngestSlot }
  /** The channel is at home in another thread, at the other end of this way (`thread-protocol/remote-publish`), and known there. */
  | {
      readonly requestId: number;
      readonly decision: "admit-elsewhere";
      readonly channelId: ChannelId;
      readonly slot: IngestSlot;
      readonly latency: Latency;
      readonly port: MessagePort;
    }
  /** `loginOf`: the channel whose key it was, and whose login is missing or another. */
  | { readonly requestId: number; readonly decision: "refuse"; readonly loginOf?: ChannelId };

/**
 * Which channel's encoders log in with this name? Asked when one wants to prove that it knows the password. `challenge`: what it
 * proves it with, one of ours and not over; it is used up by the question.
 */
export type LoginQuestion = { readonly requestId: number; readonly userId: string; readonly challenge?: string };

/** Who logs in to a channel's ingest. Holds a secret. */
export type IngestUser = { readonly channelId: ChannelId; readonly password: string };

export type LoginAnswer = { readonly requestId: number; readonly user?: IngestUser; readonly isFirstUse: boolean };
