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

/** States in which viewers see the last frame although the channel has a slate. */
export type SlateTrouble = Extract<SlateState, { at: "other-codec" | "unfit" | "failed" }>;

export function isSlateTrouble(state: SlateState): state is SlateTrouble {
  return state.at === "other-codec" || state.at === "unfit" || state.at === "failed";
}

/** A slate as FLV, or why it could not be made. */
export type MadeSlate = { readonly flv: Buffer } | { readonly reason: string };

/** Makes slates of media files. */
export interface SlateMaker {
  /**
   * Returns the file as FLV in this form, made once and kept; or why that fails. `unwanted` aborts when it is not
   * needed any more; absent: it always is. Never rejects.
   */
  make(fileId: string, form: SlateForm, unwanted?: AbortSignal): Promise<MadeSlate>;
}

/** Shows slates in the channels of this node's media threads. */
export interface SlateStage {
  /** Sets what stands in front of a lost encoder: FLV in the form of the stream; undefined: the last frame. */
  setSlate(channelId: ChannelId, flv: Buffer | undefined): void;
  /** Shows the slate in place of the encoder, or the encoder again; does nothing where the channel is off air. */
  setCurtain(channelId: ChannelId, isClosed: boolean): void;
}
