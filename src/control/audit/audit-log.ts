import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { StoreUnavailableError } from "../ports/errors.ts";
import type { AuditScope, AuditStore } from "./audit.ts";

/** Records that may wait while the database accepts no writes; more are lost, and the log says so. */
const WAITING_MAX = 1_000;
/** The pause before waiting records are tried again, in milliseconds. */
const RETRY_MS = 5_000;

export type AuditLogOptions = {
  readonly store: Pick<AuditStore, "appendAudit">;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once a record is stored that a webhook may get. Must not throw. */
  readonly wake: () => void;
  /** Absent: nothing is counted. */
  readonly counts?: AuditCounts;
};

/** Counts what becomes of records. */
export type AuditCounts = {
  stored(): void;
  /** A record could not be stored at once, and waits. */
  waited(): void;
  /** Records that are given up. */
  lost(count: number): void;
  /** How many wait at present. */
  waiting(count: number): void;
};

/** Stores the records of changes that have no transaction of their own, such as the end of a broadcast. */
export class AuditLog {
  readonly #options: AuditLogOptions;
  #waiting: AuditScope[] = [];
  #timer: Timer | undefined;
  /** Attempts, one after another. */
  #retries: Promise<void> = Promise.resolve();
  #isPaused = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  /**
   * Closes a request's scope, and resolves once its record is stored. A database that accepts no writes does not keep a
   * person from ending a broadcast: the record waits.
   */
  async complete(scope: AuditScope): Promise<void> {
    if (scope.state === "open") await this.#append(scope);
    else if (scope.state === "noted") this.#options.counts?.stored();
    scope.state = "closed";
    if (scope.about.channelId === undefined) this.#options.wake();
  }

  /** Goes on with records that another process of this server could not store. None is stored before `goOn` then. */
  resume(scopes: readonly AuditScope[]): void {
    if (scopes.length === 0) return;
    this.#waiting.push(...scopes);
    this.#isPaused = true;
    this.#options.counts?.waiting(this.#waiting.length);
  }

  /** Records that wait for the database: another process of this server is to store them. */
  get unstored(): readonly AuditScope[] {
    return this.#waiting;
  }

  /** Another process of this server stores what waits. */
  abandon(): void {
    this.#isPaused = true;
    this.#waiting = [];
  }

  /** Tries once more to store what waits, and then nothing by itself until `goOn`: another process is to have the database. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#retry();
  }

  goOn(): void {
    this.#isPaused = false;
    void this.#retry();
  }

  /** Ends. What cannot be stored now is lost. Idempotent. */
  async close(): Promise<void> {
    await this.pause();
    if (this.#waiting.length > 0) this.#lose(this.#waiting.length);
    this.#waiting = [];
    this.#options.counts?.waiting(0);
  }

  async #append(scope: AuditScope): Promise<void> {
    const { store, counts } = this.#options;
    try {
      await store.appendAudit(scope);
      counts?.stored();
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        counts?.waited();
        return this.#wait(scope, error.message);
      }
      this.#lose(1, String(error));
      throw error;
    }
  }

  #lose(count: number, detail?: string): void {
    this.#options.counts?.lost(count);
    this.#options.log.error("audit records lost", { count, detail });
  }

  #wait(scope: AuditScope, detail: string): void {
    if (this.#waiting.length >= WAITING_MAX) return this.#lose(1, detail);
    this.#waiting.push(scope);
    this.#options.counts?.waiting(this.#waiting.length);
    if (this.#isPaused) return;
    this.#timer ??= this.#options.clock.startTimer(RETRY_MS, () => void this.#retry());
  }

  #retry(): Promise<void> {
    this.#retries = this.#retries.then(() => this.#retryNow());
    return this.#retries;
  }

  async #retryNow(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const { store, counts } = this.#options;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const scope of waiting) {
      try {
        await store.appendAudit(scope);
        counts?.stored();
      } catch (error) {
        if (error instanceof StoreUnavailableError) this.#wait(scope, error.message);
        else this.#lose(1, String(error));
      }
    }
    counts?.waiting(this.#waiting.length);
  }
}
