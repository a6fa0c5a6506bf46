import { type FileHandle, open } from "node:fs/promises";
import type { Clock, Timer } from "../../base/clock.ts";
import { SocketQueries } from "./socket-queries.ts";
import type { SystemCalls } from "./system-calls.ts";
import { type ConnectionEnds, type TcpReading, TcpTable, tableKey } from "./tcp-table.ts";

const INTERVAL_MS = 1_000;
/** … while a link waits for the next reading … */
const HURRIED_INTERVAL_MS = 200;
/**
 * … and less often where the table is so large that reading it costs something (a MiB takes 30 ms), closed connections
 * included. Judged by its size, not by the time it took on a busy machine.
 */
const INTERVAL_MS_PER_MIB = 500;
const INTERVAL_MAX_MS = 2_000;
const MIB = 1024 * 1024;
const PIECE_BYTES = 64 * 1024;
/** 50,000 connections. Connections behind those are not reported. */
const TABLE_BYTES_MAX = 8 * 1024 * 1024;
/** Of the process's own network namespace. */
const TABLES = { four: "/proc/self/net/tcp", six: "/proc/self/net/tcp6" };
const KEY_LENGTH_FOUR = 27;

/** The connection whose queue is read. */
export type QueueReader = {
  /** Of its socket; undefined where it has none any more. Absent: the connection is looked up in the kernel's table. */
  readonly descriptor?: () => number | undefined;
  /** A reading begins: it may miss bytes written from here on. */
  readonly begin: () => void;
  /** What the kernel holds. */
  readonly take: (reading: TcpReading) => void;
};

type KernelQueuesOptions = {
  /** Loads the calls by which sockets are asked. Absent: they are looked up in the table. */
  readonly loadCalls?: () => Promise<SystemCalls | undefined>;
  /** The files of the kernel's table. Absent: Linux's own. */
  readonly tables?: { readonly four: string; readonly six: string };
};

/**
 * Reads what the kernel holds for connections, once a second for all of them together: a successful `write` says
 * nothing about the peer, since megabytes fit into the kernels' buffers. Each socket is asked itself; where that is not
 * possible, the kernel's table of all connections is read: the thread pool does so in pieces, so that nothing waits for
 * it. Only Linux has such a table; elsewhere nothing is reported.
 */
export class KernelQueues {
  readonly #clock: Clock;
  readonly #tables: { readonly four: string; readonly six: string };
  readonly #loadCalls: () => Promise<SystemCalls | undefined>;
  #queries: Promise<SocketQueries | undefined> | undefined;
  readonly #readers = new Map<string, QueueReader>();
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #timer: Timer | undefined;
  #isReading = false;
  #isHurried = false;
  #isAvailable = true;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #tableBytes = 0;

  constructor(clock: Clock, { loadCalls = async () => undefined, tables = TABLES }: KernelQueuesOptions = {}) {
    this.#clock = clock;
    this.#tables = tables;
    this.#loadCalls = loadCalls;
  }

  /** Reports a connection until the returned function is called. */
  watch(ends: ConnectionEnds, reader: QueueReader): () => void {
    const key = tableKey(ends);
    if (key === undefined) return () => undefined;
    this.#readers.set(key, reader);
    this.#plan();
    return () => {
      if (this.#readers.get(key) === reader) this.#readers.delete(key);
    };
  }

  /** A link waits for the next reading. */
  hurry(): void {
    if (this.#isHurried) return;
    this.#isHurried = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#plan();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isReading || !this.#isAvailable || this.#readers.size === 0) return;
    const dueMs = this.#readAtMs + readingIntervalMs(this.#tableBytes, this.#isHurried);
    this.#timer = this.#clock.startTimer(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#timer = undefined;
      void this.#read();
    });
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    this.#isHurried = false;
    this.#readAtMs = this.#clock.now();
    try {
      this.#queries ??= this.#loadQueries();
      const queries = await this.#queries;
      this.#tableBytes = 0;
      const wanted = new Set([...this.#readers].flatMap(([key, reader]) => (isRead(queries, reader) ? [] : [key])));
      const hasFour = [...wanted].some((key) => key.length === KEY_LENGTH_FOUR);
      const hasSix = [...wanted].some((key) => key.length !== KEY_LENGTH_FOUR);
      for (const key of wanted) this.#readers.get(key)?.begin();
      if (hasFour) await this.#readTable(this.#tables.four, wanted);
      if (hasSix) await this.#readTable(this.#tables.six, wanted);
    } catch (error) {
      // Without a table links are judged by what else is known; without a descriptor it is read the next time.
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT" || code === "EACCES") this.#isAvailable = false;
    }
    this.#isReading = false;
    this.#plan();
  }

  async #loadQueries(): Promise<SocketQueries | undefined> {
    const calls = await this.#loadCalls();
    return calls === undefined ? undefined : new SocketQueries(calls);
  }

  async #readTable(path: string, wanted: ReadonlySet<string>): Promise<void> {
    const file = await open(path, "r");
    try {
      await this.#readPieces(file, wanted);
    } finally {
      await file.close();
    }
  }

  async #readPieces(file: FileHandle, wanted: ReadonlySet<string>): Promise<void> {
    const table = new TcpTable(wanted, (key, reading) => this.#readers.get(key)?.take(reading));
    for (let total = 0; total < TABLE_BYTES_MAX; ) {
      const { bytesRead } = await file.read(this.#piece, 0, PIECE_BYTES);
      if (bytesRead === 0) return;
      table.take(this.#piece.toString("latin1", 0, bytesRead));
      this.#tableBytes += bytesRead;
      total += bytesRead;
    }
  }
}

/**
 * The time from one reading to the next, in milliseconds. `isHurried`: a target that is behind gets no more bytes
 * before it.
 */
export function readingIntervalMs(tableBytes: number, isHurried: boolean): number {
  const leastMs = isHurried ? HURRIED_INTERVAL_MS : INTERVAL_MS;
  return Math.min(INTERVAL_MAX_MS, Math.max(leastMs, (tableBytes / MIB) * INTERVAL_MS_PER_MIB));
}

/** Asks a socket itself; false where it has to be looked up in the table. */
function isRead(queries: SocketQueries | undefined, { descriptor, begin, take }: QueueReader): boolean {
  const number = queries === undefined ? undefined : descriptor?.();
  if (queries === undefined || number === undefined) return false;
  begin();
  return queries.read(number, take);
}
