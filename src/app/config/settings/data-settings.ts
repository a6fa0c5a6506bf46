import { oneOf, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

/** Where the data is, and what it is sealed with. */
export const DATA_SETTINGS = {
  dataDir: setting("FANFARE_DATA_DIR", text("a folder", /^[^\0]+$/), "Where the database is kept.", "./data"),
  encryptionKeyFile: setting(
    "FANFARE_ENCRYPTION_KEY_FILE",
    text("a file", /^[^\0]+$/),
    "Keys that stream keys and passwords are sealed with in the database (default: encryption.key in the data folder).",
  ),
  newDatabase: setting(
    "FANFARE_NEW_DATABASE",
    oneOf(["no", "yes"]),
    "Whether a missing or empty database is made anew although its encryption key file is there (yes, for one start).",
    "no",
  ),
} as const;
