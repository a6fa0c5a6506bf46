import { encodePlayed, PLAYED_LONG_AFTER_MS } from "../../protocol/rtmp/server/play.ts";
import { withoutInstruction } from "./flv-tags.ts";
import type { WireForm } from "./wire-form.ts";

/** Whole RTMP messages for players: each writes its message stream and time into its copy (`stampPlayed`). */
const SHORT = formOf("rtmp-messages", 0);
/** The same with extended timestamps. */
const LONG = formOf("rtmp-messages-long", PLAYED_LONG_AFTER_MS);

/** The form of a message that a player gets at this time: milliseconds, unsigned 32-bit. */
export function rtmpMessagesAt(timestampMs: number): WireForm {
  return timestampMs < PLAYED_LONG_AFTER_MS ? SHORT : LONG;
}

function formOf(name: string, timestamp: number): WireForm {
  return {
    name,
    newPacker: () => (message) =>
      encodePlayed(1, { type: message.type, timestamp, payload: withoutInstruction(message) }),
  };
}
