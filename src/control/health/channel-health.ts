import { slateSentence } from "../../api-contract/sources/source-sentences.ts";
import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import { isTargetError } from "../../thread-protocol/targets/target-errors.ts";
import type { TargetError, TargetErrorCode, TargetWarning } from "../../thread-protocol/targets/target-status.ts";
import type { ChannelState } from "../channels/channel.ts";
import type { SourceStatus } from "../channels/source.ts";
import type { IngestWarning } from "../ingest-check/ingest-checks.ts";
import type { FindingCode } from "../ingest-check/ingest-findings.ts";
import type { ChannelLive, TargetLive } from "../ports/runtime.ts";
import { isSlateTrouble, type SlateState } from "../ports/slate-maker.ts";
import type { Bilingual } from "../presets/target-preset.ts";
import { type NextStep, STEP_OF_ERROR } from "./next-steps.ts";
import { isSourceStarting, sourceFailure } from "./source-health.ts";

/**
 * `broken`: viewers miss the broadcast somewhere, or the channel's source fails. `attention`: they see it, and something
 * should be changed. `healthy`: nothing to do. `waiting`: there is no encoder, or the source is starting. `off`: the
 * channel is turned off. These are the API's words.
 */
type HealthState = "healthy" | "attention" | "broken" | "waiting" | "off";

/**
 * The cause of the verdict. The codes of errors and warnings are those of `lastError`, `warning` and `ingest.warnings`.
 */
type HealthReasonCode =
  | TargetErrorCode
  | TargetWarning["code"]
  | FindingCode
  | "ENCODER_LOST"
  | "PLATFORM_UNSTABLE"
  | "PLATFORMS_OFF"
  | "BACKUP_DIFFERS"
  | "SLATE_FAILED"
  | "WAITS_FOR_ENCODER"
  | "SOURCE_STARTING"
  | "SOURCE_FAILED"
  | "CHANNEL_OFF";

type HealthReason = {
  readonly code: HealthReasonCode;
  readonly message: Bilingual;
  /** The target it is about; absent: the channel as a whole. */
  readonly targetId?: TargetId;
  readonly nextStep: NextStep;
};

/** One verdict about a channel. */
export type ChannelHealth = {
  readonly state: HealthState;
  /** The first reason, the one to look at now; absent where the channel is healthy. */
  readonly reason?: HealthReason;
  /** How many reasons there are in total, including those of less serious states. */
  readonly reasonCount: number;
};

export type HealthInput = {
  readonly state: ChannelState;
  /** Absent where nothing was reported of the channel since the process started. */
  readonly live: ChannelLive | undefined;
  /** What the ingest check says now. */
  readonly warnings: readonly IngestWarning[];
  /** What the channel's source does, or did last; absent where none was started since the process started. */
  readonly source?: SourceStatus | undefined;
  /** How the channel's slate is; absent where it has none. */
  readonly slate?: SlateState | undefined;
};

