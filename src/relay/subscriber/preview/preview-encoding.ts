import { FLV_FILE_START, stampFlvTag } from "../../../protocol/flv/flv-tag.ts";
import { stampPlayed } from "../../../protocol/rtmp/server/play.ts";
import { FLV_TAGS } from "../../packing/flv-tags.ts";
import { rtmpMessagesAt } from "../../packing/rtmp-messages.ts";
import type { WireForm } from "../../packing/wire-form.ts";

/** What a preview is sent: its beginning, and the form of its messages. */
export type PreviewEncoding = {
  readonly start: Buffer;
  /** The form of a message of this time: milliseconds of the preview, unsigned 32-bit. */
  readonly formAt: (timestampMs: number) => WireForm;
  /** Writes the preview's own time into its own copy of a packed message, at `bytes[at…at + length)`. */
  readonly stamp: (bytes: Buffer, at: number, length: number, timestampMs: number) => void;
};

/** An FLV file, for HTTP. */
export const FLV_FILE: PreviewEncoding = {
  start: FLV_FILE_START,
  formAt: () => FLV_TAGS,
  stamp: (bytes, at, _length, timestampMs) => stampFlvTag(bytes, at, timestampMs),
};

/** RTMP messages of this message stream, for a player. */
export function playedMessages(streamId: number): PreviewEncoding {
  return {
    start: Buffer.alloc(0),
    formAt: rtmpMessagesAt,
    stamp: (bytes, at, length, timestamp) => stampPlayed(bytes, at, length, { streamId, timestamp }),
  };
}
