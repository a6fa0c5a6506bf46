import { expect, test } from "vitest";
import { enhanceHevc, flattenTrack, splitTracks, trackIdsOf } from "../../../src/protocol/flv/tracks.ts";
import { hex } from "../../support/streams/hex.ts";

const plain = (bytes: Buffer | undefined): string | undefined => bytes?.toString("hex");

const ONE = "96 01 61766331 01 000028 00000002 6588";
const MANY = "96 11 61766331 00 000009 000000 00000002 6588 01 000009 000028 00000002 6589";
const MANY_CODECS = "96 21 61766331 00 000009 000000 00000002 6588 68766331 01 000009 000028 00000002 2601";
const AUDIO = "95 11 6d703461 00 000002 2149 01 000002 2150";

test.each([
  ["a legacy message", "video", "17 01 000000 00000002 6588", [0]],
  ["an enhanced message without tracks", "video", "91 68766331 000000 00000002 2601", [0]],
  ["one track", "video", ONE, [1]],
  ["many tracks", "video", MANY, [0, 1]],
  ["many tracks with codecs of their own", "video", MANY_CODECS, [0, 1]],
  ["many tracks after a nanosecond offset", "video", `97 02 00ffff 06 ${MANY.slice(3)}`, [0, 1]],
  ["many audio tracks", "audio", AUDIO, [0, 1]],
  ["one that breaks off in its second track", "video", MANY.slice(0, -2), []],
  ["one that breaks off in its second track's head", "video", MANY.slice(0, 57), []],
] as const)("the tracks of %s", (_, kind, bytes, tracks) => {
  expect(trackIdsOf(kind, hex(bytes))).toEqual(tracks);
});

test.each([
  ["one track", ONE, [ONE]],
  ["many tracks", MANY, ["96 01 61766331 00 000000 00000002 6588", "96 01 61766331 01 000028 00000002 6589"]],
  ["many codecs", MANY_CODECS, ["96 01 61766331 00 000000 00000002 6588", "96 01 68766331 01 000028 00000002 2601"]],
])("%s, a message each", (_, bytes, parts) => {
  expect(splitTracks("video", hex(bytes)).map(plain)).toEqual(parts.map((part) => plain(hex(part))));
});

test.each([
  ["track 1 of one", "video", ONE, 1, "17 01 000028 00000002 6588"],
  ["track 0 of one that has only 1", "video", ONE, 0, undefined],
  ["track 1 of many", "video", MANY, 1, "17 01 000028 00000002 6589"],
  ["HEVC of many codecs", "video", MANY_CODECS, 1, "91 68766331 000028 00000002 2601"],
  ["a configuration", "video", "96 00 61766331 01 0142c01e", 1, "17 00 000000 0142c01e"],
  ["a frame without composition time", "video", "a3 61766331 00000002 4188", 0, "27 01 000000 00000002 4188"],
  [
    "a frame after a nanosecond offset",
    "video",
    "97 02 00ffff 03 61766331 00000002 6588",
    0,
    "17 01 000000 00000002 6588",
  ],
  ["an end", "video", "96 02 61766331 01", 1, "17 02 000000"],
  ["colours of H.264", "video", "94 61766331 02", 0, undefined],
  ["colours of HEVC", "video", "96 04 68766331 02 0203", 2, "94 68766331 0203"],
  ["a legacy message", "video", "17 01 000000 00000002 6588", 0, "17 01 000000 00000002 6588"],
  ["a legacy message, where another track is wanted", "video", "17 01 000000 00000002 6588", 1, undefined],
  ["AAC of many", "audio", AUDIO, 1, "af 01 2150"],
  ["an AAC configuration", "audio", "95 00 6d703461 01 1190", 1, "af 00 1190"],
  ["Opus", "audio", "95 01 4f707573 03 fc", 3, "91 4f707573 fc"],
  ["broken", "video", MANY.slice(0, -2), 0, undefined],
] as const)("flattened: %s", (_, kind, bytes, trackId, flat) => {
  expect(plain(flattenTrack(kind, hex(bytes), trackId))).toBe(flat === undefined ? undefined : plain(hex(flat)));
});

test.each([
  ["configuration", "1c 00 000000 0101", "90 68766331 0101"],
  ["key", "1c 01 ffffd8 00000002 2601", "91 68766331 ffffd8 00000002 2601"],
  ["inter", "2c 01 000028 00000002 0201", "a1 68766331 000028 00000002 0201"],
  ["end", "1c 02 000000", "92 68766331"],
  ["H.264", "17 01 000000 00000002 6588", "17 01 000000 00000002 6588"],
  ["cut short", "1c 01", "1c 01"],
])("HEVC of the legacy form in Enhanced RTMP's: %s", (_, bytes, enhanced) => {
  expect(plain(enhanceHevc(hex(bytes)))).toBe(plain(hex(enhanced)));
});
