import { expect, test } from "vitest";
import { AMF0_LIMITS, decodeAmf0 } from "../../src/protocol/amf0/decode.ts";
import { numberProperty } from "../../src/protocol/amf0/value.ts";
import type { Message } from "../../src/protocol/rtmp/message.ts";
import type { MediaMessage } from "../../src/relay/stream/media-message.ts";
import { plain, RelayStage, target } from "../support/stages/relay-stage.ts";
import { hex } from "../support/streams/hex.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../support/streams/media-messages.ts";

const metadataOf = (stage: RelayStage, targetId: number): readonly Message[] => {
  stage.flush();
  return stage.dialer
    .latest(targetId)
    .messages()
    .filter(({ type }) => type === 18);
};
const idsIn = (message: Message | undefined): readonly (number | undefined)[] => {
  const values = decodeAmf0(message?.payload ?? Buffer.alloc(0), AMF0_LIMITS)[2];
  return ["videocodecid", "audiocodecid"].map((name) => numberProperty(values, name));
};

const AVC1_CONFIG = `90 61766331 ${AVC_CONFIG.subarray(5).toString("hex")}`;
const MP4A_CONFIG = "90 6d703461 1190";
const FOURCC_AVC = 0x61766331;
const FOURCC_AAC = 0x6d703461;

test("H.264 and AAC in Enhanced RTMP's form go in the legacy form to targets that did not ask for the other, and unchanged to those that did", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2), target(3)]));
  const publisher = stage.open();
  publisher.push(metadata({ videocodecid: FOURCC_AVC, audiocodecid: FOURCC_AAC }));
  publisher.push(audio(0, hex(MP4A_CONFIG)));
  publisher.push(video(0, hex(AVC1_CONFIG)));
  stage.dialer.latest(1).accept();
  stage.dialer.latest(2).accept(1, false, true);
  publisher.push(video(0, hex("91 61766331 000028 00000002 6588")));
  publisher.push(audio(20, hex("91 6d703461 2149")));
  publisher.push(video(40, hex("a3 61766331 00000002 419a")));
  // A target that joins later starts with the same keyframe.
  stage.dialer.latest(3).accept();
  publisher.push(video(80, hex("a1 61766331 ffffd8 00000002 419b")));
  const old = [
    "0 af00 1190",
    `0 17 00 000000 ${AVC_CONFIG.subarray(5).toString("hex")}`,
    "0 17 01 000028 00000002 6588",
    "20 af01 2149",
    "40 27 01 000000 00000002 419a",
    "80 27 01 ffffd8 00000002 419b",
  ];
  expect(stage.sent(1)).toEqual(old.map(plain));
  expect(stage.sent(3)).toEqual(old.map(plain));
  expect(stage.sent(2)).toEqual(
    [
      `0 ${MP4A_CONFIG}`,
      `0 ${AVC1_CONFIG}`,
      "0 91 61766331 000028 00000002 6588",
      "20 91 6d703461 2149",
      "40 a3 61766331 00000002 419a",
      "80 a1 61766331 ffffd8 00000002 419b",
    ].map(plain),
  );
  expect(idsIn(metadataOf(stage, 1)[0])).toEqual([7, 10]);
  expect(idsIn(metadataOf(stage, 2)[0])).toEqual([FOURCC_AVC, FOURCC_AAC]);
  expect(idsIn(metadataOf(stage, 3)[0])).toEqual([7, 10]);
});

test("MP3 in Enhanced RTMP's form goes out in the legacy form, which has no sequence header", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, hex("90 2e6d7033")));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, hex("91 2e6d7033 fffb9064")));
  expect(stage.sent(1)).toEqual(["0 2ffffb9064"]);
});

/** An hvcC with parameter sets of the right kind; one-byte bodies. */
const HVCC = `01 01600000 00900000000000 5d f000 fc fd f8 f8 0000 0f 03
  20 0001 0003 400101  21 0001 0003 420101  22 0001 0003 440101`.replaceAll("\n", "");
