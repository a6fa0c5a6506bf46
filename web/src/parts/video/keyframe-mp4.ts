/** A keyframe and what a fragmented MP4 says of its codec. */
export type Mp4Keyframe = {
  /** The sample entry: `avc1`, `hvc1` or `av01`. */
  readonly entry: "avc1" | "hvc1" | "av01";
  /** The decoder configuration record, which is the box `avcC`, `hvcC` or `av1C`. */
  readonly config: Uint8Array;
  readonly data: Uint8Array;
};

const CONFIG_BOXES = { avc1: "avcC", hvc1: "hvcC", av01: "av1C" } as const;
/** Units of a second, and how long the one frame lasts: a player seeks into it. */
const TIMESCALE = 1_000;
const DURATION = 1_000;
/** The decoder takes the size of the picture from the codec's own headers. */
const SIZE = 16;

type Part = number | string | Uint8Array | readonly Part[];

/** Numbers are single bytes; texts are ASCII. */
const bytesOf = (part: Part): number[] =>
  typeof part === "number"
    ? [part & 0xff]
    : typeof part === "string"
      ? [...part].map((letter) => letter.charCodeAt(0))
      : part instanceof Uint8Array
        ? [...part]
        : part.flatMap(bytesOf);

const u16 = (value: number): Part => [value >> 8, value];
const u32 = (value: number): Part => [value >>> 24, value >>> 16, value >>> 8, value];
const zeros = (count: number): Part => new Uint8Array(count);

function box(type: string, ...parts: readonly Part[]): Uint8Array {
  const content = bytesOf(parts);
  return Uint8Array.from(bytesOf([u32(content.length + 8), type, content]));
}

/** A box with version 0 and flags. */
const full = (type: string, flags: number, ...parts: readonly Part[]): Uint8Array => box(type, u32(flags), ...parts);

const MATRIX: Part = [...[u32(0x10000), zeros(12), u32(0x10000), zeros(12), u32(0x40000000)]];

/** ISO/IEC 14496-12: an initialisation segment with one video track, and a fragment with one sample. */
export function keyframeMp4({ entry, config, data }: Mp4Keyframe): Uint8Array<ArrayBuffer> {
  const sampleEntry = box(
    entry,
    ...[zeros(6), u16(1), zeros(16), u16(SIZE), u16(SIZE), u32(0x480000), u32(0x480000), zeros(4), u16(1)],
    ...[zeros(32), u16(24), u16(0xffff), box(CONFIG_BOXES[entry], config)],
  );
  const empty = (type: string): Uint8Array => full(type, 0, zeros(4));
  const stbl = box(
    "stbl",
    full("stsd", 0, u32(1), sampleEntry),
    ...[empty("stts"), empty("stsc"), full("stsz", 0, zeros(8)), empty("stco")],
  );
  const minf = box("minf", full("vmhd", 1, zeros(8)), box("dinf", full("dref", 0, u32(1), full("url ", 1))), stbl);
  const mdia = box(
    "mdia",
    full("mdhd", 0, zeros(8), u32(TIMESCALE), zeros(4), u16(0x55c4), zeros(2)),
    full("hdlr", 0, zeros(4), "vide", zeros(12), 0),
    minf,
  );
  const tkhd = full("tkhd", 3, zeros(8), u32(1), zeros(24), MATRIX, u16(SIZE), zeros(2), u16(SIZE), zeros(2));
  const mvhd = full("mvhd", 0, zeros(8), u32(TIMESCALE), zeros(4), u32(0x10000), u16(0x100), zeros(10), MATRIX, [
    ...[zeros(24), u32(2)],
  ]);
  const trex = full("trex", 0, u32(1), u32(1), zeros(12));
  const head = [
    box("ftyp", "isom", zeros(4), "isomiso6mp41"),
    box("moov", mvhd, box("trak", tkhd, mdia), box("mvex", trex)),
  ];
  // The sample's flags say that it depends on no other.
  const moof = (offset: number): Uint8Array =>
    box(
      "moof",
      full("mfhd", 0, u32(1)),
      box(
        "traf",
        full("tfhd", 0x20000, u32(1)),
        full("tfdt", 0, u32(0)),
        full("trun", 0x701, u32(1), u32(offset), u32(DURATION), u32(data.length), u32(0x02000000)),
      ),
    );
  const fragment = moof(moof(0).length + 8);
  const mdat = Uint8Array.from(bytesOf([u32(data.length + 8), "mdat"]));
  const parts = [...head, fragment, mdat, data];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
