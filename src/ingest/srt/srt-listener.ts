import type { Timer } from "../../base/clock.ts";
import { DatagramPort, type OnDatagram, type Sender } from "../../net/datagram-port.ts";
import { DrainedTimer } from "../../net/drained-timer.ts";
import { SrtListenerHandshake } from "../../protocol/srt/listener.ts";
import { HANDSHAKE_BYTES } from "../../protocol/srt/wire/handshake.ts";
import { destinationOf, HEADER_BYTES, isControl } from "../../protocol/srt/wire/packet.ts";
import type { SrtLinkSample } from "../../thread-protocol/samples.ts";
import { ConnectionLimiter, type ConnectionLimits } from "../connection-limiter.ts";
import { plainAddress } from "../peer-address.ts";
import { FailedKeys } from "../publish/failed-keys.ts";
import { Refusals } from "../publish/refusals.ts";
import { CallBudget, PacketBudget } from "./call-budget.ts";
import { SrtEncoder, type SrtEncoderDeps } from "./srt-encoder.ts";

const TICK_MS = 10;
const SECOND_MS = 1_000;
/** An SRT connection costs more than one of RTMP that only waits. */
const CONNECTIONS_MAX = 1_024;
const SECRET_BYTES = 32;
/** Cookies that are checked in a second. A check takes about 10 µs. */
const COOKIE_CHECKS_PER_SECOND = 10_000;

/** What the listener needs of a UDP port. */
export type BoundPort = Pick<DatagramPort, "port" | "send" | "close">;
type Bind = (host: string | undefined, port: number, onDatagram: OnDatagram) => Promise<BoundPort>;

export type SrtListenerDeps = Omit<SrtEncoderDeps, "refusals" | "failedKeys" | "handshake" | "send"> & {
  readonly limits?: ConnectionLimits;
  /** What is known of the connections that publish; called once a second while there are any. */
  readonly onLinks: (links: readonly SrtLinkSample[]) => void;
  /** Opens the UDP port; absent: a real one. */
  readonly bind?: Bind;
  /** Calls `run` after the next round of reads. */
  readonly afterReads: (run: () => void) => void;
};

/** Accepts encoders that speak SRT, all on one UDP port. Without encoders it runs no timer. */
export class SrtListener {
  readonly #deps: SrtListenerDeps;
  readonly #encoderDeps: SrtEncoderDeps;
  readonly #timer: DrainedTimer;
  readonly #handshake: SrtListenerHandshake;
  readonly #refusals: Refusals;
  readonly #limiter: ConnectionLimiter;
  readonly #inductions = new CallBudget();
  readonly #cookieChecks = new PacketBudget(COOKIE_CHECKS_PER_SECOND);
  readonly #conclusions = new CallBudget();
  /** By the caller's address, port and socket ID: also those that wait for their admission. */
  readonly #calls = new Map<string, SrtEncoder>();
  /** By our socket ID: those that publish. */
  readonly #encoders = new Map<number, SrtEncoder>();
  #port: BoundPort | undefined;
  #tickTimer: Timer | undefined;
  #nextSecondMs = 0;
  #isClosed = false;