const HEVC_KEY = "00000003 260180";
const HEVC_INTER = "00000003 020180";

test("HEVC under H.264's codec id is sent under its own, in either form, and counts as HEVC in presets and metadata", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2), target(3, { codecs: { video: ["avc"] } })]));
  const publisher = stage.open();
  publisher.push(metadata({ videocodecid: 7, audiocodecid: 10 }));
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, hex(`17 00 000000 ${HVCC}`)));
  stage.dialer.latest(1).accept();
  stage.dialer.latest(2).accept(1, true);
  publisher.push(video(0, hex(`17 01 000028 ${HEVC_KEY}`)));
  // The flag is wrong as well.
  publisher.push(video(40, hex(`27 01 000000 ${HEVC_INTER}`)));
  publisher.push(video(80, hex(`27 01 000000 ${HEVC_KEY}`)));
  expect(stage.sent(1).slice(1)).toEqual(
    [
      `0 1c 00 000000 ${HVCC}`,
      `0 1c 01 000028 ${HEVC_KEY}`,
      `40 2c 01 000000 ${HEVC_INTER}`,
      `80 1c 01 000000 ${HEVC_KEY}`,
    ].map(plain),
  );
  expect(stage.sent(2).slice(1)).toEqual(
    [
      `0 90 68766331 ${HVCC}`,
      `0 91 68766331 000028 ${HEVC_KEY}`,
      `40 a1 68766331 000000 ${HEVC_INTER}`,
      `80 91 68766331 000000 ${HEVC_KEY}`,
    ].map(plain),
  );
  stage.clock.advance(1_000);
  expect(stage.statuses(3).at(-1)).toBe("FAIL CODEC_UNSUPPORTED");
  expect(stage.samples.at(-1)?.ingest.videoCodec).toBe("hevc");
  expect(idsIn(metadataOf(stage, 1)[0])).toEqual([12, 10]);
  expect(idsIn(metadataOf(stage, 2)[0])).toEqual([0x68766331, 10]);
});

test("H.264's own configuration is never taken for HEVC's", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  expect(stage.sent(1)[1]).toBe(`0 ${AVC_CONFIG.toString("hex")}`);
});

/** 44.1 kHz, stereo, AAC-LC; and the same at 48 kHz. */
const ADTS_44 = "fff15080013ffc";
const ADTS_48 = "fff14c80013ffc";

test("AAC with ADTS headers and no configuration gets the configuration that they imply, before its first frame", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  stage.dialer.latest(1).accept();
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(0, hex(`af01 ${ADTS_44} 2149`)));
  publisher.push(audio(23, hex(`af01 ${ADTS_44} 214a`)));
  expect(stage.sent(1).slice(2)).toEqual(["0 af001210", "0 af012149", "23 af01214a"]);
  stage.clock.advance(1_000);
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ audioCodec: "aac", sampleRate: 44_100, channels: 2 });
});

test("a header that arrives, or is made, after the first keyframe costs no target that keyframe", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(0, hex(`af01 ${ADTS_44} 2149`)));
  stage.dialer.latest(1).accept();
  publisher.push(video(40, avcFrame(false, 2)));
  const [audioConfig, videoConfig, key, audioFrame, inter] = stage.sent(1);
  expect([audioConfig, videoConfig, audioFrame]).toEqual([
    "0 af001210",
    `0 ${AVC_CONFIG.toString("hex")}`,
    "0 af012149",
  ]);
  expect([key?.slice(0, 6), inter?.slice(0, 7)]).toEqual(["0 1701", "40 2701"]);
});

test("an ADTS header where the configuration belongs is read as one, and the encoder's own configuration is never replaced", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, hex(`af00 ${ADTS_48}`)));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, hex("af012149")));
  expect(stage.sent(1)).toEqual(["0 af001190", "0 af012149"]);

  const other = new RelayStage();
  other.engine.introduce(other.spec([target(1)]));
  const own = other.open();
  own.push(audio(0, AAC_CONFIG));
  other.dialer.latest(1).accept();
  own.push(audio(0, hex(`af01 ${ADTS_44} 2149`)));
  expect(other.sent(1)).toEqual(["0 af001190", "0 af012149"]);
});

