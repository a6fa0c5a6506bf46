import { expect, test } from "vitest";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { mediaOf, plain, RelayStage, target } from "../support/stages/relay-stage.ts";
import { hex } from "../support/streams/hex.ts";
import { aacFrame, audio, avcFrame, video } from "../support/streams/media-messages.ts";

const AVC_0 = "1700000000 0142c01effe1000101 01000102";
const AVC_1 = "96 00 61766331 01 0142c01effe1000103 01000104";
const AAC_0 = "af00 1190";
const AAC_1 = "95 00 6d703461 01 1210";
const frame = (isKey: boolean, trackId: number, mark: string): string => {
  const start = isKey ? "1" : "2";
  const nal = `00000002 ${isKey ? "65" : "41"}${mark}`;
  if (trackId === 0) return `${start}7 01 000000 ${nal}`;
  return `${isKey ? "96" : "a6"} 01 61766331 0${trackId} 000028 ${nal}`;
};

const plainFrame = (...of: Parameters<typeof frame>): string => frame(...of).replaceAll(" ", "");

/** Two tracks of each kind, as OBS sends them: the default ones in the legacy form. */
function begin(stage: RelayStage, targets: Parameters<RelayStage["spec"]>[0]) {
  stage.engine.introduce(stage.spec(targets));
  const publisher = stage.open();
  for (const bytes of [AAC_0, AAC_1]) publisher.push(audio(0, hex(bytes)));
  for (const bytes of [AVC_0, AVC_1]) publisher.push(video(0, hex(bytes)));
  return publisher;
}

test("all tracks go through unchanged, each behind its header", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1)]);
  stage.dialer.latest(1).accept();
  for (const [isKey, trackId] of [
    [true, 0],
    [true, 1],
    [false, 0],
    [false, 1],
  ] as const) {
    publisher.push(video(isKey ? 0 : 40, hex(frame(isKey, trackId, "11"))));
  }
  publisher.push(audio(40, hex("95 01 6d703461 01 2133")));
  expect(stage.sent(1)).toEqual(
    [
      `0 ${AAC_0}`,
      `0 ${AAC_1}`,
      `0 ${AVC_0}`,
      `0 ${AVC_1}`,
      `0 ${frame(true, 0, "11")}`,
      `0 ${frame(true, 1, "11")}`,
      `40 ${frame(false, 0, "11")}`,
      `40 ${frame(false, 1, "11")}`,
      "40 95 01 6d703461 01 2133",
    ].map(plain),
  );
});

test("a target that joins late gets each track's header, and each track from its own keyframe on", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1), target(2)]);
  stage.dialer.latest(1).accept();
  publisher.push(video(0, hex(frame(true, 0, "01"))));
  publisher.push(video(0, hex(frame(true, 1, "01"))));
  stage.clock.advance(3_000);
  publisher.push(video(3_000, hex(frame(false, 1, "02"))));
  stage.dialer.latest(2).accept();
  publisher.push(video(3_040, hex(frame(true, 0, "03"))));
  publisher.push(video(3_040, hex(frame(false, 1, "04"))));
  publisher.push(video(3_080, hex(frame(true, 1, "05"))));
  publisher.push(video(3_120, hex(frame(false, 1, "06"))));
  expect(stage.sent(2).slice(4)).toEqual(
    [`0 ${frame(true, 0, "03")}`, `40 ${frame(true, 1, "05")}`, `80 ${frame(false, 1, "06")}`].map(plain),
  );
  expect(stage.sent(1).slice(6)).toHaveLength(5);
});

test("sequence headers of many tracks in one message are kept for each track", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  const publisher = stage.open();
  publisher.push(video(0, hex("96 20 61766331 00 000004 0142c01e 68766331 01 000002 0102")));
  stage.dialer.latest(1).accept();
  publisher.push(
    video(0, hex("96 21 61766331 00 000009 000000 00000002 6588 68766331 01 000009 000000 00000002 2601")),
  );
  publisher.push(video(500, hex("96 00 68766331 01 0103")));
  stage.clock.advance(2_500);
  stage.dialer.latest(2).accept();
  publisher.push(
    video(3_000, hex("96 21 61766331 00 000009 000000 00000002 6589 68766331 01 000009 000000 00000002 2602")),
  );
  expect(stage.sent(2)).toEqual(
    [
      "0 96 00 61766331 00 0142c01e",
      "0 96 00 68766331 01 0103",
      "0 96 21 61766331 00 000009 000000 00000002 6589 68766331 01 000009 000000 00000002 2602",
    ].map(plain),
  );
  expect(stage.sent(1)[0]).toBe(plain("0 96 00 61766331 00 0142c01e"));
});

