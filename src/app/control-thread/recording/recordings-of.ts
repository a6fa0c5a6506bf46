import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import type { Log } from "../../../base/log.ts";
import type { RecordingUploaded } from "../../../control/facts/server-fact.ts";
import { Recordings, type RecordingsOptions } from "../../../control/recordings/recordings.ts";
import type { RecorderSettings } from "../../../recording/recorder.ts";
import type { Config } from "../../config/settings/settings.ts";
import { DATA_FOLDERS } from "../../data-folder/data-folders.ts";
import { RecordingWorker } from "./recording-worker.ts";

const SERVER_LENGTH = 16;
const BYTES_PER_MB = 1_000_000;
const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;

/** The recorder's settings. */
function recorderSettings(config: Config): RecorderSettings {
  return {
    folder: config.recordingFolder ?? join(config.dataDir, DATA_FOLDERS.recordings),
    server: createHash("sha256")
      .update(`${hostname()} ${resolve(config.dataDir)}`)
      .digest("hex")
      .slice(0, SERVER_LENGTH),
    fileMs: config.recordingFileMinutes * MS_PER_MINUTE,
    fileBytes: config.recordingFileMb * BYTES_PER_MB,
    keepFreeBytes: config.recordingKeepFreeMb * BYTES_PER_MB,
    quotaBytes: config.recordingQuotaMb * BYTES_PER_MB,
    keepMs: config.recordingKeepDays * MS_PER_DAY,
    keepBytes: config.recordingKeepMb * BYTES_PER_MB,
    ...uploadSettings(config),
  };
}

/** Nothing without an address: the settings were checked to be complete. */
function uploadSettings(config: Config): Pick<RecorderSettings, "upload"> {
  const { s3Url: endpoint, s3Bucket: bucket, s3AccessKey: accessKey, s3SecretKey: secretKey } = config;
  if (endpoint === undefined || bucket === undefined || accessKey === undefined || secretKey === undefined) return {};
  return { upload: { endpoint, bucket, accessKey, secretKey, region: config.s3Region, prefix: config.s3Prefix } };
}

export type RecordingParts = { readonly worker: RecordingWorker; readonly recordings: Recordings };

/** Builds the recorder's supervision and the list of its files. */
export function recordingsOf(
  config: Config,
  deps: Omit<RecordingsOptions, "recorder"> & {
    readonly log: Log;
    /** Called when an upload is done, or failed in a way that a person should know. */
    readonly onUpload: (fact: RecordingUploaded) => void;
  },
): RecordingParts {
  const worker: RecordingWorker = new RecordingWorker({
    ...{ settings: recorderSettings(config), clock: deps.clock, log: deps.log },
    onNews: (news) => {
      if (news.kind !== "upload") return recordings.take(news);
      const { file, time, upload } = news;
      deps.onUpload({ kind: "recording-upload", time, ...file, upload });
    },
  });
  const recordings: Recordings = new Recordings({ ...deps, recorder: worker });
  return { worker, recordings };
}
