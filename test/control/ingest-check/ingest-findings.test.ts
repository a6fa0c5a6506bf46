import { expect, test } from "vitest";
import { type Finding, findIngestFaults, findTargetFaults } from "../../../src/control/ingest-check/ingest-findings.ts";
import { describeFinding } from "../../../src/control/ingest-check/ingest-sentences.ts";
import { displayNameOf, limitsOf, TARGET_PRESETS } from "../../../src/control/presets/target-presets.ts";
import type { IngestSample, SrtLinkSample, StreamMeasures } from "../../../src/thread-protocol/samples.ts";
import { channelSample } from "../../support/stages/sample.ts";

type Change = Partial<IngestSample>;

/** A stream that every known target takes. */
const GOOD: IngestSample = {
  ...channelSample("ls-20260101000001-AAAAA", []).ingest,
  videoCodec: "avc",
  width: 1_280,
  height: 720,
  frameRate: 30,
  audioCodec: "aac",
  sampleRate: 48_000,
  channels: 2,
  measures: {
    videoBytesPerSecond: 375_000,
    audioBytesPerSecond: 16_000,
    longestKeyframeSeconds: 1,
    bFrames: 0,
    clockDriftPpm: 0,
  },
};

const measured = (measures: StreamMeasures): Change => ({ measures: { ...GOOD.measures, ...measures } });
const check = (targetName: string, change: Change): readonly Finding[] =>
  findTargetFaults({ ...GOOD, ...change }, limitsOf(targetName));

test("a modest stream suits every target of the list, and has no finding", () => {
  for (const { targetName } of TARGET_PRESETS) expect([targetName, check(targetName, {})]).toEqual([targetName, []]);
  expect(findIngestFaults(GOOD)).toEqual([]);
});

test("an unknown value, of the target or of the stream, is never a finding", () => {
  const odd: Change = {
    ...{ videoCodec: "vvc", width: 7_680, height: 4_320, frameRate: 240, sampleRate: 8_000, channels: 8 },
    ...measured({ videoBytesPerSecond: 50_000_000, longestKeyframeSeconds: 60, bFrames: 16 }),
  };
  for (const targetName of ["CUSTOM", "YOUNOW", "USTREAM", "NOT_IN_THE_LIST"]) {
    expect(check(targetName, odd)).toEqual([]);
  }
  const { videoCodec: _v, width: _w, frameRate: _f, audioCodec: _a, sampleRate: _s, measures: _m, ...blank } = GOOD;
  for (const { targetName } of TARGET_PRESETS) expect(findTargetFaults(blank, limitsOf(targetName))).toEqual([]);
});

const FAULTS: readonly (readonly [targetName: string, change: Change, finding: Finding])[] = [
  ["TWITCH", { videoCodec: "hevc" }, finding("VIDEO_CODEC_UNSUPPORTED", "hevc", "avc")],
  ["YOUTUBE", { audioCodec: "opus" }, finding("AUDIO_CODEC_UNSUPPORTED", "opus", "aac, mp3")],
  ["KICK", measured({ videoBytesPerSecond: 0 }), finding("VIDEO_MISSING", 0, 1)],
  ["YOUTUBE", measured({ audioBytesPerSecond: 0 }), finding("AUDIO_MISSING", 0, 1)],
  ["TWITCH", measured({ videoBytesPerSecond: 787_501 }), finding("VIDEO_BITRATE_HIGH", 787_501, 750_000)],
  ["TWITCH", measured({ videoBytesPerSecond: 787_500 }), finding("VIDEO_BITRATE_HIGH", 787_500, 750_000, false)],
  ["FACEBOOK", measured({ audioBytesPerSecond: 24_000 }), finding("AUDIO_BITRATE_HIGH", 24_000, 16_000)],
  ["LINKEDIN", { frameRate: 59.94 }, finding("FRAME_RATE_HIGH", 59.94, 30)],
  ["LINKEDIN", { frameRate: 31.2 }, finding("FRAME_RATE_HIGH", 31.2, 30, false)],
  ["FACEBOOK", { width: 2_560, height: 1_440 }, finding("PICTURE_TOO_LARGE", 1_440, 1_080)],
  ["FACEBOOK", { width: 1_440, height: 2_560 }, finding("PICTURE_TOO_LARGE", 1_440, 1_080)],
  ["YOUTUBE", measured({ longestKeyframeSeconds: 10 }), finding("KEYFRAME_INTERVAL_LONG", 10, 2)],
  ["TWITCH", measured({ longestKeyframeSeconds: 2.5 }), finding("KEYFRAME_INTERVAL_LONG", 2.5, 2)],
  ["TWITCH", measured({ longestKeyframeSeconds: 2.15 }), finding("KEYFRAME_INTERVAL_LONG", 2.15, 2, false)],
  ["CHZZK", measured({ bFrames: 2 }), finding("B_FRAMES", 2, 0)],
  ["FACEBOOK", { sampleRate: 44_100 }, finding("SAMPLE_RATE_UNSUPPORTED", 44_100, "48000")],
  ["YOUTUBE", { sampleRate: 32_000 }, finding("SAMPLE_RATE_UNSUPPORTED", 32_000, "44100, 48000")],
  ["YOUTUBE", { channels: 6 }, finding("AUDIO_CHANNELS_TOO_MANY", 6, 2)],
];

