import { parseKeys } from "../../../store/secrets/key-file.ts";
import { oneOf, parsed, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

const DAYS_MAX = 3_650;
/** A week. */
const DRAIN_SECONDS_MAX = 604_800;

/** The settings of the data folder and its keys. */
export const DATA_SETTINGS = {
  dataDir: setting("FANFARE_DATA_DIR", text("a folder", /^[^\0]+$/), "Where the database is kept.", "./data"),
  encryptionKeyFile: setting(
    "FANFARE_ENCRYPTION_KEY_FILE",
    text("a file", /^[^\0]+$/),
    "File with the keys that encrypt stream keys and passwords in the database (default: encryption.key in the data folder).",
  ),
  encryptionKey: setting(
    "FANFARE_ENCRYPTION_KEY",
    parsed(
      parseKeys,
      "the lines of an encryption key file (`id key`, from fanfare init-cluster), or the same with commas",
    ),
    "The keys themselves instead of a file, for servers on PostgreSQL.",
  ),
  mediaQuotaMb: setting(
    "FANFARE_MEDIA_QUOTA_MB",
    parsed(
      (text) => (/^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined),
      "a whole number from 0 to 999999999",
    ),
    "How much the library of media files may hold, in megabytes; 0 allows no uploads.",
    "20480",
  ),
  auditDays: setting(
    "FANFARE_AUDIT_DAYS",
    parsed(
      (text) => (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= DAYS_MAX ? Number(text) : undefined),
      `a whole number of days from 1 to ${DAYS_MAX}`,
    ),
    "How many days the audit (who changed what) is kept.",
    "365",
  ),
  watchFolder: setting(
    "FANFARE_WATCH_FOLDER",
    text("a folder", /^[^\0]+$/),
    "Folder whose files appear in the library of media files (default: none).",
  ),
  newDatabase: setting(
    "FANFARE_NEW_DATABASE",
    oneOf(["no", "yes"]),
    "Whether to make a new database where it is missing or empty although its encryption key file exists (yes, for one start).",
    "no",
  ),
  takeOver: setting(
    "FANFARE_TAKE_OVER",
    oneOf(["no", "yes"]),
    "Whether to take over from the server that runs in this data folder, whose broadcasts go on there (yes, for one start; fanfare upgrade does it).",
    "no",
  ),
  upgradeDrainSeconds: setting(
    "FANFARE_UPGRADE_DRAIN_SECONDS",
    parsed(
      (text) => (/^\d{1,6}$/.test(text) && Number(text) <= DRAIN_SECONDS_MAX ? Number(text) : undefined),
      `a whole number of seconds from 0 to ${DRAIN_SECONDS_MAX}`,
    ),
    "How long broadcasts may go on in this process once a newer one has taken over, in seconds.",
    "14400",
  ),
} as const;
