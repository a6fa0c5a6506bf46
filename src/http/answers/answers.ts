import type { PublishStatusName } from "../../api-contract/channel-status.ts";
import { maskAddress, maskPassword, maskStreamKey } from "../../api-contract/masks.ts";
import type { Alerts, Target } from "../../control/channels/channel.ts";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import type { OwnerLive } from "../../control/ports/runtime.ts";
import type { ChannelDetail, ChannelSummary, TargetDetail } from "../../control/use-cases/details.ts";
import type { TargetTest } from "../../control/use-cases/target-edits.ts";
import type { DelaySample } from "../../thread-protocol/delays/delay.ts";
import type { TargetSample } from "../../thread-protocol/samples.ts";
import { targetError } from "../../thread-protocol/targets/target-errors.ts";
import { healthAnswer } from "./health-answer.ts";
import { ingestAnswer } from "./ingest-answer.ts";
import { recordingStatusAnswer } from "./recordings/recording-answer.ts";
import { windowsAnswer } from "./windows/target-windows.ts";

/** The servers that encoders publish to: without key or trailing slash. */
export type PublishAddresses = {
  readonly publishUrl: string;
  /** The same over TLS; absent where the server accepts no encoders over TLS. */
  readonly securePublishUrl?: string;
  /** For encoders over SRT, without the key; absent where SRT is off. */
  readonly srtUrl?: string;
};

/** What an answer depends on, beside its subject. */
export type AnswerContext = PublishAddresses & {
  readonly publishStatusName: PublishStatusName;
  /** A viewer sees stream keys, logins and the paths of addresses masked. */
  readonly isViewer: boolean;
};

const MS_PER_SECOND = 1_000;
/** A node reports every second, and says every two seconds that it lives. */
const STATUS_AGE_USUAL_SECONDS = 3;

function shownKey(streamKey: string, { isViewer }: AnswerContext): string {
  return isViewer ? maskStreamKey(streamKey) : streamKey;
}

/** A viewer sees an address's host but not its path: some platforms and receivers put the secret there. */
export function shownAddress(url: string, { isViewer }: Pick<AnswerContext, "isViewer">): string {
  return isViewer ? maskAddress(url) : url;
}

/** The node that owns a channel, and how old its status is where that is worth mentioning. */
function ownerAnswer(owner: OwnerLive | undefined) {
  if (owner === undefined) return {};
  const statusAge = Math.floor(owner.ageMs / MS_PER_SECOND);
  return { ownerState: owner.state, ...(statusAge > STATUS_AGE_USUAL_SECONDS ? { statusAge } : {}) };
}

function channelStatus(channel: ChannelSummary, { publishStatusName }: AnswerContext): string {
  if (channel.state === "deleted") return "DELETED";
  if (channel.state === "blocked") return "BLOCK";
  return channel.isPublishing ? publishStatusName : "READY";
}

/** The channel object of all other calls that return one. A field without a value is left out, never `null`. */
export function channelAnswer(channel: ChannelSummary, context: AnswerContext) {
  const startTime = channel.recentPublishStartTime;
  const { publishUrl, securePublishUrl, srtUrl } = context;
  const ownUrl = addressOf(channel, publishUrl);
  return {
    channelId: channel.channelId,
    channelName: channel.name,
    ...(channel.labels === undefined ? {} : { labels: channel.labels }),
    envType: channel.envType,
    planType: channel.planType,
    instanceNo: channel.instanceNo,
    channelStatus: channelStatus(channel, context),
    isPublishing: channel.isPublishing,
    ...ownerAnswer(channel.owner),
    health: healthAnswer(channel.health),
    createdTime: channel.createdTime,
    publishUrl: ownUrl,
    globalPublishUrl: ownUrl,
    ...(securePublishUrl === undefined ? {} : { securePublishUrl: addressOf(channel, securePublishUrl) }),
    ...(srtUrl === undefined ? {} : { srtUrl }),
    streamKey: shownKey(channel.streamKey, context),
    hold: { seconds: channel.holdSeconds, ...channel.hold },
    latency: channel.latency,
    freeze: channel.freeze,
    recording: recordingStatusAnswer(channel),
    ...backupAnswer(channel, context),
    ...loginAnswer(channel, context),
    ...passphraseAnswer(channel, context),
    platformCount: channel.targetCount,
    totalPublishSeconds: Math.floor(channel.publishMs / MS_PER_SECOND),
    // One value under two names: Live Station renamed the field in 2025.
    ...(startTime === undefined ? {} : { recentPublishStartTime: startTime, recentPublishTime: startTime }),
    ...alertAnswer(channel.alerts),
    ...(channel.callbackUrl === undefined ? {} : { callbackEndpoint: shownAddress(channel.callbackUrl, context) }),
    ...(channel.ingest === undefined
      ? {}
      : { ingest: ingestAnswer(channel.ingest, channel.warnings, channel.checkState) }),
  };
}