test("a target that chose a track of each kind gets these alone, in the legacy form, and others are unaffected", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [
    target(1),
    target(2, { tracks: { video: 1, audio: 1 } }),
    target(3, { tracks: { video: 0, audio: 1 } }),
  ]);
  for (const link of stage.dialer.links) link.accept();
  publisher.push(video(0, hex(frame(true, 0, "01"))));
  publisher.push(video(0, hex(frame(true, 1, "02"))));
  publisher.push(audio(20, aacFrame(9, 2)));
  publisher.push(audio(20, hex("95 01 6d703461 01 2133")));
  publisher.push(video(40, hex(frame(false, 1, "03"))));
  expect(stage.sent(2)).toEqual(
    [
      "0 af00 1210",
      "0 1700000000 0142c01effe1000103 01000104",
      "0 17 01 000028 00000002 6502",
      "20 af 01 2133",
      "40 27 01 000028 00000002 4103",
    ].map(plain),
  );
  expect(stage.sent(3)).toEqual(
    ["0 af00 1210", `0 ${AVC_0}`, "0 17 01 000000 00000002 6501", "20 af 01 2133"].map(plain),
  );
  expect(stage.sent(1)).toHaveLength(9);
});

test("a choice that changes on air reconnects that target, without ending the broadcast", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1), target(2)]);
  for (const link of stage.dialer.links) link.accept();
  publisher.push(video(0, hex(frame(true, 0, "01"))));
  const [, before] = stage.dialer.links;
  stage.engine.apply(stage.spec([target(1), target(2, { tracks: { video: 0, audio: 0 } })]));
  expect(before?.closedHow).toBe("cut");
  expect(stage.dialer.links).toHaveLength(3);
  stage.dialer.latest(2).accept();
  publisher.push(video(40, hex(frame(true, 0, "02"))));
  publisher.push(video(40, hex(frame(true, 1, "02"))));
  expect(stage.sent(2)).toEqual([`0 ${AAC_0}`, `0 ${AVC_0}`, `0 ${frame(true, 0, "02")}`].map(plain));
});

const HEVC = "1c 00 000000 01020304";

test("HEVC of the legacy form goes as Enhanced RTMP to targets that chose that, and unchanged to others", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2), target(3, { codecs: { video: ["avc", "hevc"] } })]));
  const publisher = stage.open();
  publisher.push(video(0, hex(HEVC)));
  stage.dialer.latest(1).accept();
  stage.dialer.latest(2).accept(1, true);
  stage.dialer.latest(3).accept();
  publisher.push(video(0, hex("1c 01 000028 00000002 2601")));
  publisher.push(video(40, hex("2c 01 000000 00000002 0201")));
  const enhanced = [
    "0 90 68766331 01020304",
    "0 91 68766331 000028 00000002 2601",
    "40 a1 68766331 000000 00000002 0201",
  ];
  expect(stage.sent(1)).toEqual(
    [`0 ${HEVC}`, "0 1c 01 000028 00000002 2601", "40 2c 01 000000 00000002 0201"].map(plain),
  );
  expect(stage.sent(2)).toEqual(enhanced.map(plain));
  expect(stage.sent(3)).toEqual(enhanced.map(plain));
});

const OPUS = "91 4f707573 fc01";

