import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import type { NotedChange } from "../../control/audit/audit.ts";
import type { StoreTrouble } from "../../control/ports/errors.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { writesSideBySide } from "./locks.ts";

/** How long a write waits for another process's lock, in milliseconds: a request must be answered within 2 s. */
const LOCKED_PATIENCE_MS = 1_200;

/** The pause between two attempts, in milliseconds. Reads go on meanwhile. */
const LOCKED_PAUSE_MS = 20;

/** A database that accepts no writes is tried again at most this often, in milliseconds. */
const REOPEN_PAUSE_MS = 1_000;

/**
 * Troubles in which a server refuses writes to some tables and takes those to others: its disk has no room for a larger file, or
 * the user has no right. They are over when nothing was refused for the following time, in milliseconds: writes that wait are tried
 * again at least that often.
 */
const PARTIAL: ReadonlySet<StoreTrouble> = new Set(["full", "refused"]);
const STEADY_MS = 10_000;

/** A trouble of the database by the error its driver throws; undefined for any other error. */
type ExplainTrouble = (error: unknown) => StoreTrouble | undefined;

/** The two connections to the file. */
export type Connections = {
  /** Never waits for a writer. */
  readonly reader: Kysely<Schema>;
  /** Fails at once, as `locked`, where another process writes. */
  readonly writer: Kysely<Schema>;
};

/** A database that accepts no writes at the moment. `locked`: it belongs to another process. */
export type Unwritable = {
  readonly reader: Kysely<Schema>;
  readonly trouble: "full" | "unwritable" | "locked";
  /** Tries again. The result replaces this object, and its reader is closed. */
  readonly reopen: () => Connections | Unwritable;
};

export type DatabaseParts = {
  readonly connections: Connections | Unwritable;
  readonly secrets: Secrets;
  readonly explainTrouble: ExplainTrouble;
  /** The file. */
  readonly path: string;
};

/** A database that belongs to another process: it can be read, and changed once it is taken. */
export function heldElsewhere(reader: Kysely<Schema>): Unwritable {
  const held: Unwritable = { reader, trouble: "locked", reopen: () => held };
  return held;
}

/** Notes a change in the transaction that makes it. */
export type NoteChange = (trx: Transaction<Schema>, change: NotedChange) => Promise<void>;

/** Reports damage, the first of several refused writes, and that writes succeed again. */
export type DatabaseNews =
  | { readonly kind: "damaged"; readonly detail: string }
  | { readonly kind: "refused"; readonly trouble: StoreTrouble; readonly detail: string }
  | { readonly kind: "writable" };

/**
 * What every store of this room works on: reads beside writes, writes one after another, and the secrets of the tables.
 * The database's own troubles are thrown as StoreUnavailableError.
 */
export class Database {
  readonly secrets: Secrets;
  readonly path: string;
  readonly #explainTrouble: ExplainTrouble;
  #connections: Connections | Unwritable;
  #reopenedAtMs = Number.NEGATIVE_INFINITY;
  /** The last refused write, until writes count as taken again. */
  #refusal: { readonly trouble: StoreTrouble; readonly atMs: number } | undefined;
  #onNews: (news: DatabaseNews) => void = () => undefined;
  #note: NoteChange = async () => undefined;
  #dueBy: { wallNow(): number } | undefined;

  constructor({ connections, secrets, explainTrouble, path }: DatabaseParts) {
    this.secrets = secrets;
    this.path = path;
    this.#connections = connections;
    this.#explainTrouble = explainTrouble;
  }

