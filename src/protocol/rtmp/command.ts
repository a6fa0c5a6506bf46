import { type Amf0Limits, decodeAmf0 } from "../amf0/decode.ts";
import { encodeAmf0 } from "../amf0/encode.ts";
import type { Amf0Value } from "../amf0/value.ts";
import { ProtocolError } from "../protocol-error.ts";
import { type Message, MessageType } from "./message.ts";

export type Command = {
  readonly name: string;
  /** 0 for notifications; otherwise the reply carries the same. */
  readonly transactionId: number;
  /** The command object: the properties of `connect`, `null` for most others. */
  readonly object: Amf0Value;
  readonly args: readonly Amf0Value[];
};

/** Before the AMF0 values of an "AMF3" message; by Adobe's errata the values themselves are AMF0. */
const FORMAT_SELECTOR = 0x00;

/**
 * Reads a message of type 20 or 17. Where the transaction number or the command object is missing or of another type, as
 * in some encoders' notifications, they are 0 and `null`.
 *
 * @throws ProtocolError "bad-amf", also where the first value is not a name.
 */
export function decodeCommand(message: Message, limits: Amf0Limits): Command {
  const [name, transactionId, object, ...args] = decodeAmf0(amf0Part(message), limits);
  if (typeof name !== "string") throw new ProtocolError("bad-amf", "a command without a name");
  return { name, transactionId: typeof transactionId === "number" ? transactionId : 0, object: object ?? null, args };
}

/** The same, or undefined where it cannot be read. */
export function tryDecodeCommand(message: Message, limits: Amf0Limits): Command | undefined {
  try {
    return decodeCommand(message, limits);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

/** A message of type 20 with timestamp 0. */
export function encodeCommand(streamId: number, command: Command): Message {
  const { name, transactionId, object, args } = command;
  const payload = encodeAmf0([name, transactionId, object, ...args]);
  return { type: MessageType.CommandAmf0, timestamp: 0, streamId, payload };
}

/**
 * The AMF0 values of a message. Types 15 and 17 begin with a format selector that some senders omit, and others put
 * before types 18 and 20. The values always begin with a string, whose own marker (02, 0C or 11) is never 0.
 */
export function amf0Part({ payload }: Message): Buffer {
  return payload[0] === FORMAT_SELECTOR ? payload.subarray(1) : payload;
}
