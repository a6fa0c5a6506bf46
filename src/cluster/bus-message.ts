import { BUS_MESSAGE_BYTES_MAX, type BusMessage } from "../control/ports/bus.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** Returns the bytes of a message; undefined where they are over the limit. */
export function encodeMessage(message: BusMessage): Uint8Array | undefined {
  const bytes = ENCODER.encode(JSON.stringify(message));
  return bytes.length > BUS_MESSAGE_BYTES_MAX ? undefined : bytes;
}

/** Reads a message that another program sent. Returns undefined for anything but an object in JSON within the limit. */
export function decodeMessage(bytes: Uint8Array): BusMessage | undefined {
  if (bytes.length > BUS_MESSAGE_BYTES_MAX) return undefined;
  try {
    const value: unknown = JSON.parse(DECODER.decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is BusMessage {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