test.each([
  ["video", video(0, hex("90 68766331 0102")), "HEVC"],
  ["audio without a header", audio(0, hex(OPUS)), "Opus"],
  ["legacy audio", audio(0, hex("82 ff")), "G.711"],
])("a target whose preset does not take the %s reports so, and the others go on", (_, message, name) => {
  const stage = new RelayStage(600);
  const codecs = { video: ["avc"], audio: ["aac"] };
  stage.engine.introduce(stage.spec([target(1, { codecs }), target(2)]));
  const publisher = stage.open();
  publisher.push(audio(0, hex(AAC_0)));
  publisher.push(message);
  stage.clock.advance(1);
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  expect(stage.dialer.latest(1).closedHow).toBe("cut");
  expect(stage.status()?.lastError?.message).toContain(name);
  stage.dialer.latest(2).accept();
  expect(stage.statuses(2)).toEqual(["CONNECTING", "PUBLISHING"]);
  const dials = stage.dialer.links.length;
  stage.clock.advance(130_000);
  expect(stage.dialer.links).toHaveLength(dials);
  expect(stage.samples.at(-1)?.targets.find(({ targetId }) => targetId === 1)?.retryCount).toBe(0);
});

test("a target that accepts before the first video header gets HEVC in its own form too", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  const publisher = stage.open();
  publisher.push(audio(0, hex(AAC_0)));
  stage.dialer.latest(1).accept(1, true);
  stage.dialer.latest(2).accept();
  publisher.push(video(0, hex("1c00000000 01aabb")));
  publisher.push(video(0, hex("1c01000000 cafe01")));
  expect(stage.sent(1)).toEqual(["0 af001190", "0 9068766331" + "01aabb", "0 9168766331" + "000000cafe01"]);
  expect(stage.sent(2)).toEqual(["0 af001190", "0 1c0000000001aabb", "0 1c01000000cafe01"]);
});

test("a codec of a track that was not chosen keeps no target away, and a later broadcast that fits is sent", () => {
  const stage = new RelayStage();
  const codecs = { video: ["avc"], audio: ["aac"] };
  const chosen = target(1, { codecs, tracks: { video: 0, audio: 0 } });
  stage.engine.introduce(stage.spec([chosen, target(2, { codecs })]));
  const publisher = stage.open();
  publisher.push(video(0, hex(AVC_0)));
  publisher.push(video(0, hex("96 00 68766331 01 0103")));
  stage.clock.advance(1);
  expect(stage.statuses(1).at(-1)).toBe("CONNECTING");
  expect(stage.statuses(2).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  publisher.end("clean");
  const next = stage.open();
  next.push(video(0, hex(AVC_0)));
  stage.dialer.latest(2).accept();
  next.push(video(0, avcFrame(true, 1)));
  expect(stage.statuses(2).at(-1)).toBe("PUBLISHING");
});

test("a target that asks for a reconnect is connected at a keyframe to the address it named, and later to its own", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1), target(2)]);
  for (const link of stage.dialer.links) link.accept();
  publisher.push(video(0, hex(frame(true, 0, "01"))));
  const first = stage.dialer.latest(1);
  first.wantReconnect("rtmp://elsewhere/app");
  publisher.push(video(40, hex(frame(false, 0, "02"))));
  expect(first.closedHow).toBe(undefined);
  publisher.push(video(80, hex(frame(true, 0, "03"))));
  stage.flush();
  expect(first.closedHow).toBe("cut");
  const moved = stage.dialer.latest(1);
  expect([moved.target.url, moved.target.streamKey]).toEqual(["rtmp://elsewhere/app", "key1"]);
  moved.accept();
  publisher.push(video(120, hex(frame(false, 0, "04"))));
  stage.flush();
  expect(
    mediaOf(moved)
      .slice(4)
      .map(({ payload }) => payload.toString("hex").slice(-2)),
  ).toEqual(["03", "04"]);
  moved.wantReconnect(undefined);
  publisher.push(video(160, hex(frame(true, 0, "05"))));
  expect(moved.closedHow).toBe(undefined);
  for (let second = 1; second <= 10; second += 1) {
    stage.clock.advance(1_000);
    publisher.push(video(160 + second * 1_000, hex(frame(false, 0, "05"))));
  }
  publisher.push(video(10_200, hex(frame(true, 0, "06"))));
  stage.flush();
  expect(moved.closedHow).toBe("cut");
  expect(stage.dialer.latest(1).target.url).toBe("rtmp://target1/app");
  expect(stage.dialer.links.filter(({ target: { targetId } }) => targetId === 2)).toHaveLength(1);
});

