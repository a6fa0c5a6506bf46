import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { StoreTrouble } from "../control/errors.ts";
import { StoreUnavailableError } from "../control/errors.ts";
import type { Schema } from "./schema.ts";
import type { Secrets } from "./secrets.ts";

/** A write that meets another process's lock is tried again for this long, in milliseconds: an answer is due within 2 s. */
const LOCKED_PATIENCE_MS = 1_200;

/** Pause between two attempts, in milliseconds. Reads go on meanwhile. */
const LOCKED_PAUSE_MS = 20;

/** A trouble of the database that passes, by the error its driver throws; undefined for any other error. */
type ExplainTrouble = (error: unknown) => StoreTrouble | undefined;

export type DatabaseParts = {
  /** Never waits for a writer. */
  readonly reader: Kysely<Schema>;
  /** Refuses at once, as `locked`, where another process writes. */
  readonly writer: Kysely<Schema>;
  readonly secrets: Secrets;
  readonly explainTrouble: ExplainTrouble;
};

/**
 * What every store of this room works on: reads beside writes, writes one after another, and the secrets of the
 * tables. Errors that pass come out as StoreUnavailableError.
 */
export class Database {
  readonly secrets: Secrets;
  readonly #parts: DatabaseParts;

  constructor(parts: DatabaseParts) {
    this.secrets = parts.secrets;
    this.#parts = parts;
  }

  /** Reads what is committed, also while somebody holds the database's write lock. */
  async read<Value>(run: (db: Kysely<Schema>) => Promise<Value>): Promise<Value> {
    try {
      return await run(this.#parts.reader);
    } catch (error) {
      throw this.#told(error);
    }
  }

  /**
   * Runs one transaction: all of it or nothing, on the disk when this resolves. It may run more than once, so it must
   * do nothing but speak to the database. Another process's lock is waited for as long as told, in milliseconds.
   */
  async write<Value>(
    run: (trx: Transaction<Schema>) => Promise<Value>,
    patienceMs: number = LOCKED_PATIENCE_MS,
  ): Promise<Value> {
    // Counted from here, so that writes that wait for each other do not wait in turn.
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#parts.writer.transaction().execute(run);
      } catch (error) {
        const isLocked = this.#parts.explainTrouble(error) === "locked";
        if (!isLocked || performance.now() >= deadlineMs) throw this.#told(error);
      }
      await sleep(LOCKED_PAUSE_MS);
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#parts.reader.destroy();
    await this.#parts.writer.destroy();
  }

  #told(error: unknown): unknown {
    const trouble = this.#parts.explainTrouble(error);
    return trouble === undefined ? error : new StoreUnavailableError(trouble, { cause: error });
  }
}