function backupAnswer({ backupStreamKey }: ChannelSummary, context: AnswerContext) {
  if (backupStreamKey === undefined) return { backup: { enabled: false } };
  return { backup: { enabled: true }, backupStreamKey: shownKey(backupStreamKey, context) };
}

function shownLogin(id: string, { isViewer }: AnswerContext): string {
  return isViewer ? maskPassword(id) : id;
}

/** Encoders that must log in find that in the address: the channel is known too late to ask them. */
function addressOf({ ingestLogin }: ChannelSummary, url: string): string {
  return ingestLogin === undefined ? url : `${url}/login`;
}

function loginAnswer({ ingestLogin }: ChannelSummary, context: AnswerContext) {
  if (ingestLogin === undefined) return {};
  return { ingestAuth: { id: shownLogin(ingestLogin.id, context), password: maskPassword(ingestLogin.password) } };
}

function passphraseAnswer({ srtPassphrase }: ChannelSummary, { isViewer }: AnswerContext) {
  if (srtPassphrase === undefined) return {};
  return { srtPassphrase: isViewer ? maskPassword(srtPassphrase) : srtPassphrase };
}

function alertAnswer({ isOn, ofChannelStatus, ofVodUploads, ofTargetFailures }: Alerts) {
  if (!isOn) return { alertOn: false };
  const alertOptions = {
    alertChangeStatus: ofChannelStatus,
    alertVodUploadFail: ofVodUploads,
    alertReStreamFail: ofTargetFailures,
  };
  return { alertOn: true, alertOptions };
}

/** The channel object of calls 1, 3 and 13, with its platforms' settings. */
export function channelWithPlatformsAnswer(channel: ChannelDetail, context: AnswerContext) {
  return {
    ...channelAnswer(channel, context),
    restream: channel.targets.map((target) => platformSettingsAnswer(target, context)),
  };
}

/** A platform's settings: one element of `restream`, and the answer of call 6. */
export function platformSettingsAnswer(target: Target, context: AnswerContext) {
  return {
    platId: target.targetId,
    targetName: target.targetName,
    rtmpUrl: shownAddress(target.url, context),
    streamKey: shownKey(target.streamKey, context),
    ...(target.loginId === undefined ? {} : { id: shownLogin(target.loginId, context) }),
    ...(target.loginPassword === undefined ? {} : { password: maskPassword(target.loginPassword) }),
    enabled: target.isEnabled,
    bufferPolicy: target.bufferPolicy,
    ...(target.tls === undefined ? {} : { tls: target.tls }),
    ...(target.tracks === undefined ? {} : { tracks: target.tracks }),
    ...(target.hasTimedData === false ? { timedData: false } : {}),
    ...(target.silentAudio === undefined || target.silentAudio === "auto" ? {} : { silentAudio: target.silentAudio }),
    ...(target.delaySeconds === undefined ? {} : { delaySeconds: target.delaySeconds }),
    ...windowsAnswer(target),
    ...(target.label === undefined ? {} : { label: target.label }),
  };
}

