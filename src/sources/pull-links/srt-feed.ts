import type { Writable } from "node:stream";
import type { Clock, Timer } from "../../base/clock.ts";
import { callFailed } from "../../egress/srt-errors.ts";
import { DatagramPort, type Sender } from "../../net/datagram-port.ts";
import { DrainedTimer } from "../../net/drained-timer.ts";
import type { CheckedAddress } from "../../net/target-address.ts";
import { type CallOptions, type CallStep, SrtCaller } from "../../protocol/srt/caller.ts";
import { SrtConnection } from "../../protocol/srt/connection.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import { PullFailure, pullError, sourceError } from "./pull-errors.ts";

const TICK_MS = 10;
/** What FFmpeg has not read yet; what comes beyond that is lost, as on a bad path. In bytes. */
const WAITING_BYTES_MAX = 4 * 1_024 * 1_024;

export type SrtFeedDeps = { readonly clock: Clock; readonly randomBytes: (length: number) => Buffer };

/** An SRT connection that this process calls and receives over: its transport stream goes to FFmpeg's standard input. */
export class SrtFeed {
  readonly #deps: SrtFeedDeps;
  readonly #peer: Sender;
  readonly #port: DatagramPort;
  readonly #caller: SrtCaller;
  readonly #connected = Promise.withResolvers<void>();
  #connection: SrtConnection | undefined;
  /** Behind a pause of the process the packets that arrived in it are read before any of them is given up as lost. */
  readonly #timer: DrainedTimer;
  #tickTimer: Timer | undefined;
  #output: Writable | undefined;
  #failure: TargetError | undefined;
  #isClosed = false;

  private constructor(port: DatagramPort, peer: Sender, options: CallOptions, deps: SrtFeedDeps) {
    this.#deps = deps;
    this.#port = port;
    this.#peer = peer;
    this.#timer = new DrainedTimer({ clock: deps.clock, afterReads: setImmediate });
    this.#caller = new SrtCaller(options, this.#nowUs());
  }

  /**
   * Calls the source.
   *
   * @throws PullFailure, or the signal's reason once it is aborted.
   */
  static async open(
    { address, family, port }: CheckedAddress,
    call: Omit<CallOptions, "address" | "randomBytes">,
    deps: SrtFeedDeps,
    signal: AbortSignal,
  ): Promise<SrtFeed> {
    const bound = await DatagramPort.bind(family === 4 ? "0.0.0.0" : "::", 0, (datagram, sender) => {
      // A socket is not connected: anybody may send to it.
      if (sender.port === port && sender.address === address) feed.#receive(datagram);
    });
    const options = { ...call, address, randomBytes: deps.randomBytes };
    const feed: SrtFeed = new SrtFeed(bound, { address, port }, options, deps);
    const abort = () => {
      feed.close();
      feed.#connected.reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    else feed.#tick();
    try {
      await feed.#connected.promise;
      return feed;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Whether bytes wait for FFmpeg. */
  get isUnread(): boolean {
    return (this.#output?.writableLength ?? 0) > 0;
  }

  get failure(): TargetError | undefined {
    return this.#failure;
  }

  /** Where the stream goes from now on. What came before is lost: players begin at a keyframe anyway. */
  to(output: Writable): void {
    this.#output = output;
    if (this.#isClosed) output.end();
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tickTimer?.cancel();
    this.#connection?.close(this.#nowUs());
    this.#output?.end();
    // What was sent last leaves with this turn.
    this.#deps.clock.startTimer(0, () => this.#port.close());
  }

  #receive(datagram: Buffer): void {
    this.#timer.noteRead();
    if (this.#isClosed) return;
    if (this.#connection !== undefined) this.#connection.receive(datagram, this.#nowUs());
    else this.#step(this.#caller.receive(datagram, this.#nowUs()));
  }

  #tick(): void {
    if (this.#connection !== undefined) this.#connection.tick(this.#nowUs());
    else this.#step(this.#caller.tick(this.#nowUs()));
    if (!this.#isClosed) this.#tickTimer = this.#timer.start(TICK_MS, () => this.#tick());
  }

  #step(step: CallStep): void {
    if (step.kind === "wait" && step.send !== undefined) this.#port.send(step.send, this.#peer);
    if (step.kind === "failed") {
      const detail = step.failure.kind === "rejected" ? `SRT ${step.failure.code}` : "SRT";
      const isSilent = step.failure.kind === "no-answer";
      this.#end(isSilent ? pullError("connection-unanswered") : sourceError(callFailed(step.failure), detail));
    }
    if (step.kind !== "connected") return;
    this.#connection = new SrtConnection(step.agreement, this.#nowUs(), {
      send: (packet) => this.#port.send(packet, this.#peer),
      deliver: (payload) => this.#deliver(payload),
      // FFmpeg sees from the packets' counters that some are missing.
      onGap: () => undefined,
      onEnd: (end) => this.#end(pullError(end.kind === "silent" ? "connection-failed" : "ended")),
      randomBytes: this.#deps.randomBytes,
    });
    this.#connected.resolve();
  }

  #deliver(payload: Buffer): void {
    const output = this.#output;
    if (output === undefined || output.writableLength > WAITING_BYTES_MAX || !output.writable) return;
    // The receiver uses its memory again.
    output.write(Buffer.from(payload));
  }

  #end(error: TargetError): void {
    this.#failure ??= error;
    this.#connected.reject(new PullFailure(error));
    this.close();
  }

  #nowUs(): number {
    return this.#deps.clock.now() * 1_000;
  }
}
