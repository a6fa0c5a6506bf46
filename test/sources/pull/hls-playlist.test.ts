import { expect, test } from "vitest";
import { type HlsPart, PlaylistError, rewritePlaylist } from "../../../src/sources/pull-links/hls-playlist.ts";
import type { HlsPlace } from "../../../src/sources/pull-links/hls-segments.ts";
import { threadMs } from "../../support/processes/thread-time.ts";

const BASE = new URL("https://media.example/live/index.m3u8?token=1");

function rewritten(lines: readonly string[], from?: HlsPlace) {
  const named: string[] = [];
  const nameOf = (url: URL, part: HlsPart) => {
    const name = `${part} ${url.href}`;
    if (!named.includes(name)) named.push(name);
    return `/${named.indexOf(name) + 1}`;
  };
  const { text, variant, joints, first } = rewritePlaylist(lines.join("\n"), BASE, nameOf, from);
  return { named, lines: text.trimEnd().split("\n"), variant, joints, first };
}

function refusal(lines: readonly string[]): string {
  try {
    return rewritten(lines).lines.join("\n");
  } catch (error) {
    return error instanceof PlaylistError ? error.message : String(error);
  }
}

const HEAD = ["#EXTM3U", "#EXT-X-TARGETDURATION:4"];

test("a media playlist has the same segments under local names, and nothing that is not known", () => {
  const { lines, named } = rewritten([
    ...[...HEAD, "#EXT-X-VERSION:9", "#EXT-X-MEDIA-SEQUENCE:7", "#EXT-X-DISCONTINUITY-SEQUENCE:1", "#COMMENT"],
    '#EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"',
    '#EXT-X-KEY:METHOD=AES-128,URI="key.bin",IV=0x000102030405060708090a0b0c0d0e0f',
    ...["#EXTINF:4.000,a title", "#EXT-X-BYTERANGE:500@100", "a.m4s", "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z"],
    ...['#EXT-X-PART:URI="file:///etc/passwd"', "#EXT-X-DISCONTINUITY", "#EXT-X-KEY:METHOD=NONE", "#EXTINF:4,"],
    ...["//cdn.example/b.ts?x=1", "#EXT-X-ENDLIST"],
  ]);
  expect(lines).toEqual([
    ...["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:7"],
    ...["#EXT-X-DISCONTINUITY-SEQUENCE:1", '#EXT-X-MAP:URI="/1",BYTERANGE="100@0"'],
    '#EXT-X-KEY:METHOD=AES-128,URI="/2",IV=0x000102030405060708090a0b0c0d0e0f',
    ...["#EXTINF:4.000,", "#EXT-X-BYTERANGE:500@100", "/3", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY:METHOD=NONE"],
    ...["#EXTINF:4,", "/4", "#EXT-X-ENDLIST"],
  ]);
  expect(named).toEqual([
    ...["map https://media.example/live/init.mp4", "key https://media.example/live/key.bin"],
    ...["segment https://media.example/live/a.m4s", "segment https://cdn.example/b.ts?x=1"],
  ]);
});

/** Three forms in one file, the second one encrypted, and its first segment in two parts. */
const JOINED = [
  ...["#EXTM3U", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:7", '#EXT-X-MAP:URI="all.mp4",BYTERANGE="10@0"'],
  ...["#EXTINF:4,", "#EXT-X-BYTERANGE:90@10", "all.mp4", "#EXTINF:2.5,", "#EXT-X-BYTERANGE:50", "all.mp4"],
  ...["#EXT-X-DISCONTINUITY", '#EXT-X-KEY:METHOD=AES-128,URI="1.key"', '#EXT-X-MAP:URI="all.mp4",BYTERANGE="10@150"'],
  ...['#EXT-X-KEY:METHOD=AES-128,URI="2.key"', "#EXTINF:4,", "#EXT-X-BYTERANGE:40@160", "all.mp4"],
  ...["#EXTINF:2,", "#EXT-X-BYTERANGE:40", "all.mp4", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY:METHOD=NONE"],
  ...['#EXT-X-MAP:URI="last.mp4"', "#EXTINF:4,", "last.m4s"],
];
const END = "#EXT-X-ENDLIST";

test("where the header of fragmented MP4 changes is known, by number and by time", () => {
  const { joints } = rewritten([...JOINED, END]);
  expect(joints).toEqual([
    { name: "/1", from: 0, place: { number: 7n, seconds: 0 } },
    { name: "/1", from: 150, place: { number: 9n, seconds: 6.5 } },
    { name: "/5", from: 0, place: { number: 11n, seconds: 12.5 } },
  ]);
  // The beginning of a live one moves on.
  const places = rewritten(JOINED).joints?.map(({ place }) => place);
  expect(places).toEqual([{ number: 7n }, { number: 9n }, { number: 11n }]);
  // Each place once, and none that was left out.
  const again = [...JOINED, '#EXT-X-MAP:URI="last.mp4"', "#EXTINF:4,", "b.m4s", END];
  expect(rewritten(again, { number: 0n, seconds: 6.5 }).joints).toEqual(joints?.slice(1));
});

test.each([
  {
    name: "a whole playlist by the time",
    lines: [...JOINED, END],
    from: { number: 0n, seconds: 6.5 },
  },
  {
    name: "a live one by the number",
    lines: JOINED,
    from: { number: 9n },
  },
  {
    name: "a live one that has ended meanwhile by the number",
    lines: [...JOINED, END],
    from: { number: 9n },
  },
])("of $name goes on where it was left, with what holds there", ({ lines, from }) => {
  const whole = lines.includes(END) ? [END] : [];
  expect(rewritten(lines, from).first).toEqual({ number: 9n });
  expect(rewritten(lines, from).lines).toEqual([
    ...["#EXTM3U", "#EXT-X-VERSION:6", "#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:9"],
    ...['#EXT-X-MAP:URI="/1",BYTERANGE="10@0"', "#EXT-X-DISCONTINUITY", '#EXT-X-KEY:METHOD=AES-128,URI="/3"'],
    ...['#EXT-X-MAP:URI="/1",BYTERANGE="10@150"', '#EXT-X-KEY:METHOD=AES-128,URI="/4"', "#EXTINF:4,"],
    ...["#EXT-X-BYTERANGE:40@160", "/2", "#EXTINF:2,", "#EXT-X-BYTERANGE:40@200", "/2", "#EXT-X-DISCONTINUITY"],
    ...["#EXT-X-KEY:METHOD=NONE", '#EXT-X-MAP:URI="/5"', "#EXTINF:4,", "/6", ...whole],
  ]);
});

test("in the middle of a form its header and both keys come first", () => {
  expect(rewritten(JOINED, { number: 10n }).lines.slice(2)).toEqual([
    ...["#EXT-X-TARGETDURATION:4", "#EXT-X-MEDIA-SEQUENCE:10", '#EXT-X-KEY:METHOD=AES-128,URI="/3"'],
    ...['#EXT-X-MAP:URI="/1",BYTERANGE="10@150"', '#EXT-X-KEY:METHOD=AES-128,URI="/4"', "#EXTINF:2,"],
    ...["#EXT-X-BYTERANGE:40@200", "/2", "#EXT-X-DISCONTINUITY", "#EXT-X-KEY:METHOD=NONE"],
    ...['#EXT-X-MAP:URI="/5"', "#EXTINF:4,", "/6"],
  ]);
});

test.each([
  { name: "live", lines: JOINED, from: { number: 12n } },
  { name: "whole", lines: [...JOINED, END], from: { number: 0n, seconds: 20 } },
])("a $name playlist that ends before the place is another one by now, and has all its segments", ({ lines, from }) => {
  expect(rewritten(lines, from)).toEqual(rewritten(lines));
});

test.each([
  // The nearest joint of audio, whose segments have another length.
  { seconds: 5.9, kept: 3 },
  { seconds: 6.1, kept: 2 },
  // What has no length ends there too: it is not begun with again and again.
  { seconds: 8, kept: 1 },
])("of a whole playlist that was left at $seconds s there are $kept segments left", ({ seconds, kept }) => {
  const lines = ["#EXTM3U", "#EXTINF:4,", "a", "#EXTINF:4,", "b", "#EXTINF:0,", "c", "#EXTINF:4,", "d", END];
  const names = rewritten(lines, { number: 0n, seconds }).lines.filter((line) => line.startsWith("/"));
  expect(names.length).toBe(kept);
});

test.each([
  { name: "behind that of the video", lengths: [2, 0.05], kept: "c" },
  { name: "before that of the video", lengths: [1, 0.93], kept: "c" },
  { name: "too far behind it to be the same one", lengths: [2, 1.1], kept: "b" },
])("audio goes on at its own joint: $name", ({ lengths: [first, second], kept }) => {
  const before = ['#EXT-X-MAP:URI="a.mp4"', `#EXTINF:${first},`, "a", `#EXTINF:${second},`, "b"];
  const behind = ['#EXT-X-MAP:URI="b.mp4"', "#EXTINF:2,", "c", "#EXTINF:2,", "d", END];
  const { lines, named } = rewritten(["#EXTM3U", ...before, ...behind], { number: 0n, seconds: 2 });
  const [name] = lines.filter((line) => line.startsWith("/"));
  expect(named[Number(name?.slice(1)) - 1]).toBe(`segment https://media.example/live/${kept}`);
});

test("numbers may have as many digits as servers write", () => {
  const { lines } = rewritten([
    ...["#EXTM3U", "#EXT-X-TARGETDURATION: 10.0", "#EXT-X-MEDIA-SEQUENCE:20261130084500123"],
    ...["#EXTINF: 9.9766439999999998,", "a.ts", "#EXTINF:10.,live", "b.ts", "#EXTINF:4.0000000000", "c.ts"],
  ]);
  expect(lines.slice(2)).toEqual([
    ...["#EXT-X-TARGETDURATION:10", "#EXT-X-MEDIA-SEQUENCE:20261130084500123"],
    ...["#EXTINF:9.976643999,", "/1", "#EXTINF:10,", "/2", "#EXTINF:4.000000000,", "/3"],
  ]);
});

test("of a master playlist the best variant is left, with its audio", () => {
  const { lines, named } = rewritten([
    ...["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x,y",URI="a.m3u8"'],
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="second",DEFAULT=NO,URI="b2.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="first",DEFAULT=YES,URI="b1.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="b",URI="file:///etc/passwd"',
    ...['#EXT-X-STREAM-INF:BANDWIDTH=800000,AUDIO="a",CODECS="avc1.4d401f,mp4a.40.2"', "low.m3u8"],
    ...['#EXT-X-STREAM-INF:CODECS="avc1.640028,mp4a.40.2",BANDWIDTH=5000000,AUDIO="b"', "", "high.m3u8"],
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000000,URI="file:///etc/passwd"',
  ]);
  expect(lines.slice(2)).toEqual([
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="/1"',
    ...['#EXT-X-STREAM-INF:BANDWIDTH=5000000,AUDIO="a"', "/2"],
  ]);
  expect(named).toEqual([
    "playlist https://media.example/live/b1.m3u8",
    "playlist https://media.example/live/high.m3u8",
  ]);
});

const H264 = 'BANDWIDTH=3000000,RESOLUTION=1280x720,CODECS="avc1.64001f,mp4a.40.2"';
test.each([
  { name: "H.265", others: ['BANDWIDTH=9000000,CODECS="hvc1.2.4.L153.B0,mp4a.40.2"'] },
  { name: "H.265 with Dolby Vision", others: ['BANDWIDTH=9000000,CODECS="dvh1.05.06,ec-3"'] },
  {
    name: "AV1 and VP9",
    others: ['BANDWIDTH=9000000,CODECS="av01.0.08M.08"', 'BANDWIDTH=8000000,CODECS="vp09.00.41.08"'],
  },
  { name: "H.264 with 10 bits", others: ['BANDWIDTH=9000000,CODECS="avc1.6e0028,mp4a.40.2"'] },
  { name: "audio alone", others: ['BANDWIDTH=9000000,CODECS="mp4a.40.2"', 'BANDWIDTH=9000000,CODECS="Opus, fLaC"'] },
  { name: "less of H.264", others: ['BANDWIDTH=800000,CODECS="avc1.66.30,mp4a.40.2"', "BANDWIDTH=700000"] },
])("platforms take H.264: it is chosen before $name, and said", ({ others }) => {
  for (const list of [
    [...others, H264],
    [H264, ...others],
  ]) {
    const lines = list.flatMap((each, index) => [`#EXT-X-STREAM-INF:${each}`, `${index}.m3u8`]);
    const { named, variant } = rewritten(["#EXTM3U", ...lines]);
    expect(named).toEqual([`playlist https://media.example/live/${list.indexOf(H264)}.m3u8`]);
    expect(variant).toEqual({ bitRate: 3_000_000, width: 1_280, height: 720, codecs: "avc1.64001f,mp4a.40.2" });
  }
});

test.each([
  {
    name: "another codec, where there is no H.264",
    of: ['BANDWIDTH=5,CODECS="hvc1.1"', 'BANDWIDTH=9,CODECS="mp4a.40.2"'],
  },
  { name: "what the playlist does not say", of: ["BANDWIDTH=5", 'BANDWIDTH=9,CODECS="hvc1.1"', "BANDWIDTH=4"] },
  {
    name: "video whose codec is not in the list",
    of: ['BANDWIDTH=5,RESOLUTION=640x360,CODECS="mp4a.40.2"', 'BANDWIDTH=9,CODECS="mp4a.40.2"'],
  },
  {
    name: "the older way to write a profile",
    of: ['BANDWIDTH=5,CODECS="avc1.77.31"', 'BANDWIDTH=4,CODECS="avc1.4d401f"'],
  },
  {
    name: "audio, where there is nothing else",
    of: ['BANDWIDTH=5,CODECS="mp4a.40.2"', 'BANDWIDTH=4,CODECS="mp4a.40.5"'],
  },
])("of variants is chosen $name", ({ of }) => {
  const lines = of.flatMap((each, index) => [`#EXT-X-STREAM-INF:${each}`, `${index}.m3u8`]);
  expect(rewritten(["#EXTM3U", ...lines]).variant?.bitRate).toBe(5);
});

test("what a playlist says of its variant is bounded, and is words and numbers", () => {
  const said = `BANDWIDTH=1,RESOLUTION=<b>,CODECS="avc1.4d401f,<script>${"x".repeat(500)}"`;
  const { variant } = rewritten(["#EXTM3U", `#EXT-X-STREAM-INF:${said}`, "a.m3u8"]);
  expect(variant).toEqual({ bitRate: 1, codecs: `avc1.4d401f,script${"x".repeat(82)}` });
});

test.each([
  { name: "another text", lines: ["<html>"], message: "no HLS playlist" },
  { name: "a file", lines: [...HEAD, "#EXTINF:1,", "file:///etc/passwd"], message: "kind file: in" },
  { name: "a file in capitals", lines: [...HEAD, "#EXTINF:1,", " FILE:/etc/passwd"], message: "kind file: in" },
  {
    name: "a key in a file",
    lines: [...HEAD, '#EXT-X-KEY:METHOD=AES-128,URI="file:///etc/passwd"'],
    message: "kind file:",
  },
  { name: "a map in a file", lines: [...HEAD, '#EXT-X-MAP:URI="file:///etc/passwd"'], message: "kind file: in" },
  {
    name: "FFmpeg's own protocols",
    lines: [...HEAD, "#EXTINF:1,", "concat:http://a/|file:///b"],
    message: "kind concat:",
  },
  { name: "data", lines: [...HEAD, "#EXTINF:1,", "data:text/plain,x"], message: "kind data: in" },
  {
    name: "a variant in a file",
    lines: ["#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1", "file:///x"],
    message: "kind file:",
  },
  { name: "no segment", lines: HEAD, message: "without a segment" },
  { name: "a number with words", lines: [...HEAD, "#EXT-X-MEDIA-SEQUENCE:1 x", "a.ts"], message: "malformed number" },
  { name: "a duration with words", lines: [...HEAD, "#EXTINF:1e9,", "a.ts"], message: "malformed duration" },
  {
    name: "DRM",
    lines: [...HEAD, '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"', "a.ts"],
    message: "encrypted in another",
  },
  {
    name: "a broken IV",
    lines: [...HEAD, '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1"\nfile:'],
    message: "malformed IV",
  },
  {
    name: "too many lines",
    lines: ["#EXTM3U", ...Array.from({ length: 50_001 }, () => "#")],
    message: "too many lines",
  },
  { name: "too long a line", lines: ["#EXTM3U", "a".repeat(9_000)], message: "too long a line" },
])("$name is refused", ({ lines, message }) => {
  expect(refusal(lines)).toContain(message);
});

test.each([
  { pathLength: 8_000, named: 0, message: "too long an address in the playlist" },
  { pathLength: 4_000, named: 2_082, message: "too long addresses in the playlist" },
])("short lines behind a path of $pathLength characters cost no more than others", ({ pathLength, named, message }) => {
  const base = new URL(`https://media.example/${"d".repeat(pathLength)}/index.m3u8`);
  let count = 0;
  const lines = [...HEAD, ...Array.from({ length: 20_000 }, (_, number) => `#EXTINF:1,\n${10_000 + number}`)];
  const read = () =>
    rewritePlaylist(lines.join("\n"), base, () => {
      count += 1;
      return "/1";
    });
  expect(read).toThrow(new PlaylistError(message));
  expect(count).toBe(named);
});

test("a playlist of nothing but variants is read in one go", () => {
  const lines = ["#EXTM3U", ...Array.from({ length: 49_000 }, () => "#EXT-X-STREAM-INF:"), "a.m3u8"];
  const costMs = threadMs(() => expect(rewritten(lines).named).toEqual(["playlist https://media.example/live/a.m3u8"]));
  // Where each variant looks for its address among all the others it is many seconds.
  expect(costMs).toBeLessThan(1_000);
});
