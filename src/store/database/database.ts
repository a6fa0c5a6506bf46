import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { StoreTrouble } from "../../control/ports/errors.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** A write that meets another process's lock is tried again for this long, in milliseconds: an answer is due within 2 s. */
const LOCKED_PATIENCE_MS = 1_200;

/** Pause between two attempts, in milliseconds. Reads go on meanwhile. */
const LOCKED_PAUSE_MS = 20;

/** A database that takes no write is tried again so often at most, in milliseconds. */
const REOPEN_PAUSE_MS = 1_000;

/** A trouble of the database by the error its driver throws; undefined for any other error. */
type ExplainTrouble = (error: unknown) => StoreTrouble | undefined;

/** The two ways into the file. */
export type Connections = {
  /** Never waits for a writer. */
  readonly reader: Kysely<Schema>;
  /** Refuses at once, as `locked`, where another process writes. */
  readonly writer: Kysely<Schema>;
};

/** A database that takes no write at the moment, as a whole. */
export type Unwritable = {
  readonly reader: Kysely<Schema>;
  readonly trouble: "full" | "unwritable";
  /** Tries again; what is answered takes the place of this one, whose reader is closed. */
  readonly reopen: () => Connections | Unwritable;
};

export type DatabaseParts = {
  readonly connections: Connections | Unwritable;
  readonly secrets: Secrets;
  readonly explainTrouble: ExplainTrouble;
  /** The file. */
  readonly path: string;
};

/** Reports damage, the first of several refused writes, and that writes succeed again. */
export type DatabaseNews =
  | { readonly kind: "damaged"; readonly detail: string }
  | { readonly kind: "refused"; readonly trouble: StoreTrouble }
  | { readonly kind: "writable" };

/**
 * What every store of this room works on: reads beside writes, writes one after another, and the secrets of the
 * tables. The database's own troubles come out as StoreUnavailableError.
 */
export class Database {
  readonly secrets: Secrets;
  readonly path: string;
  readonly #explainTrouble: ExplainTrouble;
  #connections: Connections | Unwritable;
  #reopenedAtMs = Number.NEGATIVE_INFINITY;
  #isRefusing = false;
  #onNews: (news: DatabaseNews) => void = () => undefined;

  constructor({ connections, secrets, explainTrouble, path }: DatabaseParts) {
    this.secrets = secrets;
    this.path = path;
    this.#connections = connections;
    this.#explainTrouble = explainTrouble;
  }

  /** Why it takes no write as a whole; undefined where it does. */
  get unwritable(): "full" | "unwritable" | undefined {
    return "trouble" in this.#connections ? this.#connections.trouble : undefined;
  }

  /** One listens, from here on. */
  watch(onNews: (news: DatabaseNews) => void): void {
    this.#onNews = onNews;
  }

  /** Reads what is committed, also while somebody holds the database's write lock. */
  async read<Value>(run: (db: Kysely<Schema>) => Promise<Value>): Promise<Value> {
    try {
      return await run(this.#connections.reader);
    } catch (error) {
      throw this.#translated(error);
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
        const value = await this.#writer().transaction().execute(run);
        if (this.#isRefusing) this.#takesWrites();
        return value;
      } catch (error) {
        const isLocked = this.#explainTrouble(error) === "locked";
        if (isLocked && performance.now() < deadlineMs) {
          await sleep(LOCKED_PAUSE_MS);
          continue;
        }
        // A short lock is no trouble of anybody's but that one writer's.
        if (!isLocked || patienceMs >= LOCKED_PATIENCE_MS) this.#noticeRefusal(error);
        throw this.#translated(error);
      }
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#connections.reader.destroy();
    if ("writer" in this.#connections) await this.#connections.writer.destroy();
  }

  #writer(): Kysely<Schema> {
    if ("writer" in this.#connections) return this.#connections.writer;
    const { trouble, reopen } = this.#connections;
    if (performance.now() - this.#reopenedAtMs < REOPEN_PAUSE_MS) throw this.#unavailable(trouble);
    this.#reopenedAtMs = performance.now();
    // At once: no caller may find a closed connection between the two.
    this.#connections = reopen();
    if (!("writer" in this.#connections)) throw this.#unavailable(trouble);
    this.#onNews({ kind: "writable" });
    return this.#connections.writer;
  }

  /** Of a database that is open for reading alone that is known already, and a damaged one is reported as such. */
  #noticeRefusal(error: unknown): void {
    const trouble = this.#explainTrouble(error);
    if (trouble === undefined || trouble === "damaged" || this.#isRefusing || !("writer" in this.#connections)) return;
    this.#isRefusing = true;
    this.#onNews({ kind: "refused", trouble });
  }

  #takesWrites(): void {
    this.#isRefusing = false;
    this.#onNews({ kind: "writable" });
  }

  #translated(error: unknown): unknown {
    if (error instanceof StoreUnavailableError) return error;
    const trouble = this.#explainTrouble(error);
    if (trouble === undefined) return error;
    if (trouble === "damaged") this.#onNews({ kind: "damaged", detail: error instanceof Error ? error.message : "" });
    return this.#unavailable(trouble, error);
  }

  #unavailable(trouble: StoreTrouble, cause?: unknown): StoreUnavailableError {
    return new StoreUnavailableError(trouble, { cause, path: this.path });
  }
}
