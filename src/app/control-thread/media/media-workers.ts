import { randomBytes } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { CertificatePair } from "../../../thread-protocol/certificate.ts";
import type { ChannelId, IngestSlot } from "../../../thread-protocol/channel-spec.ts";
import type { ShutdownMode, ToControl } from "../../../thread-protocol/messages.ts";
import type { MediaOptions, ThreadOptions } from "../../threads/media-options.ts";
import { newSharedCounters, SharedCounters } from "../../threads/shared-counters.ts";
import { MediaWorker } from "./media-worker.ts";

const SECRET_BYTES = 32;

export type MediaWorkersDeps = {
  readonly options: MediaOptions;
  readonly clock: Clock;
  readonly log: Log;
  readonly onMessage: (worker: MediaWorker, message: ToControl) => void;
  /** A thread has ended. `hasDied`: it was not asked to stop, and is restarted. */
  readonly onGone: (worker: MediaWorker, hasDied: boolean) => void;
};

/**
 * Supervises the media threads: starts, restarts and stops them, and sends changes of general settings to all of them.
 */
export class MediaWorkers {
  readonly all: readonly MediaWorker[];
  readonly #deps: MediaWorkersDeps;
  readonly #sharedMemory: SharedArrayBuffer;
  readonly #challengeSecret = randomBytes(SECRET_BYTES);
  #options: MediaOptions;
  #hasListened = false;

  constructor(deps: MediaWorkersDeps) {
    this.#deps = deps;
    this.#options = deps.options;
    this.#sharedMemory = newSharedCounters(deps.options.threads);
    this.all = Array.from({ length: deps.options.threads }, (_, index) => this.#newWorker(index));
  }

  /** Starts the threads without anything to do. Resolves when their programs are loaded. */
  async load(): Promise<void> {
    await Promise.all(this.all.map((worker) => worker.load()));
  }

  /**
   * Lets all threads begin, on one port. `predecessorPorts`: where earlier processes of this server may still accept
   * connections. Returns the port that accepts encoders; rejects if the port is not available.
   */
  async start(predecessorPorts: readonly number[] = []): Promise<number> {
    const [first, ...others] = this.all;
    if (first === undefined) throw new Error("no media thread");
    this.#options = { ...this.#options, predecessorPorts };
    const { port, tlsPort, srtPort } = await first.start();
    // The other threads, and restarted ones, must listen where the first one does.
    const { rtmps, srt } = this.#options;
    this.#options = {
      ...this.#options,
      rtmpPort: port,
      ...(rtmps === undefined ? {} : { rtmps: { ...rtmps, port: tlsPort ?? rtmps.port } }),
      ...(srt === undefined ? {} : { srt: { ...srt, port: srtPort ?? srt.port } }),
    };
    this.#hasListened = true;
    await Promise.all(others.map((worker) => worker.start()));
    return port;
  }

  /** Stops all threads. Their last samples have arrived when this resolves. Idempotent. */
  async stop(mode: ShutdownMode): Promise<void> {
    // Every thread drains before any of them leaves its targets: an encoder that reconnects elsewhere may feed another thread's
    // channel. With `end` the broadcasts are over, and no encoder has to move.
    if (mode === "cut") await Promise.all(this.all.map((worker) => worker.drain()));
    await Promise.all(this.all.map((worker) => worker.stop(mode)));
  }

  /** Another process accepts the encoders from now on: a thread that dies is not started again. */
  handOver(): void {
    for (const worker of this.all) worker.handOver();
  }

  /** Stops accepting connections, and keeps those that are there. */
  stopAccepting(): void {
    for (const worker of this.all) worker.post({ kind: "stop-accepting" });
  }

  /** How many encoders of this process publish to threads of another one, or to each other's. */
  get relayed(): number {
    return new SharedCounters(this.#sharedMemory, 0).allRelayed;
  }

  /** The port that accepts encoders over TLS; undefined where there is none. */
  get tlsPort(): number | undefined {
    return this.#options.rtmps?.port;
  }

  /** The UDP port that accepts encoders over SRT; undefined where there is none. */
  get srtPort(): number | undefined {
    return this.#options.srt?.port;
  }

  /** Any running thread; undefined where none runs. */
  get running(): MediaWorker | undefined {
    return this.all.find(({ life }) => life !== undefined);
  }

  /** Sets the certificate that encoders are shown from now on. */
  setCertificate(pair: CertificatePair): void {
    const { rtmps } = this.#options;
    if (rtmps === undefined) return;
    this.#options = { ...this.#options, rtmps: { ...rtmps, pair } };
    for (const worker of this.all) worker.post({ kind: "certificate", pair });
  }

  /** The key of this slot is none any more. The encoder may publish through any thread, and to another node. */
  dismissRevoked(channelId: ChannelId, slot: IngestSlot): void {
    for (const worker of this.all) worker.post({ kind: "disconnect-publisher", channelId, slot });
  }

  /** Whether the threads may send to targets. */
  letSend(isAllowed: boolean): void {
    for (const worker of this.all) worker.post({ kind: "sending", isAllowed });
  }

  /** Whether channels may soon go to other nodes. */
  expectMoves(isExpected: boolean): void {
    for (const worker of this.all) worker.post({ kind: "expect-moves", isExpected });
  }

  /** Adds a port of this server: no target may lead back to it. */
  addOwnPort(port: number): void {
    this.#options = { ...this.#options, ownPorts: [...this.#options.ownPorts, port] };
    for (const worker of this.all) worker.post({ kind: "own-port", port });
  }

  #newWorker(index: number): MediaWorker {
    const { clock, log, options, onMessage, onGone } = this.#deps;
    const worker: MediaWorker = new MediaWorker({
      index,
      name: options.threads === 1 ? "media" : `media-${index + 1}`,
      options: () => this.#threadOptions(index),
      clock,
      log,
      onMessage: (message) => onMessage(worker, message),
      onGone: () => {
        if (!worker.isStopping) new SharedCounters(this.#sharedMemory, index).clear();
        onGone(worker, !worker.isStopping);
      },
    });
    return worker;
  }

  #threadOptions(index: number): ThreadOptions {
    return {
      ...this.#options,
      place: {
        ...{ index, count: this.#options.threads, isFirst: index === 0 && !this.#hasListened },
        ...{ sharedMemory: this.#sharedMemory, challengeSecret: this.#challengeSecret },
      },
    };
  }
}
