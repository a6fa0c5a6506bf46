import { type Kysely, sql } from "kysely";
import type { Schema } from "../schema/schema.ts";
import { postgresTrouble } from "./postgres-trouble.ts";

/** The oldest tested version, in the form of `server_version_num`. */
const VERSION_MIN = 150_000;
const VERSION_MIN_TEXT = "15";

/** What to do about a server that refuses this user, by SQLSTATE. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["28P01", "correct the user or the password in FANFARE_DATABASE_URL"], // invalid_password
  ["28000", "allow this user and this address in the server's pg_hba.conf"], // invalid_authorization_specification
  ["3D000", "create it with createdb, or correct FANFARE_DATABASE_URL"], // invalid_catalog_name
  ["42501", "make this user the owner of the database"], // insufficient_privilege
]);

/** What PgBouncer says of the time limits that a connection begins with. */
const POOLER_REFUSAL = "unsupported startup parameter";
const NO_POOLER = "name PostgreSQL itself in FANFARE_DATABASE_URL, not a connection pooler in front of it";

/** The PostgreSQL server cannot be used. The text says which, what is wrong, and what to do. */
export class PostgresError extends Error {
  override readonly name = "PostgresError";

  /** `server`: as `serverName` returns it. */
  constructor(server: string, why: unknown) {
    super(sentence(server, why), { cause: why });
  }
}

/** Whether the server refuses this user, or what the user asks for. */
export function isRefusal(error: unknown): boolean {
  return refusalAdvice(error) !== undefined;
}

function refusalAdvice(error: unknown): string | undefined {
  const { code, message } = coded(error) ?? {};
  if (message?.startsWith(POOLER_REFUSAL) === true) return NO_POOLER;
  return code === undefined ? undefined : REFUSALS.get(code);
}

/** The error of the server or the system that another one wraps, such as that of a step of the migrations. */
function coded(error: unknown): { readonly code: string; readonly message: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error) return { code: String(error.code), message: error.message };
  return coded(error.cause);
}

/** Returns the server and the database of an address, without user, password and parameters; for logs and answers. */
export function serverName(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `postgres://${host}${pathname}`;
  } catch {
    return "postgres://?";
  }
}

/** Throws PostgresError unless the server is one that this program can work with, and takes writes. */
export async function checkServer(db: Kysely<Schema>, server: string): Promise<void> {
  const { rows } = await sql<{
    version: number;
    text: string;
    encoding: string;
    standby: boolean;
    limited: boolean;
  }>`select
    current_setting('server_version_num')::int as version, current_setting('server_version') as text,
    current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
    '0' not in (current_setting('statement_timeout'), current_setting('lock_timeout'),
      current_setting('idle_in_transaction_session_timeout')) as limited`.execute(db);
  const [found] = rows;
  if (found === undefined) throw new PostgresError(server, "it says nothing about itself");
  if (found.version < VERSION_MIN) {
    throw new PostgresError(server, `it is PostgreSQL ${found.text}; ${VERSION_MIN_TEXT} or later is needed`);
  }
  if (found.encoding !== "UTF8") {
    throw new PostgresError(server, `its encoding is ${found.encoding}; create a database with UTF8`);
  }
  if (found.standby) throw new PostgresError(server, "it is a standby, which accepts no writes; name the primary");
  // Without them a node that stands still in a transaction holds the locks of all others for ever.
  if (!found.limited) {
    throw new PostgresError(server, `the time limits of Fanfare's connections do not reach it: ${NO_POOLER}`);
  }
}

function sentence(server: string, why: unknown): string {
  if (typeof why === "string") return `the database ${server} cannot be used: ${why}.`;
  const { code, message } = coded(why) ?? {};
  const detail = message || code || (why instanceof Error ? why.message : String(why));
  const advice = refusalAdvice(why);
  if (advice !== undefined) return `the database ${server} cannot be used (${detail}): ${advice}.`;
  switch (postgresTrouble(why)) {
    case "unreachable":
      return `the database ${server} cannot be reached (${detail}): start it, or correct FANFARE_DATABASE_URL.`;
    case "crowded":
      return `the database ${server} has no connection or memory left (${detail}): raise its max_connections, or run less on it.`;
    case "refused":
      return `the database ${server} does not let this user in (${detail}): correct FANFARE_DATABASE_URL, or the user's rights.`;
    case "slow":
      return `the database ${server} takes too long (${detail}): see what else it does.`;
    case "locked":
      return `the database ${server} is locked by another session (${detail}): another node may be changing its tables.`;
    case "full":
      return `the disk of the database ${server} is full (${detail}): free space on it.`;
    case "unwritable":
      return `the database ${server} accepts no writes (${detail}): name the primary.`;
    case "damaged":
      return `the database ${server} is damaged (${detail}): restore it from a backup.`;
    default:
      return `the database ${server} cannot be used: ${detail}.`;
  }
}
