import { join } from "node:path";
import type { Log } from "../../../base/log.ts";
import { Recordings, type RecordingsOptions } from "../../../control/recordings/recordings.ts";
import type { RecorderSettings } from "../../../recording/recorder.ts";
import type { Config } from "../../config/settings/settings.ts";
import { RecordingWorker } from "./recording-worker.ts";

const BYTES_PER_MB = 1_000_000;
const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;

/** The recorder's settings. */
function recorderSettings(config: Config): RecorderSettings {
  return {
    folder: config.recordingFolder ?? join(config.dataDir, "recordings"),
    fileMs: config.recordingFileMinutes * MS_PER_MINUTE,
    fileBytes: config.recordingFileMb * BYTES_PER_MB,
    keepFreeBytes: config.recordingKeepFreeMb * BYTES_PER_MB,
    quotaBytes: config.recordingQuotaMb * BYTES_PER_MB,
    keepMs: config.recordingKeepDays * MS_PER_DAY,
    keepBytes: config.recordingKeepMb * BYTES_PER_MB,
  };
}

export type RecordingParts = { readonly worker: RecordingWorker; readonly recordings: Recordings };

/** Builds the recorder's supervision and the list of its files. */
export function recordingsOf(
  config: Config,
  deps: Omit<RecordingsOptions, "recorder"> & { readonly log: Log },
): RecordingParts {
  const worker: RecordingWorker = new RecordingWorker({
    ...{ settings: recorderSettings(config), clock: deps.clock, log: deps.log },
    onNews: (news) => recordings.take(news),
  });
  const recordings: Recordings = new Recordings({ ...deps, recorder: worker });
  return { worker, recordings };
}
