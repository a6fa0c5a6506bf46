import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { RefusalList, type RefusedEncoder } from "../facts/refusal-list.ts";
import type { ServerFact } from "../facts/server-fact.ts";

/** Entries that are kept, */
const ENTRIES_MAX = 100;
/** and for how long, in milliseconds: as long as events. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1_000;
/** Attempts are written at most this often, in milliseconds, so that a flood is no flood of writes. */
const WRITE_DELAY_MS = 1_000;

/** Which entries stay: the latest `max`, if their last attempt was not before `since`. */
export type RefusalLimits = { readonly max: number; readonly since: number };

/** The store of rejected encoders. Every call may reject with StoreUnavailableError. */
export interface RefusedEncoderStore {
  /** Adds attempts to the stored entries, and removes what is beyond the limits. */
  addRefusals(attempts: readonly RefusedEncoder[], limits: RefusalLimits): Promise<void>;
  /** Latest first. */
  listRefusals(limits: RefusalLimits): Promise<readonly RefusedEncoder[]>;
}

export type RefusedEncodersOptions = {
  readonly store: RefusedEncoderStore;
  readonly clock: Clock;
  /** What entries are too old by; absent: the clock. */
  readonly agedBy?: Pick<Clock, "wallNow">;
  readonly log: Log;
  /** Tells other nodes of attempts that they cannot know yet, within a second; absent: there are none. */
  readonly tell?: (attempts: readonly RefusedEncoder[]) => void;
};

/**
 * Recently rejected encoders, stored at most a second later. A wrong key belongs to no channel, so this list belongs to
 * the server.
 */
export class RefusedEncoders {
  readonly #options: RefusedEncodersOptions;
  #list = new RefusalList(ENTRIES_MAX);
  #unwritten = new RefusalList(ENTRIES_MAX);
  #untold = new RefusalList(ENTRIES_MAX);
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isPaused = false;

  constructor(options: RefusedEncodersOptions) {
    this.#options = options;
  }

  /** Reads what earlier processes stored. */
  async load(): Promise<void> {
    const stored = await this.#options.store.listRefusals(this.#limits()).catch(() => []);
    this.#list = new RefusalList(ENTRIES_MAX, stored);
    for (const entry of [...this.#unwritten.list()].reverse()) this.#list.merge(entry);
  }

  /** Goes on with attempts that another process of this server has met and could not store. None is stored before `goOn` then. */
  resume(attempts: readonly RefusedEncoder[]): void {
    if (attempts.length === 0) return;
    for (const attempt of [...attempts].reverse()) this.#unwritten.merge(attempt);
    this.#isPaused = true;
  }

  /** Attempts that wait for the database, latest first: another process of this server is to store them. */
  get unstored(): readonly RefusedEncoder[] {
    return this.#unwritten.list();
  }

  /** Another process of this server stores what waits. */
  abandon(): void {
    this.#isPaused = true;
    this.#unwritten = new RefusalList(ENTRIES_MAX);
  }

  /** Returns the entry that this fact made or changed; undefined where it is none of these refusals. */
  fact(fact: ServerFact): RefusedEncoder | undefined {
    const entry = this.#list.add(fact);
    if (entry === undefined) return undefined;
    this.#unwritten.add(fact);
    if (this.#options.tell !== undefined) this.#untold.add(fact);
    this.#writeSoon();
    return entry;
  }

  /** Takes attempts that another node tells of, and has stored. Returns the entries that they made or changed. */
  heard(attempts: readonly RefusedEncoder[]): readonly RefusedEncoder[] {
    return [...attempts].reverse().map((attempt) => this.#list.merge(attempt));
  }

  /** Latest first, with those that other nodes on the same database have met. */
  async list(): Promise<readonly RefusedEncoder[]> {
    if (!this.#isPaused) await this.#write();
    return this.#stored();
  }

  /**
   * Writes what is not written yet, with one attempt, and then nothing by itself until `goOn`: the process ends, or another
   * one is to have the database. Idempotent.
   */
  pause(): Promise<void> {
    this.#isPaused = true;
    return this.#write();
  }

  goOn(): void {
    this.#isPaused = false;
    if (this.unstored.length > 0) this.#writeSoon();
  }

  #writeSoon(): void {
    if (!this.#isPaused) this.#timer ??= this.#options.clock.startTimer(WRITE_DELAY_MS, () => void this.#write());
  }

  #write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tell();
    this.#writing = this.#writing.then(() => this.#writeBatch());
    return this.#writing;
  }

  #tell(): void {
    const attempts = this.#untold.list();
    if (attempts.length === 0) return;
    this.#untold = new RefusalList(ENTRIES_MAX);
    this.#options.tell?.(attempts);
  }

  /** A database that accepts no writes costs nothing: the attempts are written with the next ones. */
  async #writeBatch(): Promise<void> {
    const batch = this.#unwritten.list();
    if (batch.length === 0) return;
    this.#unwritten = new RefusalList(ENTRIES_MAX);
    try {
      await this.#options.store.addRefusals(batch, this.#limits());
    } catch (error) {
      const later = this.#unwritten.list();
      this.#unwritten = new RefusalList(ENTRIES_MAX, batch);
      for (const entry of [...later].reverse()) this.#unwritten.merge(entry);
      this.#options.log.warn("rejected encoders not stored", {
        detail: error instanceof Error ? error.message : String(error),
      });
    }
  }

  /** What is stored; what this process knows where the database cannot be read. */
  async #stored(): Promise<readonly RefusedEncoder[]> {
    const limits = this.#limits();
    const [waiting] = this.#unwritten.list();
    const stored = await this.#options.store.listRefusals(limits).catch(() => undefined);
    if (stored !== undefined && waiting === undefined) return stored;
    this.#list.forgetBefore(limits.since);
    return this.#list.list();
  }

  #limits(): RefusalLimits {
    const { clock, agedBy = clock } = this.#options;
    return { max: ENTRIES_MAX, since: agedBy.wallNow() - KEPT_MS };
  }
}