test("an address that a target's old server named is forgotten with that server's address, and with the broadcast", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1)]);
  stage.dialer.latest(1).accept();
  publisher.push(video(0, hex(frame(true, 0, "01"))));
  stage.dialer.latest(1).wantReconnect("rtmp://elsewhere/app");
  const moved = target(1, { url: "rtmp://new/app", streamKey: "another" });
  stage.engine.apply(stage.spec([moved]));
  expect(stage.dialer.latest(1).target).toMatchObject({ url: "rtmp://new/app", streamKey: "another" });

  stage.dialer.latest(1).accept();
  stage.dialer.latest(1).wantReconnect("rtmp://elsewhere/app");
  publisher.end("clean");
  const next = begin(stage, [moved]);
  next.push(video(0, hex(frame(true, 0, "02"))));
  expect(stage.dialer.links).toHaveLength(3);
  expect(stage.dialer.latest(1).target.url).toBe("rtmp://new/app");
});

test("during a hold a target that chose other tracks gets filler of their own frame and silence, at their own cadence", () => {
  const stage = new RelayStage(60);
  const publisher = begin(stage, [target(1), target(2, { tracks: { video: 1, audio: 1 } })]);
  for (const targetId of [1, 2]) stage.dialer.latest(targetId).accept();
  for (const trackId of [0, 1]) publisher.push(video(0, hex(frame(true, trackId, "01"))));
  for (const trackId of [0, 1]) publisher.push(video(40, hex(frame(false, trackId, "02"))));
  const before = stage.sent(2).length;
  publisher.end("connection-lost");
  stage.clock.advance(10_000);
  const filler = stage
    .sent(2)
    .slice(before)
    .map((line) => ({ timeMs: Number(line.split(" ")[0]), bytes: line.split(" ")[1] ?? "" }));
  const filledVideo = filler.filter(({ bytes }) => /^[12]7/.test(bytes));
  const flat = (isKey: boolean, mark: string) =>
    `${isKey ? "1" : "2"}701000028 00000002 ${isKey ? "65" : "41"}${mark}`.replaceAll(" ", "");
  expect(filledVideo.slice(0, 3).map(({ bytes }) => bytes)).toEqual([
    flat(true, "01"),
    flat(false, "02"),
    flat(true, "01"),
  ]);
  expect(filledVideo.length).toBeGreaterThanOrEqual(15);
  expect((filledVideo[2]?.timeMs ?? 0) - (filledVideo[0]?.timeMs ?? 0)).toBe(1_000);
  const silence = filler.filter(({ bytes }) => bytes === "af01210049900219002380");
  // 441 frames of 1,024 samples at 44.1 kHz are 10.24 seconds.
  expect((silence[100]?.timeMs ?? 0) - (silence[0]?.timeMs ?? 0)).toBe(2_322);
  const times = filler.map(({ timeMs }) => timeMs);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  expect(filler).toHaveLength(filledVideo.length + silence.length);
  // A target that takes the stream unchanged has the default track's alone.
  const marks = stage.sent(1).map((line) => line.split(" ")[1]);
  expect(marks.filter((bytes) => bytes === plainFrame(true, 0, "01")).length).toBeGreaterThan(7);
  expect(marks.filter((bytes) => bytes === plainFrame(true, 1, "01"))).toHaveLength(1);

  const again = begin(stage, [target(1), target(2, { tracks: { video: 1, audio: 1 } })]);
  const resumedAt = stage.sent(2).length;
  again.push(video(0, hex(frame(true, 0, "03"))));
  again.push(video(0, hex(frame(false, 1, "04"))));
  again.push(video(40, hex(frame(true, 1, "05"))));
  expect(
    stage
      .sent(2)
      .slice(resumedAt)
      .map((line) => line.split(" ")[1]),
  ).toEqual([flat(true, "05")]);
});

