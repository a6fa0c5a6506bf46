import { encodeFlvTag } from "../../protocol/flv/flv-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { WireForm, WireMessage } from "./wire-form.ts";

/** `@setDataFrame` as an AMF0 string: an instruction to a server, not part of a file or of what players get. */
const SET_DATA_FRAME = Buffer.from("02000d40736574446174614672616d65", "hex");

/** FLV tags of time 0: each subscriber writes its own time into its copy (`stampFlvTag`). */
export const FLV_TAGS: WireForm = {
  name: "flv-tags",
  newPacker: () => (message) =>
    encodeFlvTag({ type: message.type, timestamp: 0, payload: withoutInstruction(message) }),
};

/** The payload as in a file. */
export function withoutInstruction({ type, payload }: WireMessage): Buffer {
  const isInstruction =
    type === MessageType.DataAmf0 && payload.subarray(0, SET_DATA_FRAME.length).equals(SET_DATA_FRAME);
  return isInstruction ? payload.subarray(SET_DATA_FRAME.length) : payload;
}