  /** Whether other nodes may use it at the same time. */
  get isShared(): boolean {
    return writesSideBySide("writer" in this.#connections ? this.#connections.writer : this.#connections.reader);
  }

  /**
   * Another process gets the database: writes are refused from now on. Resolves when those under way are over. A rejection leaves
   * it to this process.
   */
  async giveUp(): Promise<void> {
    const before = this.#connections;
    this.#connections = heldElsewhere(before.reader);
    if (!("writer" in before)) return;
    try {
      // The only connection is free when the transactions before this are over.
      await before.writer.connection().execute(async () => undefined);
      await before.writer.destroy();
    } catch (error) {
      this.#connections = before;
      throw error;
    }
  }

  /** This process has the database, for the first time or again. That it accepts no writes is news. */
  async take(connections: Connections | Unwritable): Promise<void> {
    const { reader } = this.#connections;
    this.#connections = connections;
    await reader.destroy();
    if ("writer" in connections) return;
    this.#onNews({ kind: "refused", trouble: connections.trouble, detail: "it was taken over for reading only" });
  }

  /** Sets the only listener. */
  watch(onNews: (news: DatabaseNews) => void): void {
    this.#onNews = onNews;
  }

  /** From now on what is to be sent is due by this clock, which all nodes have; without it by the time at which it happened. */
  countDueBy(clock: { wallNow(): number }): void {
    this.#dueBy = clock;
  }

  /** When what happened at this time is due at the earliest. The node at which it happened may have another clock. */
  dueTime(time: number): number {
    return this.#dueBy?.wallNow() ?? time;
  }

  /** Sets what keeps the changes that stores note; without it they are not kept. */
  noteChangesWith(note: NoteChange): void {
    this.#note = note;
  }

  /** Called by a store in its transaction, with what a person changed. */
  note(trx: Transaction<Schema>, change: NotedChange): Promise<void> {
    return this.#note(trx, change);
  }

  /**
   * Reads committed data, also while another process holds the write lock. It may run more than once, where the
   * connection is replaced meanwhile.
   */
  async read<Value>(run: (db: Kysely<Schema>) => Promise<Value>): Promise<Value> {
    for (;;) {
      const { reader } = this.#connections;
      try {
        return await run(reader);
      } catch (error) {
        if (reader === this.#connections.reader) throw this.#translated(error);
      }
    }
  }

  /**
   * Runs one transaction: all of it or nothing, on the disk when this resolves. It may run more than once, so it must
   * do nothing but use the database. Waits at most `patienceMs` milliseconds for another process's lock.
   */
  write<Value>(
    run: (trx: Transaction<Schema>) => Promise<Value>,
    patienceMs: number = LOCKED_PATIENCE_MS,
  ): Promise<Value> {
    return this.#written((db) => db.transaction().execute(run), patienceMs);
  }

  /** As `write`, for one statement: it is a transaction by itself, which saves two round trips to a server. */
  writeOnce<Value>(run: (db: Kysely<Schema>) => Promise<Value>): Promise<Value> {
    return this.#written(run, LOCKED_PATIENCE_MS);
  }

  async #written<Value>(run: (db: Kysely<Schema>) => Promise<Value>, patienceMs: number): Promise<Value> {
    // Counted from here, so that queued writes do not add up their waiting times.
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      try {
        const value = await run(this.#writer());
        this.#noticeWritten();
        return value;
      } catch (error) {
        const trouble = this.#explainTrouble(error);
        const isLocked = trouble === "locked" || trouble === "slow";
        if (isLocked && performance.now() < deadlineMs) {
          await sleep(LOCKED_PAUSE_MS);
          continue;
        }
        // A short lock concerns only the writer that met it.
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
    // Without a pause: no caller may see a closed connection in between.
    this.#connections = reopen();
    if (!("writer" in this.#connections)) throw this.#unavailable(trouble);
    this.#onNews({ kind: "writable" });
    return this.#connections.writer;
  }

  /** A database that is open only for reading is known already, and a damaged one is reported as such. */
  #noticeRefusal(error: unknown): void {
    const trouble = this.#explainTrouble(error);
    if (trouble === undefined || trouble === "damaged" || !("writer" in this.#connections)) return;
    const isNew = this.#refusal === undefined;
    this.#refusal = { trouble, atMs: performance.now() };
    if (isNew) this.#onNews({ kind: "refused", trouble, detail: detailOf(error) });
  }

  #noticeWritten(): void {
    if (this.#refusal === undefined) return;
    const { trouble, atMs } = this.#refusal;
    if (this.isShared && PARTIAL.has(trouble) && performance.now() - atMs < STEADY_MS) return;
    this.#refusal = undefined;
    this.#onNews({ kind: "writable" });
  }

  #translated(error: unknown): unknown {
    if (error instanceof StoreUnavailableError) return error;
    const trouble = this.#explainTrouble(error);
    if (trouble === undefined) return error;
    if (trouble === "damaged") this.#onNews({ kind: "damaged", detail: detailOf(error) });
    return this.#unavailable(trouble, error);
  }

  #unavailable(trouble: StoreTrouble, cause?: unknown): StoreUnavailableError {
    return new StoreUnavailableError(trouble, { cause, path: this.path });
  }
}

/** What the driver says. */
function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
