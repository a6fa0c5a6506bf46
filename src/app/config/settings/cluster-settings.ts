import { parsed } from "../setting-values.ts";
import { setting } from "./setting.ts";

const URL_LENGTH_MAX = 2_048;

/** The settings of a database that several servers can share. */
export const CLUSTER_SETTINGS = {
  databaseUrl: setting(
    "FANFARE_DATABASE_URL",
    parsed(parseDatabaseUrl, "an address such as postgres://user:password@host:5432/fanfare"),
    "PostgreSQL database (15 or later) that is used instead of the one in the data folder. Not a flag: it holds a password.",
  ),
} as const;

/** Returns the address as it is; undefined unless it names a PostgreSQL server and a database. */
function parseDatabaseUrl(text: string): string | undefined {
  if (text.length > URL_LENGTH_MAX || !URL.canParse(text)) return undefined;
  const { protocol, pathname } = new URL(text);
  const isPostgres = protocol === "postgres:" || protocol === "postgresql:";
  return isPostgres && /^\/[^/]+$/.test(pathname) ? text : undefined;
}
