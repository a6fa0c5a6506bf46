import { expect, test } from "vitest";
import { AUDIO_PID, demuxed, type StreamEntry, shown, TsWriter } from "../../support/streams/ts-packets.ts";

const LATM: StreamEntry = { pid: AUDIO_PID, type: 0x11 };
/** AAC-LC of 48 kHz and one channel: 1,024 samples are 21.3 ms. */
const PLAIN = bitsOf("1188");

/** Parts of a StreamMuxConfig (ISO/IEC 14496-3, 1.7.3.2), as bits. */
type Mux = {
  readonly version?: string;
  readonly framing?: string;
  readonly subFrames?: number;
  readonly programs?: string;
  readonly layers?: string;
  readonly asc?: string;
  readonly frameLengthType?: string;
  readonly otherData?: string;
  readonly crc?: string;
};

/** A mux element that has its configuration and these payloads. */
function withConfig(mux: Mux, ...payloads: readonly string[]): string {
  const { version = "0", framing = "1", subFrames = 1, programs = "0000", layers = "000", asc = PLAIN } = mux;
  const { frameLengthType = "000", otherData = "0", crc = "0" } = mux;
  const counts = `${framing}${(subFrames - 1).toString(2).padStart(6, "0")}${programs}${layers}`;
  const config = version.startsWith("1") ? `${value(asc.length)}${asc}` : asc;
  const head = `0${version}${counts}${config}${frameLengthType}11111111${otherData}${crc}`;
  return `${head}${payloads.map(payloadBits).join("")}`;
}

/** A mux element of the configuration before it. */
const again = (payload: string) => `1${payloadBits(payload)}`;

function payloadBits(hex: string): string {
  const bytes = hex.length / 2;
  return `${"1".repeat(8 * Math.floor(bytes / 255))}${(bytes % 255).toString(2).padStart(8, "0")}${bitsOf(hex)}`;
}

function bitsOf(hex: string): string {
  return [...Buffer.from(hex, "hex")].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

/** A LatmGetValue of one byte. */
function value(number: number): string {
  return `00${number.toString(2).padStart(8, "0")}`;
}

/** A LOAS frame of these bits. */
function loas(bits: string): Buffer {
  const bytes = bits.padEnd(Math.ceil(bits.length / 8) * 8, "0").match(/.{8}/g) ?? [];
  const element = Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
  const head = Buffer.alloc(3);
  head.writeUIntBE((0x2b7 << 13) | element.length, 0, 3);
  return Buffer.concat([head, element]);
}

/** What comes of these mux elements. */
function read(...elements: readonly string[]): readonly string[] {
  const ts = new TsWriter();
  return shown(demuxed(ts.tables([LATM]), ts.pes(AUDIO_PID, Buffer.concat(elements.map(loas)), { pts: 90_000 })));
}

/** HE-AAC in the form that older decoders take for plain AAC. */
const BACKWARD = bitsOf("130856e500");
const VERSION_1 = `10${value(255)}`;
const LONG = "5a".repeat(300);
const LONGER = "5a".repeat(510);

test.each([
  { name: "a configuration and a payload", elements: [withConfig({}, "0123")], frames: ["1000 af010123"] },
  {
    name: "several payloads of one element, each at the time of its samples",
    elements: [withConfig({ subFrames: 3 }, "0123", "4567", "89ab")],
    frames: ["1000 af010123", "1021 af014567", "1043 af0189ab"],
  },
  {
    name: "elements of the configuration before them, and the same one again",
    elements: [withConfig({}, "0123"), again("4567"), withConfig({}, "89ab")],
    frames: ["1000 af010123", "1021 af014567", "1043 af0189ab"],
  },
  { name: "a payload of 300 bytes", elements: [withConfig({}, LONG)], frames: [`1000 af01${LONG}`] },
  { name: "a payload of 510 bytes", elements: [withConfig({}, LONGER)], frames: [`1000 af01${LONGER}`] },
  { name: "a checksum", elements: [withConfig({ crc: "110101010" }, "0123")], frames: ["1000 af010123"] },
  {
    name: "the length of other data, in two bytes",
    elements: [withConfig({ otherData: `1${"1"}${"00000001"}${"0"}${"11111111"}` }, "0123")],
    frames: ["1000 af010123"],
  },
  {
    name: "the newer form, which tells the length of its configuration and of other data",
    elements: [withConfig({ version: VERSION_1, asc: BACKWARD, otherData: `1${value(0)}` }, "0123")],
    config: "130856e500",
    frames: ["1000 af010123"],
  },
  {
    name: "a rate in full",
    elements: [withConfig({ asc: `00010${"1111"}${(48_000).toString(2).padStart(24, "0")}${"0001"}000` }, "0123")],
    config: "1780 5dc0 08".replaceAll(" ", ""),
    frames: ["1000 af010123"],
  },
  {
    name: "the delay of a core coder",
    elements: [withConfig({ asc: `00010${"0011"}${"0001"}0${"1"}${"01010101010101"}0` }, "0123")],
    config: "118aaaa8",
    frames: ["1000 af010123"],
  },
  {
    name: "HE-AAC that says so: its frames are those of half the rate",
    elements: [withConfig({ asc: `00101${"0110"}${"0010"}${"0011"}${"00010"}000` }, "0123"), again("4567")],
    config: "2b118800",
    frames: ["1000 af010123", "1043 af014567"],
  },
  {
    name: "HE-AAC of two channels made of one, with its rate in full",
    elements: [
      withConfig(
        { asc: `11101${"0110"}${"0001"}${"1111"}${(48_000).toString(2).padStart(24, "0")}${"00010"}000` },
        "0123",
      ),
    ],
    config: "eb0f805dc00800",
    frames: ["1000 af010123"],
  },
])("LATM: $name", ({ elements, config = "1188", frames }) => {
  expect(read(...elements)).toEqual([`audio 1000 af00${config}`, ...frames.map((frame) => `audio ${frame}`)]);
});

test("LATM: where the stream's packets cut frames, and garbage between them, change nothing", () => {
  const [first, ...others] = [withConfig({}, "0123"), again("4567"), again("89ab")].map(loas);
  const bytes = Buffer.concat([first ?? Buffer.alloc(0), Buffer.from("5612340056", "hex"), ...others]);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    const ts = new TsWriter();
    const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].map((part) => ts.pes(AUDIO_PID, part, { pts: 90_000 }));
    const found = shown(demuxed(ts.tables([LATM]), ...parts)).map((text) => text.split(" ")[2]);
    // Before the first whole frame there is only that audio came.
    const frames = found.filter((text) => text !== "f000000000000000");
    expect([cut, frames]).toEqual([cut, ["af001188", "af010123", "af014567", "af0189ab"]]);
  }
});

