import { z } from "zod";
import { isBlock } from "../remote-publish/media-block.ts";
import type { Latency } from "../thread-protocol/channel-spec.ts";
import { LATENCIES, SOURCE_KINDS } from "../thread-protocol/channel-spec.ts";
import { INGEST_ENDS, type IngestEnd } from "../thread-protocol/facts.ts";
import type { FromViewer, ToViewer } from "../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../thread-protocol/remote-publish.ts";
import { type Frame, type FrameKind, LinkError } from "./frames.ts";

/** A frame to be sent: its kind and the parts of its body. */
export type Encoded = readonly [FrameKind, ...Uint8Array[]];

/** How the messages of one transport are frames. One codec serves one link: it may remember what it sent. */
export interface LinkCodec<Sent, Received> {
  encode(message: Sent): Encoded;
  /** @throws LinkError where the frame is none of this transport, or its body is malformed. */
  decode(frame: Frame): Received;
}

const TEXT_MAX = 256;
const REMOVALS = ["invisible", "address", "prefix", "slashes"] as const;
const WORDS_MAX = 16;
type Open = Omit<Extract<FromEncoder, { kind: "open" }>, "kind">;
// A newer peer may have words that this program does not know: it must not lose its encoder for that. Everything that an
// encoder comes with has a line here.
const openSchema = z.object({
  remoteAddress: z.string().max(TEXT_MAX),
  encoder: z.string().max(TEXT_MAX),
  keyRemoved: z
    .array(z.string().max(TEXT_MAX))
    .max(WORDS_MAX)
    .transform((removed) => REMOVALS.filter((known) => removed.includes(known))),
  sourceKind: z.enum(SOURCE_KINDS).optional().catch(undefined),
  isGoingOn: z.literal(true).optional().catch(undefined),
} satisfies Record<keyof Open, z.ZodType>);
const latencySchema = z.object({ latency: z.enum(LATENCIES).catch("efficient") });
/** An encoder that ended in an unknown way may come back. */
const endSchema = z.object({ end: z.enum(INGEST_ENDS).catch("connection-lost") });
const pauseSchema = z.object({ isPaused: z.boolean() });
const formatSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("flv") }),
  z.object({ kind: z.literal("rtmp"), streamId: z.number().int().min(0).max(0xff_ff_ff_ff) }),
]);
const showingSchema = z.object({ format: formatSchema.optional() });

