import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from "kysely";
import pg from "pg";
import { noteNotConnected, postgresTrouble } from "./postgres-trouble.ts";

/** Connections of each of the two pools of a node. */
const CONNECTIONS_MAX = 8;
/** The server ends a statement after this time, and a wait for a lock after the next one. In milliseconds. */
const STATEMENT_TIMEOUT_MS = 2_000;
const LOCK_TIMEOUT_MS = 1_000;
/**
 * For a server that no longer responds: we give a statement and its connection up a little later than a living server
 * does. In milliseconds.
 */
const ANSWER_TIMEOUT_MS = 3_000;
/** Includes the wait for one of the pool's connections, while all are in use. In milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A transaction of a node that stopped must not hold its locks for ever. In milliseconds. */
const IDLE_TRANSACTION_TIMEOUT_MS = 5_000;
/**
 * A connection that nobody needs stays open for this long, in milliseconds: longer than the pause between two renewals of a
 * node's lease, so that a takeover finds one open. A new one takes several round trips and a process of the server.
 */
const IDLE_MS = 30_000;
/**
 * A connection to a standby is used for no longer than this, in milliseconds. Where a server takes no writes, all that were made
 * before are made anew, no more often than this.
 */
const STANDBY_MS = 5_000;
/** Big integers: times, byte counts and numbers of rows, all below 2^53. */
const INT8 = 20;

/** In milliseconds. */
export type PoolTimeouts = {
  readonly statementMs: number;
  readonly lockMs: number;
  readonly answerMs: number;
  readonly connectMs: number;
};

const USUAL: PoolTimeouts = {
  statementMs: STATEMENT_TIMEOUT_MS,
  lockMs: LOCK_TIMEOUT_MS,
  answerMs: ANSWER_TIMEOUT_MS,
  connectMs: CONNECT_TIMEOUT_MS,
};

/**
 * What the pools of one database know together: when its server was last found to take no writes, by `performance.now()`. Those
 * that only read find nothing out.
 */
export type Refusals = { unwritableMs: number };

export function noRefusals(): Refusals {
  return { unwritableMs: Number.NEGATIVE_INFINITY };
}

export type PoolOptions = {
  /** An idle connection broke. */
  readonly onBroken?: ((error: Error) => void) | undefined;
  readonly timeouts?: PoolTimeouts | undefined;
  /** Absent: the pool is alone. */
  readonly refusals?: Refusals | undefined;
};

/** Opens a pool of connections. Nothing is connected before the first query. */
export function openPool(
  url: string,
  { onBroken = () => undefined, timeouts = USUAL, refusals = noRefusals() }: PoolOptions = {},
): PostgresPool {
  const { statementMs, lockMs, answerMs, connectMs } = timeouts;
  const types = { getTypeParser: typeParser };
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    query_timeout: answerMs,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    application_name: "fanfare",
    types,
  });
  // Without listeners the first broken connection would end the process: the pool's listener only gets idle ones.
  pool.on("error", onBroken);
  pool.on("connect", (client) => client.on("error", () => undefined));
  const known: Known = {
    ...{ usable: new WeakMap(), answeredMs: new WeakMap(), brokeMs: Number.NEGATIVE_INFINITY },
    refusals,
  };
  return { connect: async () => guarded(await connected(pool, known), known), end: () => pool.end(), options: {} };
}

/** What is known of a pool's connections. Times are those of `performance.now()`. */
type Known = {
  readonly usable: WeakMap<pg.PoolClient, { readonly fromMs: number; readonly untilMs: number }>;
  /** When each last answered. */
  readonly answeredMs: WeakMap<pg.PoolClient, number>;
  /** When one of them was last found to be broken, or silent. */
  brokeMs: number;
  readonly refusals: Refusals;
};

/**
 * One of the pool's connections, or a new one. A name or a proxy in front of PostgreSQL leads to the new primary after a
 * failover; a connection that was made a moment too early leads to a standby, and would last as long as it is used. So would one
 * to a primary that has been made read-only, to be replaced by another. What cut one connection without a word, such as a firewall that forgot all of them, has mostly cut the others: those that have not
 * answered since are closed, instead of one request after another finding that out.
 */
async function connected(pool: pg.Pool, known: Known): Promise<pg.PoolClient> {
  try {
    for (;;) {
      const client = await pool.connect();
      const usable = known.usable.get(client) ?? (await findUsable(client, known));
      known.usable.set(client, usable);
      const isTrusted =
        (known.answeredMs.get(client) ?? 0) > known.brokeMs && usable.fromMs > known.refusals.unwritableMs;
      if (isTrusted && performance.now() < usable.untilMs) return client;
      client.release(true);
    }
  } catch (error) {
    noteNotConnected(error);
    throw error;
  }
}

/** Asks a new connection where it leads. */
async function findUsable(client: pg.PoolClient, known: Known) {
  try {
    const { rows } = await client.query<{ standby: boolean }>("select pg_is_in_recovery() as standby");
    const nowMs = performance.now();
    known.answeredMs.set(client, nowMs);
    return { fromMs: nowMs, untilMs: rows[0]?.standby === true ? nowMs + STANDBY_MS : Number.POSITIVE_INFINITY };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/**
 * After a broken connection, or a statement that was given up, the state of the connection is unknown: it is closed.
 */
function guarded(client: pg.PoolClient, known: Known): PostgresPoolClient {
  let isBroken = false;
  function query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  function query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  function query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== "string") throw new TypeError("no cursors are used here");
    return client.query(text, [...values]).then(
      (result) => {
        known.answeredMs.set(client, performance.now());
        return result;
      },
      (error: unknown) => {
        const trouble = postgresTrouble(error);
        const nowMs = performance.now();
        if (trouble === "unreachable") {
          isBroken = true;
          known.brokeMs = nowMs;
        }
        if (trouble === "unwritable" && nowMs - known.refusals.unwritableMs >= STANDBY_MS)
          known.refusals.unwritableMs = nowMs;
        throw error;
      },
    );
  }
  return { query, release: (isDiscarded) => client.release(isBroken || isDiscarded === true) };
}

function typeParser(oid: number, format?: "text" | "binary") {
  return oid === INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format ?? "text");
}