test("LATM: another configuration is told before the frames that have it", () => {
  const stereo = withConfig({ asc: bitsOf("1190") }, "4567");
  expect(read(withConfig({}, "0123"), stereo)).toEqual([
    ...["audio 1000 af001188", "audio 1000 af010123"],
    ...["audio 1021 af001190", "audio 1021 af014567"],
  ]);
});

test.each([
  { name: "the form that is not defined yet", element: withConfig({ version: `11${value(255)}` }, "0123") },
  { name: "streams with framings of their own", element: withConfig({ framing: "0" }, "0123") },
  { name: "two programs", element: withConfig({ programs: "0001" }, "0123") },
  { name: "two layers", element: withConfig({ layers: "001" }, "0123") },
  { name: "another way to tell lengths", element: withConfig({ frameLengthType: "001" }, "0123") },
  { name: "channels as a program configuration tells them", element: withConfig({ asc: bitsOf("1180") }, "0123") },
  { name: "a codec that is not AAC", element: withConfig({ asc: `01000${"0011"}${"0001"}000` }, "0123") },
  { name: "no configuration", element: withConfig({}, "0123").slice(0, 20) },
  { name: "a configuration that is cut short behind its codec's own", element: withConfig({}, "0123").slice(0, 40) },
  {
    name: "a codec's configuration of more than 64 bytes",
    element: withConfig({ version: VERSION_1, asc: "" }).replace(
      value(0),
      `01${(65 * 8).toString(2).padStart(16, "0")}${bitsOf("1188".padEnd(130, "0"))}`,
    ),
  },
  {
    name: "a configuration that is longer than its element",
    element: `0${VERSION_1}1000000${"0000"}000${value(200)}${PLAIN}`,
  },
])("LATM: $name is passed over, and ends what was known", ({ element }) => {
  // Nothing but that audio came.
  expect(read(again("0123"), element, again("4567"))).toEqual(["audio 0 f000000000000000"]);
  const before = [withConfig({}, "0123"), element, again("4567")];
  expect(read(...before)).toEqual(["audio 1000 af001188", "audio 1000 af010123"]);
});

test("LATM: a payload that is cut short, or has no bytes, is left out with what follows it in its element", () => {
  const short = `${withConfig({ subFrames: 2 }, "0123")}${"00000101"}${bitsOf("4567")}`;
  const empty = withConfig({ subFrames: 2 }, "", "4567");
  expect(read(short)).toEqual(["audio 1000 af001188", "audio 1000 af010123"]);
  expect(read(empty, withConfig({}, "89ab"))).toEqual(["audio 1000 af001188", "audio 1000 af0189ab"]);
});
