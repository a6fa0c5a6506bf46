import { oneOf, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

/** The settings of the data folder and its keys. */
export const DATA_SETTINGS = {
  dataDir: setting("FANFARE_DATA_DIR", text("a folder", /^[^\0]+$/), "Where the database is kept.", "./data"),
  encryptionKeyFile: setting(
    "FANFARE_ENCRYPTION_KEY_FILE",
    text("a file", /^[^\0]+$/),
    "File with the keys that encrypt stream keys and passwords in the database (default: encryption.key in the data folder).",
  ),
  newDatabase: setting(
    "FANFARE_NEW_DATABASE",
    oneOf(["no", "yes"]),
    "Whether to make a new database where it is missing or empty although its encryption key file exists (yes, for one start).",
    "no",
  ),
} as const;