test.each<readonly [string, (stage: RelayStage) => readonly [before: MediaMessage[], after: MediaMessage[]], string]>([
  [
    "another sample rate",
    () => [[audio(0, AAC_CONFIG)], [audio(80, AAC_CONFIG_CHANGED), audio(80, aacFrame(3))]],
    "af001210",
  ],
  [
    "another sample rate in ADTS",
    () => [
      [audio(0, hex(`af01 ${ADTS_44} 2149`))],
      [audio(80, hex(`af01 ${ADTS_48} 2149`)), audio(100, hex(`af01 ${ADTS_48} 2149`))],
    ],
    "af001190",
  ],
  ["another audio codec", () => [[audio(0, AAC_CONFIG)], [audio(80, hex("2f fffb9064"))]], "2ffffb9064"],
])("%s on air reconnects every target, and the new one is the first thing that each is sent", (_, messages, first) => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  const publisher = stage.open();
  const [before, after] = messages(stage);
  publisher.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) link.accept();
  publisher.push(video(0, avcFrame(true, 1)));
  for (const message of before) publisher.push(message);
  stage.flush();
  for (const message of after) publisher.push(message);
  expect(stage.dialer.links.slice(0, 2).map(({ closedHow }) => closedHow)).toEqual(["cut", "cut"]);
  expect(stage.dialer.links).toHaveLength(4);
  stage.dialer.latest(1).accept();
  publisher.push(video(120, avcFrame(true, 2)));
  for (const message of after.slice(-1)) publisher.push({ ...message, timestamp: 140 });
  const payloads = stage.sent(1).map((each) => each.split(" ")[1]);
  expect(payloads).toContain(first);
  expect(payloads).toContain(AVC_CONFIG.toString("hex"));
  expect(payloads.filter((each) => each?.startsWith("af00") === true && each !== first)).toEqual([]);
});

test("another video codec on air reconnects targets, and a codec that flaps does so every 10 s at most", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  for (let index = 0; index < 200; index += 1) {
    const [config, key] = index % 2 === 0 ? [`1c 00 000000 ${HVCC}`, `1c 01 000000 ${HEVC_KEY}`] : [];
    publisher.push(video(40 + index * 40, config === undefined ? AVC_CONFIG : hex(config)));
    publisher.push(video(40 + index * 40, key === undefined ? avcFrame(true, 1) : hex(key)));
    stage.dialer.latest(1).accept();
    stage.clock.advance(40);
  }
  // 8 s: once.
  expect(stage.dialer.links).toHaveLength(2);
});

/** On air with a target that saw a second change of the codec, back to H.264, soon after it was connected anew for one. */
function changedTwice() {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  publisher.push(video(40, hex(`1c 00 000000 ${HVCC}`)));
  publisher.push(video(40, hex(`1c 01 000000 ${HEVC_KEY}`)));
  stage.dialer.latest(1).accept();
  const changedMs = stage.clock.now();
  publisher.push(video(80, hex(`1c 01 000000 ${HEVC_KEY}`)));
  stage.flush();
  publisher.push(video(120, AVC_CONFIG));
  let timestamp = 120;
  /** Sends video up to so long after the first change. */
  const goOnUntil = (untilMs: number) => {
    for (; stage.clock.now() < changedMs + untilMs; timestamp += 50) {
      publisher.push(video(timestamp, avcFrame(timestamp % 1_000 === 120, 2)));
      stage.flush();
    }
  };
  return { stage, publisher, goOnUntil };
}