/** One element of call 5: settings, live status and counters. */
export function platformAnswer(target: TargetDetail, context: AnswerContext) {
  const status = target.live?.status;
  return {
    ...platformSettingsAnswer(target, context),
    connectStatus: status?.status ?? "READY",
    ...(status === undefined ? {} : { connectStatusTime: status.sinceTime }),
    ...ownerAnswer(target.owner),
    ...rates(target),
    ...delayAnswer(target.live?.sample?.delay),
    bytesTotalTrans: target.totals.bytes,
    // The name in the reference's table until 2024. It is a total, despite its name.
    totalBytesPerSecond: target.totals.bytes,
    ...onAir(target),
    totalPlaySecond: Math.floor(target.totals.playMs / MS_PER_SECOND),
    totalRetryCount: target.totals.retryCount,
    ...(status?.nextRetryTime === undefined ? {} : { nextRetryTime: status.nextRetryTime }),
    ...(status?.retryAttempt === undefined ? {} : { retryAttempt: status.retryAttempt }),
    ...(status?.lastError === undefined ? {} : { lastError: status.lastError }),
    ...(status?.warning === undefined ? {} : { warning: status.warning }),
  };
}

/** How long the platform has been on air in the broadcast that runs: the value that the report will have. */
function onAir({ live, isChannelPublishing }: TargetDetail) {
  if (live === undefined || !isChannelPublishing) return {};
  return { onAirSeconds: Math.floor((live.onAirMs ?? 0) / MS_PER_SECOND) };
}

/** The rates of the last sample. They do not apply to a READY platform: nothing is sent and nothing waits. */
function rates(target: TargetDetail) {
  const { status, sample } = target.live ?? {};
  const isIdle = status === undefined || status.status === "READY" || !target.isChannelPublishing;
  if (sample === undefined || isIdle) return { bytesPerSecond: 0 };
  return {
    bytesPerSecond: Math.round(sample.bytesPerSecond),
    droppedFrames: sample.droppedFrames,
    ...(sample.droppedFrames > 0 ? { droppedFramesByCause: sample.drops } : {}),
    queueMilliseconds: Math.round(sample.queueMs),
    ...(sample.unackedBytes === undefined ? {} : { unackedBytes: sample.unackedBytes }),
    ...(sample.ackedBytes === undefined ? {} : { bytesAcknowledged: sample.ackedBytes }),
    ...(sample.hasSilence === true ? { silenceAdded: true } : {}),
    stability: stabilityOf(sample),
  };
}

/** What waits of a platform's stream, as one more field of an answer; nothing where it has no delay. */
export function delayAnswer(delay: DelaySample | undefined) {
  if (delay === undefined) return {};
  const { state, delayMs, bufferedMs, bufferedBytes, diskBytes, problem } = delay;
  return {
    delay: {
      state,
      currentSeconds: Math.round(delayMs / MS_PER_SECOND),
      bufferedSeconds: Math.round(bufferedMs / MS_PER_SECOND),
      bufferedBytes,
      diskBytes,
      ...(problem === undefined ? {} : { problem: sentenceOf(problem) }),
    },
  };
}

function sentenceOf(problem: NonNullable<DelaySample["problem"]>) {
  const { message, messageKo } = targetError(`delay-${problem}`);
  return { message, messageKo };
}

export function stabilityOf({ isUnstable }: TargetSample): "stable" | "unstable" {
  return isUnstable ? "unstable" : "stable";
}

/** The result of a platform's test: call 19. */
export function platformTestAnswer({ isOk, stage, error, durationMs }: TargetTest) {
  return {
    ok: isOk,
    stage,
    ...(error === undefined ? {} : { lastError: error }),
    milliseconds: durationMs,
  };
}

/** An access key without its secret. */
export function accessKeyAnswer({ accessKeyId, role, name, createdTime, lastUsedTime }: AccessKey) {
  return {
    accessKey: accessKeyId,
    role,
    ...(name === "" ? {} : { name }),
    createdTime,
    ...(lastUsedTime === undefined ? {} : { lastUsedTime }),
  };
}

/** A new access key: the only answer with the secret. */
export function newAccessKeyAnswer(key: AccessKey) {
  return { ...accessKeyAnswer(key), secretKey: key.secretKey };
}
