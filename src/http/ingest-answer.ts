import type { IngestSample } from "../exchange/samples.ts";

/** The channel object's `ingest`. */
export function ingestAnswer(ingest: IngestSample) {
  const { state, slot, remoteAddress, encoder, startTime, bytesPerSecond, bytesTotal } = ingest;
  const { videoCodec, width, height, frameRate, keyframeIntervalSeconds, audioCodec, sampleRate, channels } = ingest;
  return {
    state,
    source: slot,
    remoteAddress,
    encoder,
    startTime,
    ...(videoCodec === undefined ? {} : { videoCodec }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(frameRate === undefined ? {} : { frameRate }),
    ...(keyframeIntervalSeconds === undefined ? {} : { keyframeIntervalSeconds }),
    ...(audioCodec === undefined ? {} : { audioCodec }),
    ...(sampleRate === undefined ? {} : { sampleRate }),
    ...(channels === undefined ? {} : { channels }),
    bytesPerSecond: Math.round(bytesPerSecond),
    bytesTotal,
    warnings: warningsOf(ingest),
  };
}

function warningsOf({ standbyDiffers }: IngestSample) {
  if (standbyDiffers === undefined) return [];
  const message = `The encoder that stands by differs from the one on air (${standbyDiffers}): give both the same settings, or platforms will notice the switch.`;
  return [{ code: "BACKUP_DIFFERS", severity: "warning", message }];
}

/**
 * Everything of `ingest` that does not change by itself while media flows; of what is measured, whether it is known. Two samples
 * with the same text are no change worth telling.
 */
export function ingestShape(ingest: IngestSample): string {
  const { bytesPerSecond: _rate, bytesTotal: _total, frameRate, keyframeIntervalSeconds, ...steady } = ingest;
  return JSON.stringify([steady, frameRate !== undefined, keyframeIntervalSeconds !== undefined]);
}