test("targets that a second change found within 10 s of the first one are connected anew when these are over", () => {
  const { stage, goOnUntil } = changedTwice();
  goOnUntil(9_950);
  expect(stage.dialer.links).toHaveLength(2);
  goOnUntil(10_100);
  expect(stage.dialer.links).toHaveLength(3);
  stage.dialer.latest(1).accept();
  // Once: the stream is what it was since.
  goOnUntil(25_000);
  expect(stage.dialer.links).toHaveLength(3);
  const kinds = stage.sent(1).map((each) => each.split(" ")[1]?.slice(0, 4));
  expect(kinds.slice(0, 3)).toEqual(["af00", "1700", "1701"]);
  expect(new Set(kinds.slice(3))).toEqual(new Set(["1701", "2701"]));
});

test("a second change is forgotten when its broadcast ends", () => {
  const { stage, publisher, goOnUntil } = changedTwice();
  goOnUntil(1_000);
  publisher.end("clean");
  stage.clock.advance(20_000);
  const next = stage.open();
  next.push(video(0, AVC_CONFIG));
  next.push(video(0, avcFrame(true, 1)));
  stage.dialer.latest(1).accept();
  for (let timestamp = 40; timestamp < 400; timestamp += 40) next.push(video(timestamp, avcFrame(false, 1)));
  expect(stage.dialer.links).toHaveLength(3);
});

test("media before a change within its pace is not sent to targets that join later", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(0, aacFrame(1)));
  // No target has started: none is dialled anew.
  publisher.push(audio(40, AAC_CONFIG_CHANGED));
  stage.dialer.latest(1).accept();
  publisher.push(audio(40, aacFrame(2)));
  publisher.push(video(80, avcFrame(true, 3)));
  publisher.push(audio(80, aacFrame(4)));
  const [audioConfig, , key, audioFrame, ...others] = stage.sent(1);
  expect(audioConfig).toBe("0 af001210");
  expect([key?.slice(0, 6), audioFrame?.endsWith("04"), others]).toEqual(["0 1701", true, []]);
  expect(stage.dialer.links).toHaveLength(1);
});

test("metadata made up for audio alone is renewed when video arrives, before its header", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, AAC_CONFIG));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  publisher.push(video(40, AVC_CONFIG));
  publisher.push(video(40, avcFrame(true, 1)));
  expect(metadataOf(stage, 1).map(idsIn)).toEqual([
    [undefined, 10],
    [7, 10],
  ]);
  const types = stage.dialer
    .latest(1)
    .messages()
    .map(({ type }) => type);
  expect(types).toEqual([18, 8, 8, 18, 9, 9]);
});

test.each([
  ["MP3", audio(0, hex("2e fffb9464")), { audioCodec: "mp3", sampleRate: 48_000, channels: 2 }],
  ["MP3 of MPEG-2, mono", audio(0, hex("2e fff390c4")), { audioCodec: "mp3", sampleRate: 22_050, channels: 1 }],
  ["G.711 µ-law", audio(0, hex("82 ff")), { audioCodec: "g711", sampleRate: 8_000, channels: 1 }],
  ["G.711 A-law", audio(0, hex("72 ff")), { audioCodec: "g711", sampleRate: 8_000, channels: 1 }],
  ["PCM", audio(0, hex("3f 0102")), { audioCodec: "pcm", sampleRate: 44_100, channels: 2 }],
  ["ADPCM", audio(0, hex("1a 0102")), { audioCodec: "adpcm", sampleRate: 22_050, channels: 1 }],
  ["Nellymoser", audio(0, hex("52 0102")), { audioCodec: "nellymoser", sampleRate: 8_000, channels: 1 }],
  ["Speex", audio(0, hex("b2 0102")), { audioCodec: "speex", sampleRate: 16_000, channels: 1 }],
  ["Sorenson H.263", video(0, hex("12 0000840102")), { videoCodec: "h263" }],
  ["VP6", video(0, hex("14 0001")), { videoCodec: "vp6" }],
  ["Screen video", video(0, hex("13 0001")), { videoCodec: "screen" }],
])("%s, which has no sequence header, is reported as what it is", (_, message, shown) => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(message);
  stage.clock.advance(1_000);
  expect(stage.samples.at(-1)?.ingest).toMatchObject(shown);
});
