import { parsed, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

const MINUTES_MAX = 1_440;
const DAYS_MAX = 36_500;
/** A petabyte. */
const MEGABYTES_MAX = 1_000_000_000;

const upTo = (least: number, max: number, allowed: string) =>
  parsed((digits) => {
    const value = /^\d{1,10}$/.test(digits) ? Number(digits) : undefined;
    return value !== undefined && value >= least && value <= max ? value : undefined;
  }, allowed);

const megabytes = upTo(0, MEGABYTES_MAX, `a whole number of megabytes up to ${MEGABYTES_MAX} (0: no limit)`);

/** The settings of recordings. */
export const RECORDING_SETTINGS = {
  recordingFolder: setting(
    "FANFARE_RECORDING_FOLDER",
    text("a folder", /^[^\0]+$/),
    "Where recordings are kept (default: recordings in the data folder).",
  ),
  recordingFileMinutes: setting(
    "FANFARE_RECORDING_FILE_MINUTES",
    upTo(1, MINUTES_MAX, `a whole number of minutes from 1 to ${MINUTES_MAX}`),
    "A recording goes on in a new file after this many minutes.",
    "60",
  ),
  recordingFileMb: setting(
    "FANFARE_RECORDING_FILE_MB",
    upTo(1, MEGABYTES_MAX, `a whole number of megabytes from 1 to ${MEGABYTES_MAX}`),
    "A recording goes on in a new file after this many megabytes.",
    "4000",
  ),
  recordingKeepFreeMb: setting(
    "FANFARE_RECORDING_KEEP_FREE_MB",
    megabytes,
    "Megabytes of the disk that recordings and delayed streams leave free; below that they end, and begin again when there is room.",
    "2000",
  ),
  recordingQuotaMb: setting(
    "FANFARE_RECORDING_QUOTA_MB",
    megabytes,
    "Megabytes of recordings that one channel may have; at that they end (0: no limit).",
    "0",
  ),
  recordingKeepDays: setting(
    "FANFARE_RECORDING_KEEP_DAYS",
    upTo(0, DAYS_MAX, `a whole number of days up to ${DAYS_MAX} (0: for ever)`),
    "Recordings are removed after this many days (0: never).",
    "0",
  ),
  recordingKeepMb: setting(
    "FANFARE_RECORDING_KEEP_MB",
    megabytes,
    "Megabytes of all recordings above which the oldest are removed (0: no limit).",
    "0",
  ),
  delayMb: setting(
    "FANFARE_DELAY_MB",
    upTo(1, MEGABYTES_MAX, `a whole number of megabytes from 1 to ${MEGABYTES_MAX}`),
    "Megabytes on disk that the streams of delayed platforms may take together, in the folder delays of the data folder.",
    "20000",
  ),
  s3Url: setting(
    "FANFARE_S3_URL",
    text("an http:// or https:// address without a path", /^https?:\/\/[^\s/?#@]+\/?$/),
    "S3-compatible service to which finished recordings are uploaded (default: none).",
  ),
  s3Bucket: setting(
    "FANFARE_S3_BUCKET",
    text("the name of a bucket", /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/),
    "Bucket for recordings; it must exist.",
  ),
  s3Region: setting(
    "FANFARE_S3_REGION",
    text("a region", /^[A-Za-z0-9-]{1,64}$/),
    "Region of the bucket.",
    "us-east-1",
  ),
  s3Prefix: setting(
    "FANFARE_S3_PREFIX",
    text("up to 200 characters, none of them blank", /^\S{0,200}$/),
    "What the names of uploaded recordings begin with, such as recordings/.",
    "",
  ),
  s3AccessKey: setting("FANFARE_S3_ACCESS_KEY", text("an access key", /^\S{1,256}$/), "Access key of the bucket."),
  s3SecretKey: setting("FANFARE_S3_SECRET_KEY", text("a secret key", /^\S{1,512}$/), "Its secret key."),
} as const;
