import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { SlateMisfit } from "../../thread-protocol/samples.ts";
import type { SlateForm } from "../channels/slate-form.ts";

/**
 * `waiting`: the channel is off air, so the form is not known. `other-codec`: no slate can be made in these codecs of the
 * stream. `unfit`: none can stand for it as it is; `why`: as the relay says, or `unknown` where the stream does not say
 * its form. `failed`: `reason` says why.
 */
export type SlateState =
  | { readonly at: "waiting" | "making" | "ready" }
  | { readonly at: "other-codec"; readonly codecs: string }
  | { readonly at: "unfit"; readonly why: SlateMisfit | "unknown" }
  | { readonly at: "failed"; readonly reason: string };

/** Makes slates of media files. */
export interface SlateMaker {
  /** The file as FLV in this form, made once and kept; or why that fails. Never rejects. */
  make(fileId: string, form: SlateForm): Promise<{ readonly flv: Buffer } | { readonly reason: string }>;
}

/** Shows slates in the channels of this node's media threads. */
export interface SlateStage {
  /** Sets what stands in front of a lost encoder: FLV in the form of the stream; undefined: the last frame. */
  setSlate(channelId: ChannelId, flv: Buffer | undefined): void;
  /** Shows the slate in place of the encoder, or the encoder again; does nothing where the channel is off air. */
  setCurtain(channelId: ChannelId, isClosed: boolean): void;
}