const SENTENCES = {
  CHANNEL_OFF: {
    en: "The channel is disabled: encoders can't connect.",
    ko: "채널이 송출 차단 상태라 인코더를 받지 않습니다.",
  },
  WAITS_FOR_ENCODER: {
    en: "The channel is waiting for an encoder.",
    ko: "인코더를 기다리고 있습니다.",
  },
  SOURCE_STARTING: {
    en: "The source is starting.",
    ko: "소스를 시작하고 있습니다.",
  },
  ENCODER_LOST: {
    en: "The encoder is lost. Viewers see the last frame until it comes back or the hold ends.",
    ko: "인코더 연결이 끊어졌습니다. 인코더가 돌아오거나 송출 유지가 끝날 때까지 시청자에게는 마지막 화면이 보입니다.",
  },
  ENCODER_LOST_SLATE: {
    en: "The encoder is lost. Viewers see the slate until it comes back or the hold ends.",
    ko: "인코더 연결이 끊어졌습니다. 인코더가 돌아오거나 송출 유지가 끝날 때까지 시청자에게는 대기 화면이 보입니다.",
  },
  PLATFORMS_OFF: {
    en: "No platform is switched on, so the stream isn't sent anywhere.",
    ko: "켜져 있는 플랫폼이 없어 어디에도 송출되지 않습니다.",
  },
  PLATFORM_UNSTABLE: {
    en: "The connection to this platform broke three times within ten minutes.",
    ko: "이 플랫폼과의 연결이 10분 동안 세 번 끊어졌습니다.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

/** The verdict on a channel, from its state, its source, its targets, the hold, the ingest check and its slate. */
export function channelHealth({ state, live, warnings, source, slate }: HealthInput): ChannelHealth {
  if (state !== "live") return { state: "off", ...only("CHANNEL_OFF", "TURN_CHANNEL_ON") };
  if (live?.isPublishing !== true) return offAir(live, source);
  const targets = [...live.targets].sort(([left], [right]) => left - right);
  const broken = [...streamLost(live, source), ...failures(targets)];
  const attention = [...attentions(live.ingest, targets, warnings), ...slateTrouble(slate)];
  const [reason] = [...broken, ...attention];
  if (reason === undefined) return { state: "healthy", reasonCount: 0 };
  return {
    state: broken.length > 0 ? "broken" : "attention",
    reason,
    reasonCount: broken.length + attention.length,
  };
}

/** Equal for two verdicts that do not differ. */
export function healthKey({ state, reason, reasonCount }: ChannelHealth): string {
  return `${state} ${reason?.code ?? ""} ${reason?.targetId ?? ""} ${reasonCount}`;
}

function only(
  code: Exclude<keyof typeof SENTENCES, "ENCODER_LOST_SLATE">,
  nextStep: NextStep,
): Pick<ChannelHealth, "reason" | "reasonCount"> {
  return { reason: { code, message: SENTENCES[code], nextStep }, reasonCount: 1 };
}

function offAir(live: ChannelLive | undefined, source: SourceStatus | undefined): ChannelHealth {
  const failure = sourceFailure(source, live?.startTime);
  if (failure !== undefined) return { state: "broken", reason: failure, reasonCount: 1 };
  if (isSourceStarting(source)) return { state: "waiting", ...only("SOURCE_STARTING", "WAIT_FOR_SOURCE") };
  return { state: "waiting", ...only("WAITS_FOR_ENCODER", "START_ENCODER") };
}

/** A source that fails is the reason for its hold: there is no encoder to restart. */
function streamLost({ ingest, startTime }: ChannelLive, source: SourceStatus | undefined): HealthReason[] {
  if (ingest?.state !== "HELD") return [];
  const failure = sourceFailure(source, startTime);
  if (failure !== undefined) return [failure];
  const message = ingest.isSlateShown === true ? SENTENCES.ENCODER_LOST_SLATE : SENTENCES.ENCODER_LOST;
  return [{ code: "ENCODER_LOST", message, nextStep: "RESTART_ENCODER" }];
}

/**
 * Targets that take nothing because of an error, also while they are dialled again. Those that need a person come
 * first.
 */
function failures(targets: readonly (readonly [TargetId, TargetLive])[]): HealthReason[] {
  const failed = targets.flatMap(([targetId, { status }]) => {
    const { lastError } = status;
    const isDown = status.status === "FAIL" || status.status === "CONNECTING";
    return lastError === undefined || !isDown ? [] : [{ targetId, lastError }];
  });
  const rank = (severity: string) => (severity === "fatal" ? 0 : 1);
  return failed
    .sort((left, right) => rank(left.lastError.severity) - rank(right.lastError.severity))
    .map(({ targetId, lastError }) => ({
      code: lastError.code,
      message: { en: lastError.message, ko: lastError.messageKo },
      targetId,
      nextStep: stepOf(lastError),
    }));
}

/** A preset's address is right: where its name is not found, this server's DNS is at fault. */
function stepOf(error: TargetError): NextStep {
  return isTargetError(error, "known-name-unknown") ? "ASK_OPERATOR" : STEP_OF_ERROR[error.code];
}

function attentions(
  ingest: IngestSample | undefined,
  targets: readonly (readonly [TargetId, TargetLive])[],
  warnings: readonly IngestWarning[],
): HealthReason[] {
  const errors = warnings.filter(({ severity }) => severity === "error");
  const rest = warnings.filter(({ severity }) => severity !== "error");
  return [
    ...platformsOff(ingest, targets),
    ...targets.flatMap(([targetId, { status }]) => targetWarning(targetId, status.warning)),
    ...errors.map(ingestWarning),
    ...targets.flatMap(([targetId, live]) => unstable(targetId, live)),
    ...rest.map(ingestWarning),
    ...backupDiffers(ingest),
  ];
}

/**
 * Targets are dialled at the first media. If media came and all targets are idle, all of them are switched off, or a
 * person chose none for a test pattern.
 */
function platformsOff(
  ingest: IngestSample | undefined,
  targets: readonly (readonly [TargetId, TargetLive])[],
): HealthReason[] {
  const hasMedia = ingest?.videoCodec !== undefined || ingest?.audioCodec !== undefined;
  const isSent = targets.some(([, { status, sample }]) => status.status !== "READY" || sample?.delay !== undefined);
  if (ingest?.state !== "LIVE" || !hasMedia || isSent || ingest.onlyTargetIds !== undefined) return [];
  return [{ code: "PLATFORMS_OFF", message: SENTENCES.PLATFORMS_OFF, nextStep: "TURN_PLATFORM_ON" }];
}

function targetWarning(targetId: TargetId, warning: TargetWarning | undefined): HealthReason[] {
  if (warning === undefined) return [];
  const { code, message, messageKo } = warning;
  const nextStep = code === "SLOW" ? "CHECK_CONNECTION" : "CHANGE_ENCODER";
  return [{ code, message: { en: message, ko: messageKo }, targetId, nextStep }];
}

function unstable(targetId: TargetId, { status, sample }: TargetLive): HealthReason[] {
  if (sample?.isUnstable !== true || status.status === "READY") return [];
  const message = SENTENCES.PLATFORM_UNSTABLE;
  return [{ code: "PLATFORM_UNSTABLE", message, targetId, nextStep: "CHECK_CONNECTION" }];
}

function ingestWarning({ code, message, targetId }: IngestWarning): HealthReason {
  return { code, message, ...(targetId === undefined ? {} : { targetId }), nextStep: "CHANGE_ENCODER" };
}

function backupDiffers(ingest: IngestSample | undefined): HealthReason[] {
  const differs = ingest?.standbyDiffers;
  if (differs === undefined) return [];
  const message = {
    en: `The backup encoder differs from the one on air (${differs}): viewers would notice the switch.`,
    ko: `백업 인코더의 설정이 방송 중인 인코더와 다릅니다(${differs}). 전환할 때 시청자가 알아차릴 수 있습니다.`,
  };
  return [{ code: "BACKUP_DIFFERS", message, nextStep: "CHECK_BACKUP" }];
}

/** Viewers would see the last frame where a person chose a slate. */
function slateTrouble(slate: SlateState | undefined): HealthReason[] {
  if (slate === undefined || !isSlateTrouble(slate)) return [];
  const [en, ko] = slateSentence(slate);
  const message = { en: `The slate can't be shown: ${en}`, ko: `대기 화면을 보여 줄 수 없습니다: ${ko}` };
  return [{ code: "SLATE_FAILED", message, nextStep: "CHANGE_SLATE" }];
}
