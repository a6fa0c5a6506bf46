import { beforeEach, expect, test } from "vitest";
import type { OverThreshold, SilenceChanged } from "../../../src/control/facts/server-fact.ts";
import { IngestChecks } from "../../../src/control/ingest-check/ingest-checks.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type { IngestSample } from "../../../src/thread-protocol/samples.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";
import { channelSample } from "../../support/stages/sample.ts";
import { ManualClock } from "../manual-clock.ts";

const CHANNEL = "ls-20260101000001-AAAAA";
const TWITCH = { targetId: 39, targetName: "TWITCH", isEnabled: true } as const;
const CUSTOM = { targetId: 40, targetName: "CUSTOM", isEnabled: true } as const;

type Stored = { readonly targetId: number; readonly targetName: string; readonly isEnabled: boolean };

let clock: ManualClock;
let stored: readonly Stored[] | Error;
let reads: number;
let checks: IngestChecks;
let published: (OverThreshold | SilenceChanged)[];
beforeEach(() => {
  clock = new ManualClock();
  stored = [TWITCH, CUSTOM];
  reads = 0;
  published = [];
  checks = new IngestChecks({
    clock,
    publish: (fact) => published.push(fact),
    readTargets: async () => {
      reads += 1;
      if (stored instanceof Error) throw stored;
      return stored;
    },
  });
});

/** 60 % above what Twitch takes. */
const HIGH = { measures: { videoBytesPerSecond: 1_200_000 } };

/** One sample a second; returns the findings that are events. */
async function run(seconds: number, change: Partial<IngestSample> = HIGH): Promise<readonly unknown[]> {
  const before = published.length;
  for (let second = 0; second < seconds; second += 1) {
    const sample = channelSample(CHANNEL, []);
    checks.samples([{ ...sample, ingest: { ...sample.ingest, ...change } }]);
    clock.advance(1_000);
    await Promise.resolve();
    await Promise.resolve();
  }
  return published.slice(before);
}

const shown = () => checks.warnings(CHANNEL).map(({ code, targetId }) => `${code} ${targetId}`);
const over = () =>
  checks.fact({
    kind: "ingest-ended",
    time: 0,
    channelId: CHANNEL,
    ingestId: 1,
    slot: "main",
    end: "clean",
    isBroadcastOver: true,
  });

test("a stream above one target's limit gives a warning for that target, once in a broadcast", async () => {
  const findings = await run(120);
  expect(shown()).toEqual(["VIDEO_BITRATE_HIGH 39"]);
  const event = { kind: "over-threshold", channelId: CHANNEL, targetId: 39, reason: "VIDEO_BITRATE_HIGH" };
  expect(findings).toMatchObject([{ ...event, bytesPerSecond: 1_200_000, limit: 750_000 }]);
  expect(reads).toBe(1);
  // Another encoder of the same broadcast: measured anew, reported already.
  expect(await run(1, { ...HIGH, startTime: 5 })).toEqual([]);
  expect(shown()).toEqual([]);
  expect(await run(60, { ...HIGH, startTime: 5 })).toEqual([]);
  expect(shown()).toEqual(["VIDEO_BITRATE_HIGH 39"]);
  over();
  expect(shown()).toEqual([]);
  expect(await run(20)).toMatchObject([event]);
});

test("a lost encoder has no findings, and is checked from the beginning when it returns", async () => {
  expect(checks.state(CHANNEL)).toBeUndefined();
  await run(8);
  expect(shown()).toHaveLength(1);
  await run(1, { ...HIGH, state: "HELD" });
  expect(shown()).toEqual([]);
  expect(checks.state(CHANNEL)).toBeUndefined();
  await run(5);
  expect(shown()).toEqual([]);
  expect(checks.state(CHANNEL)).toBe("checking");
  await run(3);
  expect(shown()).toHaveLength(1);
  await run(1, { ...HIGH, state: "ENDED" });
  expect(shown()).toEqual([]);
});

test("an encoder is checked for 20 s before missing media counts, and each encoder anew", async () => {
  await run(20, {});
  expect(checks.state(CHANNEL)).toBe("checking");
  await run(1, {});
  expect(checks.state(CHANNEL)).toBe("done");
  await run(1, { startTime: 5 });
  expect(checks.state(CHANNEL)).toBe("checking");
});

test("a stream without audio, without video or with rare keyframes gives a warning without any preset", async () => {
  stored = [CUSTOM];
  await run(8, { measures: { audioBytesPerSecond: 0, videoBytesPerSecond: 9_000, longestKeyframeSeconds: 11.1 } });
  expect(checks.warnings(CHANNEL)).toMatchObject([
    {
      code: "AUDIO_MISSING",
      severity: "warning",
      message: {
        en: "No audio arrives: add an audio track in the encoder, even a silent one; most platforms need it.",
      },
    },
    {
      code: "KEYFRAME_INTERVAL_LONG",
      severity: "warning",
      message: {
        en: "Keyframes are up to 11.1 s apart, and viewers wait that long before they see anything: set the encoder's keyframe interval to 2 s, not to automatic.",
      },
    },
  ]);
  expect(shown()).toEqual(["AUDIO_MISSING undefined", "KEYFRAME_INTERVAL_LONG undefined"]);
  await run(8, { startTime: 5, measures: { audioBytesPerSecond: 9_000, videoBytesPerSecond: 0 } });
  expect(shown()).toEqual(["VIDEO_MISSING undefined"]);
  // FFmpeg's usual interval, and an encoder that sends neither kind: these are not for this check.
  await run(8, { startTime: 6, measures: { longestKeyframeSeconds: 10.4 } });
  expect(shown()).toEqual([]);
  await run(8, { startTime: 7, measures: { audioBytesPerSecond: 0, videoBytesPerSecond: 0 } });
  expect(shown()).toEqual([]);
});

