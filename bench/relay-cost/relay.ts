import type { NativeTools } from "./native-tools.ts";

/** The job of a relay: so many channels, each to so many targets at the sink. */
export type Task = {
  readonly channelCount: number;
  readonly fanOut: number;
  /** Where the sink listens: `ADDRESS:PORT`. */
  readonly sink: string;
  readonly isTls: boolean;
  /** Media is to leave at once, where there is a choice. */
  readonly isQuick: boolean;
  /** Where it may keep its files. */
  readonly folder: string;
  readonly tools: NativeTools;
  /** A certificate authority that signed the sink's certificate, as a PEM file. */
  readonly authority: string | undefined;
};

/** Where an encoder sends one channel to. */
export type Ingest = { readonly port: number; readonly app: string; readonly key: string };

export type RunningRelay = {
  /** All its processes; their threads count. */
  pids(): Promise<readonly number[]> | readonly number[];
  readonly ingests: readonly Ingest[];
  /** Makes every target leave and join again, one after another; absent where that is impossible. */
  rejoin?(): Promise<void>;
  /** Where its API, metrics and readiness are; absent where it has none. */
  readonly origin?: string;
  stop(): Promise<void>;
};

/** One of the relays that are compared. */
export type Relay = {
  readonly name: string;
  /** Whether its targets may be behind TLS. */
  readonly canTls: boolean;
  /** A program that does not compile while it runs: it needs no long time before a window. */
  readonly isNative: boolean;
  /** Most processes or channels it is run with; more would measure the machine's memory. */
  readonly channelsMax: number;
  start(task: Task): Promise<RunningRelay>;
  /** For the report. */
  version(): Promise<string>;
};
