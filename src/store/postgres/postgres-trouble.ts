import type { StoreTrouble } from "../../control/ports/errors.ts";

/** Classes of SQLSTATE (PostgreSQL's appendix A), for those that are not named below. */
const TROUBLE_BY_CLASS: ReadonlyMap<string, StoreTrouble> = new Map([
  ["08", "unreachable"], // connection_exception
  ["53", "crowded"], // insufficient_resources
]);

/** Single SQLSTATEs. `Database.write` retries what is `locked` or `slow`, for a bounded time. */
const TROUBLE_BY_STATE: ReadonlyMap<string, StoreTrouble> = new Map([
  ["40001", "locked"], // serialization_failure
  ["40P01", "locked"], // deadlock_detected
  ["55P03", "locked"], // lock_not_available: lock_timeout
  ["57014", "slow"], // query_canceled: statement_timeout
  ["53100", "full"], // disk_full
  ["25006", "unwritable"], // read_only_sql_transaction: a standby
  ["57P01", "unreachable"], // admin_shutdown
  ["57P02", "unreachable"], // crash_shutdown
  ["57P03", "unreachable"], // cannot_connect_now
  ["57P04", "unreachable"], // database_dropped
  ["57P05", "unreachable"], // idle_session_timeout
  ["25P03", "unreachable"], // idle_in_transaction_session_timeout
  ["28000", "refused"], // invalid_authorization_specification
  ["28P01", "refused"], // invalid_password
  ["42501", "refused"], // insufficient_privilege
  ["58030", "damaged"], // io_error
  ["58P01", "damaged"], // undefined_file
  ["XX001", "damaged"], // data_corrupted
  ["XX002", "damaged"], // index_corrupted
]);

/** Codes of the system for a connection that broke. One that could not be made is noted as such, whatever its code. */
const BROKEN_SOCKET: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"]);

/** The driver has no code for these; the sentences are those of `pg` 8. */
const BROKEN_SENTENCES: readonly string[] = [
  "Connection terminated",
  "Query read timeout",
  "Client has encountered a connection error and is not queryable",
  "Client was closed and is not queryable",
];

/** Errors of attempts to connect, whatever they say. */
const notConnected = new WeakSet<Error>();

/**
 * Notes that this error kept us from connecting. A server that has no such database, lets nobody into it or shows another
 * certificate counts as one that cannot be reached: to a server that worked a moment ago that is the same.
 */
export function noteNotConnected(error: unknown): void {
  if (error instanceof Error) notConnected.add(error);
}

/**
 * Returns the database's trouble, for the caller; undefined for any other error. Looks at the causes of errors that
 * wrap another.
 */
export function postgresTrouble(error: unknown): StoreTrouble | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const trouble =
    code === undefined ? undefined : (TROUBLE_BY_STATE.get(code) ?? TROUBLE_BY_CLASS.get(code.slice(0, 2)));
  if (notConnected.has(error)) return trouble === "crowded" || trouble === "refused" ? trouble : "unreachable";
  if (code !== undefined) {
    if (trouble !== undefined) return trouble;
    if (BROKEN_SOCKET.has(code)) return "unreachable";
  }
  if (BROKEN_SENTENCES.some((sentence) => error.message.startsWith(sentence))) return "unreachable";
  return error.cause === undefined ? undefined : postgresTrouble(error.cause);
}