test("a platform's requirement is reported for the platform, and not again for the stream", async () => {
  stored = [{ targetId: 39, targetName: "YOUTUBE", isEnabled: true }, CUSTOM];
  await run(8, { measures: { audioBytesPerSecond: 0, videoBytesPerSecond: 9_000 } });
  expect(shown()).toEqual(["AUDIO_MISSING 39"]);
});

test("the time an encoder was lost does not count as time above the limit", async () => {
  expect(await run(9)).toEqual([]);
  expect(await run(30, { ...HIGH, state: "HELD" })).toEqual([]);
  expect(await run(9)).toEqual([]);
  expect(await run(5)).toHaveLength(1);
});

test("the time of one encoder does not count for the next", async () => {
  expect(await run(9)).toEqual([]);
  expect(await run(9, { ...HIGH, startTime: 5 })).toEqual([]);
  expect(await run(5, { ...HIGH, startTime: 5 })).toHaveLength(1);
});

test("a disabled target gives no finding", async () => {
  stored = [{ ...TWITCH, isEnabled: false }];
  expect(await run(60)).toEqual([]);
  expect(shown()).toEqual([]);
});

test("a target that is disabled or removed gives no more warnings, one that is added does", async () => {
  await run(8);
  stored = [{ ...TWITCH, isEnabled: false }, CUSTOM];
  checks.fact(channelChanged("target-edited", CHANNEL));
  await run(1, { ...HIGH, state: "HELD" });
  expect(shown()).toEqual([]);
  stored = [{ ...TWITCH, targetId: 41 }];
  checks.fact(channelChanged("target-edited", CHANNEL));
  await run(8);
  expect(shown()).toEqual(["VIDEO_BITRATE_HIGH 41"]);
  checks.fact(channelChanged("target-edited", "ls-20260101000001-BBBBB"));
  expect(reads).toBe(3);
});

test("a change while targets are read is read too", async () => {
  let answer: (targets: readonly Stored[]) => void = () => undefined;
  checks = new IngestChecks({
    clock,
    publish: () => undefined,
    readTargets: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  await run(1);
  const first = answer;
  checks.fact(channelChanged("target-edited", CHANNEL));
  first([TWITCH]);
  await run(1);
  expect(answer).not.toBe(first);
  answer([{ ...TWITCH, targetId: 41 }]);
  await run(8);
  expect(shown()).toEqual(["VIDEO_BITRATE_HIGH 41"]);
});

test("targets that could not be read are read at the next sample", async () => {
  stored = new StoreUnavailableError("locked");
  await run(3);
  expect(reads).toBe(3);
  stored = [TWITCH];
  await run(8);
  expect(shown()).toEqual(["VIDEO_BITRATE_HIGH 39"]);
  expect(reads).toBe(4);
});

test("frozen video is shown at once, with its seconds, while it lasts, and a target that needs video misses it", async () => {
  stored = [{ targetId: 39, targetName: "KICK", isEnabled: true }, CUSTOM];
  await run(1, {});
  await run(1, { secondsWithoutVideo: 5 });
  expect(shown()).toEqual(["VIDEO_FROZEN undefined"]);
  await run(6, { secondsWithoutVideo: 12 });
  expect(shown()).toEqual(["VIDEO_FROZEN undefined", "VIDEO_MISSING 39"]);
  const [frozen] = checks.warnings(CHANNEL);
  expect(frozen).toMatchObject({ severity: "warning", message: { en: expect.stringContaining("No video for 12 s") } });
  await run(1, {});
  expect(shown()).toEqual(["VIDEO_MISSING 39"]);
  await run(11, {});
  expect(shown()).toEqual([]);
});

test("digital silence is shown at once, with its time, whatever the targets, and gone with the first audio", async () => {
  stored = [CUSTOM];
  await run(1, { measures: { secondsSilent: 20 } });
  expect(shown()).toEqual(["AUDIO_SILENT undefined"]);
  const text = () => checks.warnings(CHANNEL)[0]?.message;
  expect(checks.warnings(CHANNEL)[0]).toMatchObject({ severity: "warning" });
  expect(text()?.en).toContain("The audio has been silent for 20 s: check the microphone, the mixer");
  expect(text()?.ko).toContain("20초 동안 소리가 없습니다.");
  await run(1, { measures: { secondsSilent: 180 } });
  expect([text()?.en, text()?.ko].map((each) => /3 ?(min|분)/.test(each ?? ""))).toEqual([true, true]);
  await run(1, { measures: {} });
  expect(shown()).toEqual([]);
});

test("the beginning and the end of silence are events, but not where the encoder is lost or replaced", async () => {
  const silence = (seconds: number, isOver: boolean) => ({
    kind: "silence-changed",
    channelId: CHANNEL,
    seconds,
    isOver,
  });
  const SILENT = { measures: { secondsSilent: 20 } };
  expect(await run(3, SILENT)).toMatchObject([silence(20, false)]);
  expect(await run(1, { measures: { secondsSilent: 75 } })).toEqual([]);
  expect(await run(3, {})).toMatchObject([silence(75, true)]);
  expect(await run(1, SILENT)).toMatchObject([silence(20, false)]);
  expect(await run(1, { ...SILENT, state: "HELD" })).toEqual([]);
  expect(await run(1, {})).toEqual([]);
  expect(await run(1, SILENT)).toMatchObject([silence(20, false)]);
  expect(await run(1, { startTime: 99, measures: {} })).toEqual([]);
});

test("audio that no longer comes is missing, not silent", async () => {
  await run(6, { measures: { secondsSilent: 30, audioBytesPerSecond: 0, videoBytesPerSecond: 1_000 } });
  expect(shown()).toEqual(["AUDIO_MISSING undefined"]);
});