function finding(code: Finding["code"], found: Finding["found"], wanted: Finding["wanted"], isClear = true): Finding {
  return { code, found, wanted, isClear };
}

test.each(FAULTS)("%s with %j", (targetName, change, found) => {
  expect(check(targetName, change)).toEqual([found]);
});

test.each<readonly [string, Change]>([
  ["TWITCH", measured({ videoBytesPerSecond: 750_000 })],
  ["LINKEDIN", { frameRate: 30.5 }],
  ["FACEBOOK", { width: 1_920, height: 1_080 }],
  ["YOUTUBE", measured({ longestKeyframeSeconds: 4.004 })],
  ["TWITCH", measured({ longestKeyframeSeconds: 2.002 })],
  ["TWITCH", measured({ bFrames: 3 })],
  ["YOUTUBE", measured({ audioBytesPerSecond: 0, unreadable: ["audio"] })],
  ["TWITCH", measured({ videoBytesPerSecond: 0, audioBytesPerSecond: 0 })],
])("%s takes %j", (targetName, change) => {
  expect(check(targetName, change)).toEqual([]);
});

test("a target that chose another track is not judged by the default one", () => {
  const change = { ...GOOD, ...measured({ videoBytesPerSecond: 9_000_000, audioBytesPerSecond: 90_000 }) };
  const codes = (video: number, audio: number) =>
    findTargetFaults(change, limitsOf("TWITCH"), { video, audio }).map(({ code }) => code);
  expect(codes(0, 0)).toEqual(["VIDEO_BITRATE_HIGH", "AUDIO_BITRATE_HIGH"]);
  expect(codes(1, 0)).toEqual(["AUDIO_BITRATE_HIGH"]);
  expect(codes(0, 1)).toEqual(["VIDEO_BITRATE_HIGH"]);
});

const SRT: SrtLinkSample = {
  ...{ channelId: "ls-1", slot: "main", latencyMs: 300, isEncrypted: false, packets: 9_000, bytesPerSecond: 750_000 },
  ...{
    lost: 90,
    retransmitted: 90,
    dropped: 0,
    belated: 0,
    undecrypted: 0,
    lossPercent: 3,
    droppedLately: 0,
    rttMs: 50,
  },
};

test.each<readonly [name: string, change: Partial<SrtLinkSample>, findings: readonly Finding[]]>([
  ["losses that are all repaired in time", {}, []],
  ["no losses at a latency that is too short", { lossPercent: 0, rttMs: 200 }, []],
  ["a latency below four round trips", { rttMs: 120.5 }, [finding("SRT_LOSS", 3, 500)]],
  ["the same with few losses", { rttMs: 120.5, lossPercent: 0.6 }, [finding("SRT_LOSS", 0.6, 500, false)]],
  ["packets that never came", { droppedLately: 2 }, [finding("SRT_LOSS", 3, 500)]],
  ["the longest latency", { droppedLately: 2, latencyMs: 8_000 }, []],
])("SRT: %s", (_name, change, findings) => {
  expect(findIngestFaults({ ...GOOD, srt: { ...SRT, ...change } })).toEqual(findings);
});

test("SRT: the sentence names the loss and the latency to set, also as OBS counts it", () => {
  const { message, severity } = describeFinding(finding("SRT_LOSS", 3, 500));
  expect(severity).toBe("warning");
  expect(message.en).toContain("loses 3 % of packets");
  expect(message.en).toContain("to 500 ms (in OBS and FFmpeg: latency=500000)");
  expect(message.ko).toContain("500ms");
});

test("a clock is wrong from a thousandth on, and stays so down to half of that", () => {
  const drift = (clockDriftPpm: number) => findIngestFaults({ ...GOOD, measures: { clockDriftPpm } });
  expect(drift(500)).toEqual([]);
  expect(drift(-501)).toEqual([finding("CLOCK_DRIFT", -501, 0, false)]);
  expect(drift(-50_000)).toEqual([finding("CLOCK_DRIFT", -50_000, 0)]);
});