/** A body of JSON. */
export function words(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Reads a body of JSON. @throws LinkError where it is not of this form. */
export function readWords<Value>({ kind, body }: Frame, schema: z.ZodType<Value>): Value {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new LinkError(`a frame of the kind ${kind} that is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new LinkError(`a malformed frame of the kind ${kind}`);
  return parsed.data;
}

function count(value: number): Uint8Array {
  const body = Buffer.allocUnsafe(4);
  body.writeUInt32BE(value, 0);
  return body;
}

function readCount({ kind, body }: Frame): number {
  if (body.length !== 4) throw new LinkError(`a malformed frame of the kind ${kind}`);
  return body.readUInt32BE(0);
}

const FLUSH = Uint8Array.of(1);
const NO_FLUSH = Uint8Array.of(0);

/** The side that has the encoder's connection. */
export class EncoderSideCodec implements LinkCodec<FromEncoder, ToEncoder> {
  /** Blocks that were sent and that the other side has not taken, oldest first. */
  readonly #sent: ArrayBuffer[] = [];

  encode(message: FromEncoder): Encoded {
    switch (message.kind) {
      case "open": {
        const { kind: _, ...open } = message;
        return ["open", words(open)];
      }
      case "media": {
        this.#sent.push(message.buffer);
        const block = new Uint8Array(message.buffer, 0, message.length);
        // The mark comes last, so that a block begins where its memory does.
        return ["media", block, message.isFlush ? FLUSH : NO_FLUSH];
      }
      case "read":
        return ["read"];
      case "end":
        return ["end", words({ end: message.end })];
    }
  }

  decode(frame: Frame): ToEncoder {
    switch (frame.kind) {
      case "welcome":
        return { kind: "admit-result", isAdmitted: true };
      case "fight":
        return { kind: "admit-result", isAdmitted: false };
      case "taken": {
        const buffer = this.#sent.shift();
        const bytes = readCount(frame);
        if (buffer === undefined || bytes > buffer.byteLength) throw new LinkError("more was taken than was sent");
        return { kind: "taken", bytes, buffer };
      }
      case "latency":
        return { kind: "latency", latency: readLatency(frame) };
      case "read-wanted":
      case "dismissed":
        return { kind: frame.kind };
      default:
        throw new LinkError(`a frame of the kind ${frame.kind} from the owner of a channel`);
    }
  }
}

function readLatency(frame: Frame): Latency {
  return readWords(frame, latencySchema).latency;
}

/** The side that owns the channel. */
export class OwnerSideCodec implements LinkCodec<ToEncoder, FromEncoder> {
  encode(message: ToEncoder): Encoded {
    switch (message.kind) {
      case "admit-result":
        return message.isAdmitted ? ["welcome"] : ["fight"];
      case "taken":
        return ["taken", count(message.bytes)];
      case "latency":
        return ["latency", words({ latency: message.latency })];
      case "read-wanted":
      case "dismissed":
        return [message.kind];
    }
  }

  decode(frame: Frame): FromEncoder {
    switch (frame.kind) {
      case "open":
        return { kind: "open", ...openFrom(readWords(frame, openSchema)) };
      case "media":
        return readMedia(frame);
      case "read":
        return { kind: "read" };
      case "end":
        return { kind: "end", end: endFrom(readWords(frame, endSchema).end) };
      default:
        throw new LinkError(`a frame of the kind ${frame.kind} from an encoder`);
    }
  }
}

function openFrom({ sourceKind, isGoingOn, ...rest }: z.output<typeof openSchema>): Open {
  return {
    ...rest,
    ...(sourceKind === undefined ? {} : { sourceKind }),
    ...(isGoingOn === undefined ? {} : { isGoingOn }),
  };
}

/** The encoder's process stops, not the one that owns the channel: the encoder comes back to another process. */
function endFrom(end: IngestEnd): IngestEnd {
  return end === "shutdown" ? "connection-lost" : end;
}

function readMedia({ body }: Frame): FromEncoder {
  const length = body.length - 1;
  const mark = body[length];
  if (length < 0 || (mark !== 0 && mark !== 1)) throw new LinkError("media without its mark");
  const block = { buffer: body.buffer, length };
  if (!isBlock(block)) throw new LinkError("media that is no block of messages");
  return { kind: "media", ...block, isFlush: mark === 1 };
}

/** The side that has the viewer's connection. */
export class ViewerSideCodec implements LinkCodec<FromViewer, ToViewer> {
  encode(message: FromViewer): Encoded {
    switch (message.kind) {
      case "start":
        return ["showing", words({ format: message.format })];
      case "taken":
        return ["shown", count(message.bytes)];
      case "pause":
        return ["pause", words({ isPaused: message.isPaused })];
    }
  }

  decode(frame: Frame): ToViewer {
    switch (frame.kind) {
      case "showing":
        return { kind: "started" };
      case "show":
        return { kind: "bytes", bytes: frame.body };
      default:
        throw new LinkError(`a frame of the kind ${frame.kind} from the owner of a channel`);
    }
  }
}

/** The side that shows its channel to a viewer. */
export class PreviewSideCodec implements LinkCodec<ToViewer, FromViewer> {
  encode(message: ToViewer): Encoded {
    return message.kind === "started" ? ["showing"] : ["show", message.bytes];
  }

  decode(frame: Frame): FromViewer {
    switch (frame.kind) {
      case "showing": {
        const { format } = readWords(frame, showingSchema);
        if (format === undefined) throw new LinkError("a viewer that names no format");
        return { kind: "start", format };
      }
      case "shown":
        return { kind: "taken", bytes: readCount(frame) };
      case "pause":
        return { kind: "pause", isPaused: readWords(frame, pauseSchema).isPaused };
      default:
        throw new LinkError(`a frame of the kind ${frame.kind} from a viewer`);
    }
  }
}