  constructor(deps: SrtListenerDeps) {
    this.#deps = deps;
    const { clock, randomBytes, limits = {} } = deps;
    this.#timer = new DrainedTimer(deps);
    this.#handshake = new SrtListenerHandshake(randomBytes(SECRET_BYTES), clock.now() * 1_000);
    this.#refusals = new Refusals(deps.onFact);
    this.#limiter = new ConnectionLimiter({
      ...limits,
      connectionsMax: Math.min(CONNECTIONS_MAX, limits.connectionsMax ?? CONNECTIONS_MAX),
    });
    this.#encoderDeps = {
      ...deps,
      refusals: this.#refusals,
      failedKeys: new FailedKeys(),
      handshake: this.#handshake,
      send: (packet, to) => this.#port?.send(packet, to),
    };
  }

  /** Listens. Resolves with the port; rejects with the system's error (port in use, no permission). */
  async listen(host: string | undefined, port: number): Promise<number> {
    const { bind = DatagramPort.bind } = this.#deps;
    this.#port = await bind(host, port, (datagram, sender) => this.#receive(datagram, sender));
    return this.#port.port;
  }

  /** Stops accepting and ends every publication: the process stops. */
  drain(): void {
    for (const encoder of [...this.#calls.values()]) encoder.drain();
    this.#isClosed = true;
  }

  /** Closes every connection and the port. Idempotent. */
  close(): void {
    for (const encoder of [...this.#calls.values()]) encoder.close();
    this.#isClosed = true;
    this.#tickTimer?.cancel();
    this.#port?.close();
  }

  #receive(datagram: Buffer, sender: Sender): void {
    this.#timer.noteRead();
    if (this.#isClosed || datagram.length < HEADER_BYTES) return;
    const destination = destinationOf(datagram);
    if (destination === 0) return this.#receiveCall(datagram, sender);
    const encoder = this.#encoders.get(destination);
    if (encoder === undefined || !isSame(encoder.sender, sender)) return;
    encoder.receive(datagram, this.#nowUs());
  }

  #receiveCall(datagram: Buffer, sender: Sender): void {
    // No reply is longer than its request.
    if (datagram.length < HANDSHAKE_BYTES || !isControl(datagram)) return;
    const { clock } = this.#deps;
    const address = plainAddress(sender.address);
    const nowMs = clock.now();
    const isConclusion = datagram.readUInt32BE(36) === 0xffffffff;
    if (!(isConclusion ? this.#cookieChecks.take(nowMs) : this.#inductions.take(address, nowMs))) return;
    const step = this.#handshake.receive(datagram, { address, port: sender.port }, this.#nowUs());
    if (step.kind === "ignore") return;
    // Only now its sender is real: made-up cookies must not use up what a network may send.
    if (isConclusion && !this.#conclusions.take(address, nowMs)) return;
    if (step.kind === "reply") {
      if (step.rejected !== undefined) this.#reportRejected(address, step.rejected);
      this.#port?.send(step.packet, sender);
      return;
    }
    const name = `${sender.address} ${sender.port} ${step.request.handshake.socketId}`;
    const known = this.#calls.get(name);
    if (known !== undefined) return known.repeat();
    let localId: number | undefined;
    const encoder: SrtEncoder = new SrtEncoder(step.request, sender, address, this.#encoderDeps, {
      newId: () => this.#newId(),
      onAccepted: (id) => {
        localId = id;
        this.#encoders.set(id, encoder);
        this.#limiter.recognise(encoder);
      },
      onOver: () => {
        this.#calls.delete(name);
        if (localId !== undefined) this.#encoders.delete(localId);
        this.#limiter.leave(encoder);
      },
    });
    this.#calls.set(name, encoder);
    if (!this.#limiter.enter(encoder)) return encoder.turnAway();
    this.#startTicks();
    encoder.begin();
  }

  #newId(): number {
    for (;;) {
      const id = this.#deps.randomBytes(4).readUInt32BE(0) & 0x3fffffff;
      if (id !== 0 && !this.#encoders.has(id)) return id;
    }
  }

  #startTicks(): void {
    if (this.#tickTimer !== undefined) return;
    this.#tickTimer = this.#timer.start(TICK_MS, () => {
      this.#tickTimer = undefined;
      this.#tick();
      if (!this.#isClosed && (this.#calls.size > 0 || this.#refusals.hasUnreported)) this.#startTicks();
    });
  }

  #tick(): void {
    const nowUs = this.#nowUs();
    for (const encoder of this.#encoders.values()) encoder.tick(nowUs);
    const nowMs = this.#deps.clock.now();
    if (nowMs < this.#nextSecondMs) return;
    this.#nextSecondMs = nowMs + SECOND_MS;
    this.#refusals.tick();
    const links: SrtLinkSample[] = [];
    for (const encoder of this.#encoders.values()) {
      const link = encoder.measure();
      if (link !== undefined) links.push(link);
    }
    if (links.length > 0) this.#deps.onLinks(links);
  }

  #nowUs(): number {
    return this.#deps.clock.now() * 1_000;
  }

  #reportRejected(remoteAddress: string, rejection: string): void {
    const detail = REJECTED[rejection] ?? "a malformed SRT handshake";
    const time = this.#deps.clock.wallNow();
    this.#refusals.add({ time, remoteAddress, reason: "protocol-error", detail });
    this.#startTicks();
  }
}

const REJECTED: Readonly<Record<string, string>> = {
  version: "SRT older than 1.3, which has no stream ID",
  messageApi: "SRT in file mode",
  congestion: "SRT in file mode",
  filter: "SRT with forward error correction, which is not supported",
  group: "an SRT group of several links, which is not supported",
  badRequest: "an SRT stream ID that is too long",
};

function isSame(a: Sender, b: Sender): boolean {
  return a.port === b.port && a.address === b.address;
}
