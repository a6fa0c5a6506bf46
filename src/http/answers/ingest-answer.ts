import type { CheckState, IngestWarning } from "../../control/ingest-check/ingest-checks.ts";
import type { IngestSample, SrtLinkSample } from "../../thread-protocol/samples.ts";

/** The channel object's `ingest`. */
export function ingestAnswer(ingest: IngestSample, warnings: readonly IngestWarning[], checkState?: CheckState) {
  const { state, slot, remoteAddress, encoder, startTime, bytesPerSecond, bytesTotal } = ingest;
  const {
    videoCodec,
    width,
    height,
    frameRate,
    keyframeIntervalSeconds,
    audioCodec,
    sampleRate,
    channels,
    secondsWithoutVideo,
    droppedData,
    testPatternEndTime,
    onlyTargetIds,
    sourceKind,
  } = ingest;
  const chosen = onlyTargetIds === undefined ? {} : { platIds: onlyTargetIds };
  return {
    state,
    source: slot,
    remoteAddress,
    encoder,
    startTime,
    ...(testPatternEndTime === undefined ? {} : { testPattern: { endTime: testPatternEndTime, ...chosen } }),
    ...(sourceKind === undefined ? {} : { sourceKind }),
    ...(ingest.isCurtainClosed === undefined ? {} : { curtainClosed: true }),
    ...(ingest.isSlateShown === undefined ? {} : { slateShown: true }),
    ...(videoCodec === undefined ? {} : { videoCodec }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(frameRate === undefined ? {} : { frameRate }),
    ...(keyframeIntervalSeconds === undefined ? {} : { keyframeIntervalSeconds }),
    ...(audioCodec === undefined ? {} : { audioCodec }),
    ...(sampleRate === undefined ? {} : { sampleRate }),
    ...(channels === undefined ? {} : { channels }),
    ...(secondsWithoutVideo === undefined ? {} : { secondsWithoutVideo }),
    ...(droppedData === undefined ? {} : { droppedData }),
    ...(ingest.srt === undefined ? {} : { srt: srtAnswer(ingest.srt) }),
    bytesPerSecond: Math.round(bytesPerSecond),
    bytesTotal,
    ...(checkState === undefined ? {} : { checkState }),
    warnings: [...backupWarnings(ingest), ...warnings.map(warningAnswer)],
  };
}

function srtAnswer({ rttMs, latencyMs, isEncrypted, bytesPerSecond, lossPercent, ...counts }: SrtLinkSample) {
  const { packets, lost, retransmitted, dropped, belated, undecrypted } = counts;
  return {
    ...(rttMs === undefined ? {} : { roundTripMs: Math.round(rttMs * 10) / 10 }),
    latencyMs,
    encrypted: isEncrypted,
    bytesPerSecond,
    lossPercent,
    packets,
    lost,
    retransmitted,
    dropped,
    belated,
    undecrypted,
  };
}

function backupWarnings({ standbyDiffers }: IngestSample) {
  if (standbyDiffers === undefined) return [];
  const message = `The backup encoder differs from the one on air (${standbyDiffers}): give both the same settings, or platforms will notice the switch.`;
  const messageKo = `백업 인코더의 설정이 방송 중인 인코더와 다릅니다(${standbyDiffers}). 전환할 때 시청자가 알아차릴 수 있으니 두 인코더의 설정을 동일하게 맞춰 주세요.`;
  return [{ code: "BACKUP_DIFFERS", severity: "warning", message, messageKo }];
}

function warningAnswer({ code, severity, message, targetId }: IngestWarning) {
  return {
    code,
    severity,
    message: message.en,
    messageKo: message.ko,
    ...(targetId === undefined ? {} : { platId: targetId }),
  };
}

/**
 * Everything in `ingest` that does not change by itself while media flows; for measures, whether they are known. Two
 * samples with the same text have no change to report.
 */
export function ingestShape(
  ingest: IngestSample,
  warnings: readonly IngestWarning[],
  checkState: CheckState | undefined,
): string {
  const { bytesPerSecond: _rate, bytesTotal: _total, measures: _measures, ...rest } = ingest;
  const { frameRate, keyframeIntervalSeconds, secondsWithoutVideo, droppedData, srt, ...steady } = rest;
  const known = [frameRate, keyframeIntervalSeconds, secondsWithoutVideo, droppedData].map(
    (value) => value !== undefined,
  );
  return JSON.stringify([steady, known, warnings, checkState, srtShape(srt)]);
}

/** Rounded, so that it changes only when a person would see a difference. */
function srtShape(srt: SrtLinkSample | undefined) {
  if (srt === undefined) return undefined;
  const { rttMs, lossPercent, dropped, isEncrypted, latencyMs } = srt;
  return [
    rttMs === undefined ? rttMs : Math.round(rttMs / 10),
    Math.round(lossPercent),
    dropped,
    isEncrypted,
    latencyMs,
  ];
}
