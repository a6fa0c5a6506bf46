import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { SlateForm } from "../channels/slate-form.ts";

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