test("a held multitrack stream is filled with the default track alone, and goes on with each track's own keyframe", () => {
  const stage = new RelayStage(60);
  const publisher = begin(stage, [target(1)]);
  stage.dialer.latest(1).accept();
  for (const trackId of [0, 1]) publisher.push(video(0, hex(frame(true, trackId, "01"))));
  publisher.end("connection-lost");
  stage.clock.advance(4_000);
  const before = stage.sent(1).length;
  const filler = stage
    .sent(1)
    .slice(6)
    .map((line) => line.split(" ")[1]);
  expect(filler.length).toBeGreaterThan(3);
  const filledVideo = filler.filter((bytes) => bytes?.startsWith("17") || bytes?.startsWith("96"));
  expect(new Set(filledVideo)).toEqual(new Set([frame(true, 0, "01").replaceAll(" ", "")]));
  const again = begin(stage, [target(1)]);
  again.push(video(0, hex(frame(true, 0, "02"))));
  again.push(video(0, hex(frame(false, 1, "03"))));
  again.push(video(40, hex(frame(true, 1, "04"))));
  again.push(video(40, hex(frame(false, 0, "05"))));
  const bytes = stage
    .sent(1)
    .slice(before)
    .map((line) => line.split(" ")[1]);
  const resumed = [frame(true, 0, "02"), frame(true, 1, "04"), frame(false, 0, "05")];
  expect(bytes.slice(-3)).toEqual(resumed.map((line) => line.replaceAll(" ", "")));
  expect(stage.dialer.links).toHaveLength(1);
});

test.each([
  ["HEVC", "90 68766331 0102", "91 68766331 000000 00000002 2601", "a1 68766331 000000 00000002 0201"],
  ["AV1 with colours", "90 61763031 8104", "91 61763031 1200", "a1 61763031 3200"],
  ["VP9", "90 76703039 0100", "91 76703039 8249", "a1 76703039 8600"],
  ["VVC", "90 76766331 0102", "91 76766331 000000 00000002 0039", "a1 76766331 000000 00000002 0001"],
])("%s is taken over at its keyframe, and its header is not repeated", (_, config, key, inter) => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const first = stage.open();
  first.push(video(0, hex(config)));
  stage.dialer.latest(1).accept();
  first.push(video(0, hex(key)));
  stage.clock.advance(40);
  first.push(video(40, hex(inter)));
  const second = stage.open("ls-1", "second", 2);
  second.push(video(0, hex(config)));
  second.push(video(0, hex(inter)));
  stage.clock.advance(40);
  second.push(video(40, hex(key)));
  const bytes = stage.sent(1).map((line) => line.split(" ")[1]);
  expect(bytes).toEqual([config, key, inter, key].map((line) => line.replaceAll(" ", "")));
  expect(stage.dismissed).toEqual([1]);
});

test.each([
  ["Opus", "90 4f707573 4f70757348656164", "91 4f707573 fc01"],
  ["FLAC", "90 664c6143 664c614300", "91 664c6143 fff8"],
  ["AC-3", "90 61632d33", "91 61632d33 0b77"],
  ["E-AC-3", "90 65632d33", "91 65632d33 0b78"],
  ["AAC of six channels", "90 6d703461 11b0", "91 6d703461 2149"],
])("%s and the meaning of its channels reach a target that joins late, unchanged", (_, config, coded) => {
  const stage = new RelayStage();
  const fourCc = config.slice(3, 11);
  const channels = `94 ${fourCc} 01 06 0000003f`;
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  for (const bytes of [config, channels]) publisher.push(audio(0, hex(bytes)));
  publisher.push(audio(0, hex(coded)));
  stage.clock.advance(3_000);
  stage.dialer.latest(1).accept(1, false, true);
  publisher.push(audio(3_000, hex(coded)));
  expect(stage.sent(1)).toEqual([`0 ${config}`, `0 ${channels}`, `0 ${coded}`].map(plain));
});

/** Video and audio of the default tracks, and of these others. */
function play(
  stage: RelayStage,
  publisher: PublisherHandle,
  seconds: number,
  more: { video?: number; audio?: number } = {},
): void {
  for (let second = 0; second < seconds; second += 1) {
    const timestamp = Math.round(stage.clock.now());
    publisher.push(video(timestamp, hex(frame(true, 0, "01"))));
    publisher.push(audio(timestamp, hex("af01 2133")));
    if (more.video !== undefined) publisher.push(video(timestamp, hex(frame(true, more.video, "02"))));
    if (more.audio !== undefined) publisher.push(audio(timestamp, hex(`95 01 6d703461 0${more.audio} 2133`)));
    stage.clock.advance(1_000);
  }
}

