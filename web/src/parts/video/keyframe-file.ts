import type { Mp4Keyframe } from "./keyframe-mp4.ts";

/** What a `VideoDecoder` is configured with. */
type DecoderConfig = {
  readonly codec: string;
  readonly description?: Uint8Array<ArrayBuffer>;
  readonly optimizeForLatency?: boolean;
};

/** A keyframe as WebCodecs takes it. */
export type EncodedKeyframe = {
  /** The codec's name for a person. */
  readonly name: string;
  /** Undefined where no browser decodes it. */
  readonly decoder: DecoderConfig | undefined;
  readonly data: Uint8Array;
  /** The same as a video element takes it; absent where none does. */
  readonly mp4?: Mp4Keyframe | undefined;
};

const FILE_HEADER_BYTES = 13;
const TAG_HEADER_BYTES = 11;
const TAG_TRAILER_BYTES = 4;
const BODY_OFFSET = 5;
const COMPOSITION_TIME_BYTES = 3;
const AV1_CONFIG_BYTES = 4;
/** Packet types: the sequence header, and a frame with a composition time before its data. */
const CONFIG = 0;
const FRAME = 1;

type Message = { readonly fourCc: string; readonly packetType: number; readonly body: Uint8Array };

/** Reads what the server answers as a channel's keyframe: an FLV file of a sequence header and a frame. Throws on other bytes. */
export function readKeyframe(file: Uint8Array): EncodedKeyframe {
  const messages = messagesOf(file);
  const frame = messages.at(-1);
  if (frame === undefined) throw new RangeError("no keyframe in the file");
  const config = messages.find(({ packetType }) => packetType === CONFIG)?.body;
  switch (frame.fourCc) {
    case "avc1":
      return {
        name: "H.264",
        decoder: config && withDescription(avcCodec(config), config),
        data: frame.body,
        mp4: config && { entry: "avc1", config, data: frame.body },
      };
    case "hvc1":
      return {
        name: "HEVC",
        decoder: config && withDescription(hevcCodec(config), config),
        data: frame.body,
        mp4: config && { entry: "hvc1", config, data: frame.body },
      };
    case "av01":
      // The decoder finds the sequence header in the data: it takes no description.
      return {
        name: "AV1",
        decoder: config && { codec: av1Codec(config) },
        data: joined(config?.subarray(AV1_CONFIG_BYTES) ?? new Uint8Array(), frame.body),
        mp4: config && { entry: "av01", config, data: frame.body },
      };
    default:
      return { name: frame.fourCc, decoder: undefined, data: frame.body };
  }
}

function messagesOf(file: Uint8Array): readonly Message[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const messages: Message[] = [];
  for (let at = FILE_HEADER_BYTES; at + TAG_HEADER_BYTES + BODY_OFFSET <= file.length; ) {
    const length = view.getUint32(at) & 0xffffff;
    const start = at + TAG_HEADER_BYTES;
    messages.push(messageOf(file.subarray(start, start + length)));
    at = start + length + TAG_TRAILER_BYTES;
  }
  return messages;
}

const LEGACY_CODECS: Readonly<Record<number, string>> = { 2: "H.263", 4: "VP6", 7: "avc1", 13: "av01" };

/** A video message in Adobe's form, or in Enhanced RTMP's without tracks: the server sends no other. */
function messageOf(payload: Uint8Array): Message {
  const [first = 0, second = 0] = payload;
  if ((first & 0x80) === 0) {
    const codec = first & 0x0f;
    return { fourCc: LEGACY_CODECS[codec] ?? `FLV ${codec}`, packetType: second, body: payload.subarray(BODY_OFFSET) };
  }
  const fourCc = String.fromCharCode(...payload.subarray(1, BODY_OFFSET));
  const packetType = first & 0x0f;
  const hasTime = packetType === FRAME && fourCc !== "av01" && fourCc !== "vp09";
  return { fourCc, packetType, body: payload.subarray(BODY_OFFSET + (hasTime ? COMPOSITION_TIME_BYTES : 0)) };
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0").toUpperCase();

/** RFC 6381: profile, constraints and level of an AVCDecoderConfigurationRecord. */
function avcCodec([, profile = 0, constraints = 0, level = 0]: Uint8Array): string {
  return `avc1.${hex(profile)}${hex(constraints)}${hex(level)}`;
}

/** ISO/IEC 14496-15, annex E, of an HEVCDecoderConfigurationRecord. */
function hevcCodec(config: Uint8Array): string {
  const [, first = 0] = config;
  const space = ["", "A", "B", "C"][first >> 6];
  const bits = [...config.subarray(2, 6)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const compatibility = Number.parseInt([...bits].toReversed().join(""), 2)
    .toString(16)
    .toUpperCase();
  const tier = (first & 0x20) === 0 ? "L" : "H";
  const constraints = [...config.subarray(6, 12)].map((byte) => byte.toString(16).toUpperCase()).join(".");
  return `hvc1.${space}${first & 0x1f}.${compatibility}.${tier}${config[12] ?? 0}.${constraints.replace(/(\.0)+$/, "")}`;
}

/** AV1 Codec ISO Media File Format Binding, section 5, of an AV1CodecConfigurationRecord. */
function av1Codec([, first = 0, second = 0]: Uint8Array): string {
  const depth = (second & 0x40) === 0 ? "08" : (second & 0x20) === 0 ? "10" : "12";
  return `av01.${first >> 5}.${String(first & 0x1f).padStart(2, "0")}${(second & 0x80) === 0 ? "M" : "H"}.${depth}`;
}

/** The record goes to the decoder as it is: the data has lengths where start codes could be. */
function withDescription(codec: string, description: Uint8Array): DecoderConfig {
  return { codec, description: description.slice(), optimizeForLatency: true };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
