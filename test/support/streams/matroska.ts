import type { EncodedTrack } from "./encoded-tracks.ts";

/**
 * Matroska's names for codecs. Their private data is what Enhanced RTMP's sequence headers hold, except for VP9, which
 * has none.
 */
const CODEC_IDS: Readonly<Record<string, string>> = {
  avc1: "V_MPEG4/ISO/AVC",
  hvc1: "V_MPEGH/ISO/HEVC",
  av01: "V_AV1",
  vp09: "V_VP9",
  mp4a: "A_AAC",
  Opus: "A_OPUS",
  fLaC: "A_FLAC",
  "ac-3": "A_AC3",
  "ec-3": "A_EAC3",
  ".mp3": "A_MPEG/L3",
};

const TrackType = { video: 1, audio: 2 } as const;
const KEYFRAME_FLAG = 0x80;

/** An element: its identifier in hexadecimal, a size of eight bytes, and its content. */
function element(id: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(0x01_00_00_00_00_00_00_00n + BigInt(body.length));
  return Buffer.concat([Buffer.from(id, "hex"), size, body]);
}

function unsigned(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return element(id, bytes);
}

function text(id: string, value: string): Buffer {
  return element(id, Buffer.from(value, "latin1"));
}

function float(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return element(id, bytes);
}

function trackEntry({ kind, fourCc, header }: EncodedTrack, number: number): Buffer {
  const shape =
    kind === "video"
      ? element("e0", unsigned("b0", 320), unsigned("ba", 180))
      : element("e1", float("b5", 48_000), unsigned("9f", 2));
  const hasPrivate = header.length > 0 && fourCc !== "vp09";
  return element(
    "ae",
    ...[unsigned("d7", number), unsigned("73c5", number), unsigned("83", TrackType[kind])],
    ...[text("86", CODEC_IDS[fourCc] ?? fourCc), ...(hasPrivate ? [element("63a2", header)] : []), shape],
  );
}

/**
 * Tracks of 320x180 video and of 48 kHz stereo audio as a Matroska file that any player reads: the simplest form, a
 * cluster for each packet, in order of decoding.
 */
export function matroskaFile(tracks: readonly EncodedTrack[]): Buffer {
  const start = element(
    "1a45dfa3",
    ...[unsigned("4286", 1), unsigned("42f7", 1), unsigned("42f2", 4), unsigned("42f3", 8)],
    ...[text("4282", "matroska"), unsigned("4287", 4), unsigned("4285", 2)],
  );
  const info = element("1549a966", unsigned("2ad7b1", 1_000_000), text("4d80", "test"), text("5741", "test"));
  const entries = element("1654ae6b", ...tracks.map((track, index) => trackEntry(track, index + 1)));
  const clusters = tracks
    .flatMap(({ packets }, index) => packets.map((packet) => ({ ...packet, number: index + 1 })))
    .toSorted((left, right) => left.timestamp - right.timestamp)
    .map(({ number, timestamp, compositionMs, isKeyframe, bytes }) => {
      // Matroska has presentation times alone, and none below 0.
      const block = Buffer.from([0x80 | number, 0, 0, isKeyframe ? KEYFRAME_FLAG : 0]);
      return element("1f43b675", unsigned("e7", timestamp + compositionMs), element("a3", block, bytes));
    });
  return Buffer.concat([start, element("18538067", info, entries, ...clusters)]);
}