test.each([
  ["video", { video: 1, audio: 0 }, /video track .*\(#1\)/],
  ["audio", { video: 0, audio: 2 }, /audio track .*\(#2\)/],
] as const)(
  "a target that chose a missing %s track fails, and is sent the stream once the track is there",
  (_, tracks, named) => {
    const stage = new RelayStage();
    stage.engine.introduce(stage.spec([target(1, { tracks }), target(2)]));
    const publisher = stage.open();
    for (const message of [audio(0, hex(AAC_0)), video(0, hex(AVC_0))]) publisher.push(message);
    for (const link of stage.dialer.links) link.accept();

    play(stage, publisher, 4);
    expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
    play(stage, publisher, 3);
    expect(stage.statuses(1).slice(2)).toEqual(["FAIL CODEC_UNSUPPORTED"]);
    expect(stage.status(1)?.lastError?.message).toMatch(named);
    expect(stage.dialer.latest(1).closedHow).toBe("cut");
    const dials = stage.dialer.links.length;
    play(stage, publisher, 130);
    expect(stage.dialer.links, "a target is not dialled in vain").toHaveLength(dials);
    expect(stage.statuses(2)).toEqual(["CONNECTING", "PUBLISHING"]);

    play(stage, publisher, 1, tracks);
    stage.dialer.latest(1).accept();
    play(stage, publisher, 2, tracks);
    expect(stage.statuses(1).at(-1)).toBe("PUBLISHING");
    expect(stage.sent(1).length).toBeGreaterThan(2);
    expect(stage.samples.at(-1)?.targets.find(({ targetId }) => targetId === 1)?.retryCount).toBe(0);
  },
);

test("a target that chooses a missing track on air fails at once, and one that chooses another gets it at once", () => {
  const stage = new RelayStage();
  const publisher = begin(stage, [target(1)]);
  stage.dialer.latest(1).accept();
  play(stage, publisher, 10, { video: 1 });
  stage.engine.apply(stage.spec([target(1, { tracks: { video: 3, audio: 0 } })]));
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  expect(stage.status(1)?.lastError?.message).toContain("(#3)");
  stage.engine.apply(stage.spec([target(1, { tracks: { video: 4, audio: 0 } })]));
  stage.clock.advance(1);
  expect(stage.status(1)?.lastError?.message).toContain("(#4)");
  stage.engine.apply(stage.spec([target(1, { tracks: { video: 1, audio: 0 } })]));
  stage.dialer.latest(1).accept();
  play(stage, publisher, 1, { video: 1 });
  expect(stage.statuses(1).at(-1)).toBe("PUBLISHING");
});

test("a stream without audio, or without video, does not lack the default track of that kind", () => {
  const stage = new RelayStage();
  const chosen = target(1, { tracks: { video: 0, audio: 0 } });
  stage.engine.introduce(stage.spec([chosen]));
  const publisher = stage.open();
  publisher.push(video(0, hex(AVC_0)));
  stage.dialer.latest(1).accept();
  for (let second = 0; second < 20; second += 1) {
    publisher.push(video(second * 1_000, hex(frame(true, 0, "01"))));
    stage.clock.advance(1_000);
  }
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("the next broadcast gets its time to show its tracks", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1, { tracks: { video: 1, audio: 0 } })]));
  const publisher = stage.open();
  publisher.push(video(0, hex(AVC_0)));
  stage.dialer.latest(1).accept();
  play(stage, publisher, 8);
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  publisher.end("clean");
  const next = stage.open();
  next.push(video(0, hex(AVC_0)));
  stage.dialer.latest(1).accept();
  play(stage, next, 4);
  expect(stage.statuses(1).at(-1)).toBe("PUBLISHING");
  play(stage, next, 4);
  expect(stage.statuses(1).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
});