test.each<readonly [StreamMeasures, Finding[]]>([
  [{ secondsWithoutKeyframe: 0.9, hasKeyframe: false }, []],
  [{ secondsWithoutKeyframe: 2, hasKeyframe: false }, [finding("KEYFRAME_MISSING", 2, 2, false)]],
  [{ secondsWithoutKeyframe: 3, hasKeyframe: false }, [finding("KEYFRAME_MISSING", 3, 2)]],
  // FFmpeg's usual interval.
  [{ secondsWithoutKeyframe: 10.4, hasKeyframe: true }, []],
  [{ secondsWithoutKeyframe: 11.5, hasKeyframe: true }, [finding("KEYFRAME_MISSING", 12, 2, false)]],
  [{ secondsWithoutKeyframe: 33.4, hasKeyframe: true }, [finding("KEYFRAME_MISSING", 33, 2)]],
  [{ lackHeader: ["audio"] }, [finding("AUDIO_HEADER_MISSING", 0, 1)]],
  [{ lackHeader: ["audio", "video"] }, [finding("AUDIO_HEADER_MISSING", 0, 1), finding("VIDEO_HEADER_MISSING", 0, 1)]],
  [{ unreadable: ["video"] }, [finding("VIDEO_UNREADABLE", 0, 1)]],
  [{ unreadable: ["audio"] }, [finding("AUDIO_UNREADABLE", 0, 1)]],
  [{ unreadable: ["audio"], audioBytesPerSecond: 0 }, [finding("AUDIO_UNREADABLE", 0, 1)]],
  [{ unreadable: ["video"], videoBytesPerSecond: 0 }, [finding("VIDEO_UNREADABLE", 0, 1)]],
])("without any target, %j is a finding", (measures, found) => {
  expect(findIngestFaults({ ...GOOD, measures })).toEqual(found);
  for (const each of found) {
    const { message } = describeFinding(each, displayNameOf("CUSTOM"));
    expect(message.en).toMatch(/^[^{}]+encoder[^{}]*\.$/);
    expect(message.ko).toMatch(/^[^{}]*인코더[^{}]*주세요\.$/);
  }
});

test("every finding is one sentence in both languages that says what to change", () => {
  const described = (found: Finding, targetName: string) => describeFinding(found, displayNameOf(targetName));
  for (const [targetName, , found] of FAULTS) {
    const { message } = described(found, targetName);
    expect(message.en).toMatch(/^[^{}]+(?:encoder's|in the encoder)[^{}]*\.$/);
    expect(message.ko).toMatch(/^[^{}]*인코더[^{}]*주세요\.$/);
    expect(message.ko).toContain(displayNameOf(targetName).ko);
  }
  expect(described(finding("VIDEO_BITRATE_HIGH", 1_150_000, 750_000), "TWITCH")).toEqual({
    severity: "warning",
    message: {
      en: "The video bitrate is 9200 kbit/s, but Twitch accepts 6000: set the encoder's video bitrate to 6000 kbit/s or less, constant (CBR).",
      ko: "영상 비트레이트가 9200 kbit/s로 트위치의 한도 6000 kbit/s를 넘습니다. 인코더의 영상 비트레이트를 6000 kbit/s 이하의 고정 비트레이트(CBR)로 설정해 주세요.",
    },
  });
  expect(described(finding("VIDEO_CODEC_UNSUPPORTED", "vp9", "avc, hevc, av1"), "YOUTUBE")).toMatchObject({
    severity: "error",
    message: { en: "YouTube does not accept VP9 video: choose H.264, HEVC, AV1 as the encoder's video codec." },
  });
  expect(described(finding("CLOCK_DRIFT", -50_000, 0), "CUSTOM").message.en).toBe(
    "The encoder falls behind real time by 5 % (180 s an hour): lower its load (preset, resolution, frame rate), or correct its clock.",
  );
  expect(described(finding("CLOCK_DRIFT", 1_200, 0), "CUSTOM").message.en).toBe(
    "The encoder runs ahead of real time by 0.12 % (4.3 s an hour): make it send in real time (FFmpeg: -re), or correct its clock.",
  );
});

test("a clock that Fanfare no longer uses is reported as that, and not as a drift", () => {
  const { ingest } = channelSample("ls-1", []);
  const measures = { clockDriftPpm: 90_000, isClockWrong: true };
  expect(findIngestFaults({ ...ingest, measures }).map(({ code }) => code)).toEqual(["CLOCK_WRONG"]);
});

test("a key that was accepted after a part was removed is reported, with that part and never with the key", () => {
  const ingest: IngestSample = { ...GOOD, keyRemoved: ["invisible", "prefix"] };
  const [found] = findIngestFaults(ingest);
  expect(findIngestFaults(GOOD)).toEqual([]);
  expect(found).toEqual({ ...finding("KEY_TIDIED", "invisible, prefix", 0), isSteady: true });
  expect(describeFinding(finding("KEY_TIDIED", "invisible, prefix", 0), displayNameOf("CUSTOM"))).toEqual({
    severity: "warning",
    message: {
      en: "This was removed from the encoder's stream key: spaces or invisible characters, a prefix such as mp4:. Enter only the key in the encoder: other servers may refuse it like this.",
      ko: "인코더의 스트림 키에서 다음을 제거하고 받았습니다: 공백이나 보이지 않는 문자, mp4: 같은 접두어. 다른 서버에서는 이대로 거부될 수 있으니 인코더에 키만 입력해 주세요.",
    },
  });
});
