import { BUS_MESSAGE_BYTES_MAX, type BusMessage } from "../control/ports/bus.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** Returns the bytes of a message; undefined where they are over the limit. */
export function encodeMessage(message: BusMessage, bytesMax = BUS_MESSAGE_BYTES_MAX): Uint8Array | undefined {
  const bytes = ENCODER.encode(JSON.stringify(message));
  return bytes.length > bytesMax ? undefined : bytes;
}

/** Reads a message that another program sent. Returns undefined for anything but an object in JSON within the limit. */
export function decodeMessage(bytes: Uint8Array, bytesMax = BUS_MESSAGE_BYTES_MAX): BusMessage | undefined {
  if (bytes.length > bytesMax) return undefined;
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
