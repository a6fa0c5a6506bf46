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
    "Megabytes of the disk that recordings leave free; below that they end, and begin again when there is room.",
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
} as const;
