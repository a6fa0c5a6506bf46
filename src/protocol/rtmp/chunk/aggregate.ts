import { type Message, MessageType } from "../message.ts";

/** An FLV tag's header: type u8, size u24, timestamp u24 and its high byte u8, message stream id u24. */
const TAG_HEADER_BYTES = 11;
const BACK_POINTER_BYTES = 4;

/**
 * Senders put a fraction of a second into one aggregate; a hostile peer could put half a million empty tags into 8 MiB.
 */
const MESSAGES_MAX = 1_024;

/**
 * The messages of an aggregate (type 22), which Flash Media Server and similar servers make from FLV tags. The first
 * gets the aggregate's own timestamp, the others keep their distance to it. All belong to the aggregate's message
 * stream, whatever they say. Payloads are views of the aggregate's. Aggregates inside an aggregate are dropped, and so
 * is everything after a tag that is cut short, or after 1,024 tags: the stream continues with the next message.
 */
export function splitAggregate(message: Message): Message[] {
  const { payload, streamId } = message;
  const messages: Message[] = [];
  let firstTimestamp: number | undefined;
  let at = 0;
  while (payload.length - at >= TAG_HEADER_BYTES && messages.length < MESSAGES_MAX) {
    const type = payload.readUInt8(at);
    const length = payload.readUIntBE(at + 1, 3);
    const tagTimestamp = payload.readUIntBE(at + 4, 3) + payload.readUInt8(at + 7) * 0x1_00_00_00;
    const start = at + TAG_HEADER_BYTES;
    const end = start + length;
    if (end > payload.length) break;
    firstTimestamp ??= tagTimestamp;
    if (type !== MessageType.Aggregate) {
      const timestamp = (message.timestamp + tagTimestamp - firstTimestamp) >>> 0;
      messages.push({ type, timestamp, streamId, payload: payload.subarray(start, end) });
    }
    // Back pointers are never read, and some senders leave the last one off.
    at = Math.min(end + BACK_POINTER_BYTES, payload.length);
  }
  return messages;
}
