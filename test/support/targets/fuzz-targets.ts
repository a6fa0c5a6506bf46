import { AMF0_LIMITS_BEFORE_PUBLISH, decodeAmf0 } from "../../../src/protocol/amf0/decode.ts";
import { classifyAudio, stripAdts } from "../../../src/protocol/flv/audio/audio-tag.ts";
import { readMetadata, rewriteMetadata } from "../../../src/protocol/flv/metadata.ts";
import { enhanceHevc, flattenTrack, legacyForm, splitTracks, trackIdsOf } from "../../../src/protocol/flv/tracks.ts";
import { classifyVideo, hasIdr } from "../../../src/protocol/flv/video/video-tag.ts";
import { ProtocolError } from "../../../src/protocol/protocol-error.ts";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { LIMITS_BEFORE_PUBLISH } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { ClientSession } from "../../../src/protocol/rtmp/client/client-session.ts";
import { ServerSession } from "../../../src/protocol/rtmp/server/server-session.ts";
import { classifyMessage } from "../../../src/relay/stream/classify-message.ts";
import { DecoderConfig } from "../../../src/relay/stream/config/decoder-config.ts";
import { StreamMemory } from "../../../src/relay/stream/stream-memory.ts";

export const FUZZ_TARGETS = ["video", "audio", "amf", "chunks", "server", "client"] as const;
export type FuzzTarget = (typeof FUZZ_TARGETS)[number];

const RANDOM = Buffer.alloc(1_528, 0x5a);
const HANDSHAKE_BYTES = 1_536;
/** What a peer sends before its first chunk: version, first packet, echo. */
const GREETING = Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE_BYTES), Buffer.alloc(HANDSHAKE_BYTES)]);
/** How much one input may make the product keep or send back, beside a few times its own size. */
const OUTPUT_BYTES_MAX = 64 * 1_024;

function assertBounded(what: string, count: number, max: number): void {
  if (count > max) throw new Error(`${what}: ${count}, more than ${max}`);
}

/** Only errors that blame the peer may be thrown. */
function blaming(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
}

/** What the relay makes of a message, as the first of its stream. */
function understood(kind: "audio" | "video", input: Buffer): void {
  const memory = new StreamMemory();
  const head = new DecoderConfig();
  const classified = classifyMessage({ kind, timestamp: 0, payload: input }, memory);
  assertBounded("bytes in the form of old", legacyForm(kind, input)?.length ?? 0, input.length + 8);
  if (classified.what === "config") head.takeConfig(classified);
  if (classified.what === "frame") {
    if (classified.header !== undefined) head.takeConfig(classified.header);
    assertBounded("bytes of a frame", classified.payload.length, input.length);
  }
  const bytes = head.messages().reduce((sum, { payload }) => sum + payload.length, 0);
  assertBounded("bytes of a head", bytes, input.length * 4 + OUTPUT_BYTES_MAX);
}

function media(kind: "audio" | "video", input: Buffer): void {
  const tag = kind === "video" ? classifyVideo(input) : classifyAudio(input);
  assertBounded("end of body", tag.bodyEnd, input.length);
  assertBounded("start of body", tag.bodyOffset, Math.max(tag.bodyEnd, input.length));
  assertBounded("tracks", trackIdsOf(kind, input).length, 256);
  const parts = splitTracks(kind, input);
  understood(kind, input);
  assertBounded("bytes of parts", Buffer.concat([...parts]).length, input.length * 4 + 16);
  assertBounded("bytes of a track", flattenTrack(kind, input, 0)?.length ?? 0, input.length + 8);
  if (kind === "audio") return assertBounded("bytes without ADTS", stripAdts(input).length, input.length);
  hasIdr(input, 4);
  assertBounded("bytes of HEVC", enhanceHevc(input).length, input.length + 8);
}

function chunks(input: Buffer): void {
  let [messages, bytes] = [0, 0];
  blaming(() =>
    new ChunkReader(LIMITS_BEFORE_PUBLISH).receive(input, (message) => {
      messages += 1;
      bytes += message.payload.length;
    }),
  );
  assertBounded("messages", messages, input.length);
  assertBounded("message bytes", bytes, input.length);
}

function sessions(target: "server" | "client", input: Buffer): void {
  const session =
    target === "server"
      ? new ServerSession(RANDOM, 0)
      : new ClientSession({ app: "live", tcUrl: "rtmp://host/live", name: "key" }, RANDOM, 4_096);
  let [outputs, bytes] = [0, 0];
  for (const part of [GREETING, input]) {
    for (const output of session.receive(part, 0)) {
      outputs += 1;
      if (output.kind === "send") bytes += output.bytes.length;
      if (output.kind === "publish-requested" && session instanceof ServerSession) {
        outputs += session.answer(output.request.requestId, "accept", 0).length;
      }
    }
  }
  assertBounded("outputs", outputs, input.length + 64);
  assertBounded("bytes sent", bytes, input.length * 32 + OUTPUT_BYTES_MAX);
}

/**
 * Gives one input to one part that reads foreign bytes. Throws where it throws a forbidden error, or keeps too much.
 */
export function publisher(target: FuzzTarget, input: Buffer): void {
  switch (target) {
    case "video":
    case "audio":
      return media(target, input);
    case "amf":
      return blaming(() => {
        const data = readMetadata(decodeAmf0(input, AMF0_LIMITS_BEFORE_PUBLISH));
        if (data.kind === "metadata") rewriteMetadata(data.entries);
      });
    case "chunks":
      return chunks(input);
    default:
      return sessions(target, input);
  }
}
