import { expect, test } from "vitest";
import type { PullStatus, SourceReason, SourceStatus } from "../../../src/control/channels/source.ts";
import { type ChannelHealth, channelHealth, type HealthInput } from "../../../src/control/health/channel-health.ts";
import { NEXT_STEPS, STEP_OF_ERROR } from "../../../src/control/health/next-steps.ts";
import type { IngestWarning } from "../../../src/control/ingest-check/ingest-checks.ts";
import type { ChannelLive, TargetLive } from "../../../src/control/ports/runtime.ts";
import { pullError } from "../../../src/sources/pull-links/pull-errors.ts";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import type { TargetStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { targetWarning } from "../../../src/thread-protocol/targets/target-warnings.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";

const INGEST = { ...channelSample("c", []).ingest, videoCodec: "avc" };

const target = (status: Omit<TargetStatus, "sinceTime">, isUnstable = false): TargetLive => ({
  status: { sinceTime: 1, ...status },
  sample: targetSample(0, { isUnstable }),
});
const failed = (name: Parameters<typeof targetError>[0], status: "FAIL" | "CONNECTING" = "FAIL") =>
  target({ status, lastError: { ...targetError(name), time: 1 } });
const GREEN = target({ status: "PUBLISHING" });
const OFF = target({ status: "READY" });
const UNSTABLE = target({ status: "PUBLISHING" }, true);
const SLOW = target({ status: "PUBLISHING", warning: { code: "SLOW", message: "slow", messageKo: "느림" } });
const WAITS = target({ status: "PUBLISHING", warning: targetWarning("no-keyframe") });

const live = (targets: readonly TargetLive[], change: Partial<ChannelLive> = {}): ChannelLive => ({
  isPublishing: true,
  ingest: INGEST,
  targets: new Map(targets.map((each, index) => [index + 1, each])),
  ...change,
});
const HELD = { ingest: { ...INGEST, state: "HELD" } } as const;

const warning = (severity: IngestWarning["severity"], code: IngestWarning["code"]): IngestWarning => ({
  code,
  severity,
  message: { en: `${code} in words`, ko: code },
});
const KEYFRAMES = warning("warning", "KEYFRAME_INTERVAL_LONG");
const NO_AUDIO = warning("error", "AUDIO_MISSING");

const REFUSED = pullError("connection-refused");
const link = (status: PullStatus["status"], error = REFUSED): PullStatus => ({
  ...{ status, sinceTime: 1, isUnstable: false, lastError: { ...error, time: 1 } },
});
const PULL_FAILED: SourceStatus = { state: "failed", sinceTime: 1, link: link("FAIL") };
const PULL_AGAIN: SourceStatus = { state: "starting", sinceTime: 1, link: link("CONNECTING") };
const PULL_FIRST: SourceStatus = {
  ...{ state: "starting", sinceTime: 1, link: { status: "CONNECTING", sinceTime: 1, isUnstable: false } },
};
const FFMPEG_MISSING: SourceStatus = {
  ...{ state: "failed", sinceTime: 1, link: link("FAIL", pullError("ffmpeg-missing")) },
};
const AWAY: SourceStatus = { state: "failed", sinceTime: 1, reason: "files-away", detail: "gone" };
const stopped = (reason: SourceReason, sinceTime = 5): SourceStatus => ({ state: "stopped", sinceTime, reason });
const OFF_AIR = live([OFF], { isPublishing: false, startTime: 4 });

const verdict = ({ state, reason, reasonCount }: ChannelHealth) =>
  [state, reason?.code, reason?.targetId, reason?.nextStep, reasonCount].filter((each) => each !== undefined).join(" ");

type Case = readonly [what: string, input: Partial<HealthInput>, verdict: string];
const CASES: readonly Case[] = [
  ["nothing was ever reported", { live: undefined }, "waiting WAITS_FOR_ENCODER START_ENCODER 1"],
  ["off air", { live: live([OFF], { isPublishing: false }) }, "waiting WAITS_FOR_ENCODER START_ENCODER 1"],
  ["turned off, on its way off air", { state: "blocked", live: live([GREEN]) }, "off CHANNEL_OFF TURN_CHANNEL_ON 1"],
  ["deleted", { state: "deleted", live: undefined }, "off CHANNEL_OFF TURN_CHANNEL_ON 1"],
  ["all green", { live: live([GREEN, GREEN]) }, "healthy 0"],
  ["one off, one green", { live: live([OFF, GREEN]) }, "healthy 0"],
  ["first attempt", { live: live([target({ status: "CONNECTING" })]) }, "healthy 0"],
  ["no media yet", { live: live([OFF], { ingest: channelSample("c", []).ingest }) }, "healthy 0"],
  ["all off", { live: live([OFF, OFF]) }, "attention PLATFORMS_OFF TURN_PLATFORM_ON 1"],
  ["no target", { live: live([]) }, "attention PLATFORMS_OFF TURN_PLATFORM_ON 1"],
  ["held", { live: live([GREEN], HELD) }, "broken ENCODER_LOST RESTART_ENCODER 1"],
  ["held, a target fails", { live: live([failed("publish-refused")], HELD) }, "broken ENCODER_LOST RESTART_ENCODER 2"],
  ["one fails", { live: live([GREEN, failed("publish-refused")]) }, "broken PUBLISH_REJECTED 2 CHECK_KEY 1"],
  [
    "a preset's name is not found",
    { live: live([failed("known-name-unknown")]) },
    "broken DNS_FAILED 1 ASK_OPERATOR 1",
  ],
  ["another name is not found", { live: live([failed("name-unknown")]) }, "broken DNS_FAILED 1 CHECK_ADDRESS 1"],
  ["one is dialled again", { live: live([failed("stalled", "CONNECTING")]) }, "broken STALLED 1 CHECK_CONNECTION 1"],
  [
    "the error that needs a person comes first",
    { live: live([failed("connection-broken"), failed("login-refused")]) },
    "broken AUTH_FAILED 2 CHECK_LOGIN 2",
  ],
  ["an earlier error, green again", { live: live([{ ...GREEN }]) }, "healthy 0"],
  ["unstable while green", { live: live([GREEN, UNSTABLE]) }, "attention PLATFORM_UNSTABLE 2 CHECK_CONNECTION 1"],
  ["unstable, turned off since", { live: live([GREEN, target({ status: "READY" }, true)]) }, "healthy 0"],
  ["slow", { live: live([SLOW]) }, "attention SLOW 1 CHECK_CONNECTION 1"],
  ["waits for a keyframe", { live: live([WAITS]) }, "attention WAITS_FOR_KEYFRAME 1 CHANGE_ENCODER 1"],
  ["a warning", { live: live([GREEN]), warnings: [KEYFRAMES] }, "attention KEYFRAME_INTERVAL_LONG CHANGE_ENCODER 1"],
  [
    "the error among warnings comes first",
    { live: live([GREEN]), warnings: [KEYFRAMES, NO_AUDIO] },
    "attention AUDIO_MISSING CHANGE_ENCODER 2",
  ],
  [
    "a warning off air does not count",
    { live: live([], { isPublishing: false }), warnings: [NO_AUDIO] },
    "waiting WAITS_FOR_ENCODER START_ENCODER 1",
  ],
  ["a pull fails", { source: PULL_FAILED }, "broken TCP_REFUSED CHECK_SOURCE 1"],
  ["a pull fails after a broadcast", { live: OFF_AIR, source: PULL_FAILED }, "broken TCP_REFUSED CHECK_SOURCE 1"],
  ["a pull is connected to again", { source: PULL_AGAIN }, "broken TCP_REFUSED CHECK_SOURCE 1"],
  ["a pull fails because of this server", { source: FFMPEG_MISSING }, "broken SERVER_TROUBLE ASK_OPERATOR 1"],
  ["a pull's first attempt", { source: PULL_FIRST }, "waiting SOURCE_STARTING WAIT_FOR_SOURCE 1"],
  ["a file is opened", { source: { state: "starting", sinceTime: 1 } }, "waiting SOURCE_STARTING WAIT_FOR_SOURCE 1"],
  ["no file can be read now", { source: AWAY }, "broken SOURCE_FAILED CHECK_WATCHED_FOLDER 1"],
  ["no file can be played", { source: stopped("not-playable") }, "broken SOURCE_FAILED CHECK_SOURCE_FILES 1"],
  [
    "no file could be played further",
    { live: OFF_AIR, source: stopped("not-playable") },
    "broken SOURCE_FAILED CHECK_SOURCE_FILES 1",
  ],
  [
    "no file could be played, a broadcast since",
    { live: OFF_AIR, source: stopped("not-playable", 3) },
    "waiting WAITS_FOR_ENCODER START_ENCODER 1",
  ],
  ["the server stopped a source", { source: stopped("server-overloaded") }, "broken SOURCE_FAILED ASK_OPERATOR 1"],
  ["a person stopped a source", { source: stopped("stopped-by-person") }, "waiting WAITS_FOR_ENCODER START_ENCODER 1"],
  ["a source is over", { source: stopped("finished") }, "waiting WAITS_FOR_ENCODER START_ENCODER 1"],
  [
    "a pull fails in a disabled channel",
    { state: "blocked", source: PULL_FAILED },
    "off CHANNEL_OFF TURN_CHANNEL_ON 1",
  ],
  ["held, its source fails", { live: live([GREEN], HELD), source: PULL_FAILED }, "broken TCP_REFUSED CHECK_SOURCE 1"],
  ["an encoder is on air, the source fails", { live: live([GREEN]), source: PULL_FAILED }, "healthy 0"],
  [
    "the backup differs",
    { live: live([GREEN], { ingest: { ...INGEST, standbyDiffers: "frame rate" } }) },
    "attention BACKUP_DIFFERS CHECK_BACKUP 1",
  ],
  ["a slate is ready", { live: live([GREEN]), slate: { at: "ready" } }, "healthy 0"],
  [
    "a slate could not be made",
    { live: live([GREEN]), slate: { at: "failed", reason: "x" } },
    "attention SLATE_FAILED CHANGE_SLATE 1",
  ],
  [
    "a slate comes after everything else",
    { live: live([GREEN]), slate: { at: "unfit", why: "form" }, warnings: [KEYFRAMES] },
    "attention KEYFRAME_INTERVAL_LONG CHANGE_ENCODER 2",
  ],
  [
    "a slate off air does not count",
    { live: live([], { isPublishing: false }), slate: { at: "other-codec", codecs: "vp9" } },
    "waiting WAITS_FOR_ENCODER START_ENCODER 1",
  ],
  [
    "broken before attention",
    { live: live([UNSTABLE, failed("tls-expired")]), warnings: [NO_AUDIO] },
    "broken TLS_FAILED 2 CHECK_CERTIFICATE 3",
  ],
];

test.each(CASES)("%s", (_what, input, expected) => {
  expect(verdict(channelHealth({ state: "live", live: undefined, warnings: [], ...input }))).toBe(expected);
});

test("the verdict's reason is the sentence of its cause, in both languages", () => {
  const { message, messageKo } = targetError("publish-refused");
  const health = channelHealth({ state: "live", live: live([failed("publish-refused")]), warnings: [] });
  expect(health.reason?.message).toEqual({ en: message, ko: messageKo });
});

test("a source's reason is its own sentence, in both languages", () => {
  const { message, messageKo } = REFUSED;
  const reasonOf = (source: SourceStatus) =>
    channelHealth({ state: "live", live: undefined, warnings: [], source }).reason?.message;
  expect(reasonOf(PULL_FAILED)).toEqual({ en: message, ko: messageKo });
  expect(reasonOf(stopped("not-playable"))).toEqual({
    en: "The source has stopped: None of the files can be played.",
    ko: "소스가 중지되었습니다: 재생할 수 있는 파일이 없습니다.",
  });
});

test("each next step of an error has its sentence", () => {
  expect(Object.values(STEP_OF_ERROR).filter((step) => !Object.hasOwn(NEXT_STEPS, step))).toEqual([]);
});
