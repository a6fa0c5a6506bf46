import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Clock, Timer } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { tidyAddress } from "../base/pasted-text.ts";
import { type MachineTrouble, machineTroubleOf, systemCode } from "../base/system-errors.ts";
import type { DirectSocket } from "../net/kernel/direct-socket.ts";
import type { DirectSockets } from "../net/kernel/direct-sockets.ts";
import type { KernelQueues } from "../net/kernel/kernel-queues.ts";
import type { SharedLooks } from "../net/shared-looks.ts";
import type { ClientFailure, ClientOutput, ClientStage } from "../protocol/rtmp/client/client-outputs.ts";
import { ClientSession } from "../protocol/rtmp/client/client-session.ts";
import { takesFourCc } from "../protocol/rtmp/client/enhanced-connect.ts";
import { parseTargetUrl, streamName, type TargetAddress } from "../protocol/rtmp/url.ts";
import { MEDIA_CHUNK_SIZE } from "../relay/packing/media-chunk-size.ts";
import type { KernelQueue, Link, LinkEvents, PathAnswer, PeerAcks } from "../relay/subscriber/rtmp-push/link.ts";
import type { LinkClose } from "../relay/subscriber/subscriber.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { Attempt, type Ending } from "./attempt.ts";
import { checkMove, MoveBudget } from "./check-move.ts";
import { endedByTarget } from "./link-errors.ts";
import { LinkProofs } from "./link-proofs.ts";
import { LinkReader } from "./link-reader.ts";
import { OpenError } from "./open-socket.ts";
import { probePath } from "./path-probe.ts";

/** For the handshake and for connect, each, in milliseconds. */
const STAGE_DEADLINE_MS = 10_000;
/**
 * Some platforms take 20 s to look up a key. While the connection lives, a new one would only start that again. In
 * milliseconds.
 */
const PUBLISH_DEADLINE_MS = 21_000;
/** How long a closed link may take to send what is pending, and for the target to close its side, in milliseconds. */
const LINGER_MS = 3_000;
const HANDSHAKE_RANDOM_BYTES = 1_528;

export type LinkDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  /**
   * Opens the connection: name, address check, TCP, TLS.
   *
   * @throws OpenError, or the signal's reason.
   */
  readonly open: (address: TargetAddress, signal: AbortSignal) => Promise<Socket>;
  /**
   * Resolves where the address is allowed.
   *
   * @throws OpenError, or the signal's reason.
   */
  readonly check: (address: TargetAddress, signal: AbortSignal) => Promise<void>;
  /**
   * Connects to the present address, and closes. Resolves with the IP address.
   *
   * @throws OpenError, or the signal's reason.
   */
  readonly reach: (address: TargetAddress, signal: AbortSignal) => Promise<string>;
  readonly queues: KernelQueues;
  readonly looks: SharedLooks;
  readonly directSockets: DirectSockets;
  /** Called with an error that no peer caused. */
  readonly onFault: (error: unknown) => void;
  /** A stage of the dialogue begins. */
  readonly onStage: (stage: Exclude<ClientStage, "publishing" | "closed">) => void;
  /** The connection failed because of this machine. */
  readonly onTrouble: (trouble: MachineTrouble) => void;
  /** The socket is gone, or was never there. */
  readonly onGone: (link: RtmpLink) => void;
};

/**
 * One connection to a target: a socket and a client session. Every write is sent at once. A login takes up to two
 * connections before the last one, redirections up to three more.
 */
export class RtmpLink implements Link {
  readonly #deps: LinkDeps;
  readonly #events: LinkEvents;
  readonly #abort = new AbortController();
  readonly #target: TargetSpec;
  readonly #attempt: Attempt;
  /** The present connection's application. */
  #app = "";
  #session: ClientSession | undefined;
  #socket: Socket | undefined;
  /** Direct system calls, where they are possible. */
  #direct: DirectSocket | undefined;
  #stage: ClientStage = "handshake";
  #openStage: OpenError["stage"] | undefined;
  #stageTimer: Timer | undefined;
  #reader: LinkReader | undefined;
  #isClosed = false;
  #publishingSinceMs = 0;
  #writtenBytes = 0;
  #takenBytes = 0;
  #proofs: LinkProofs | undefined;
  #isBacklogged = false;
  /** Whether Node's stream was given bytes that it may still hold. */
  #mayBePending = false;
  #isConsideringMove = false;
  readonly #moves = new MoveBudget();
  /** The socket took a write: one function for all of them. */
  readonly #onTaken = (): void => {
    if (!this.#isBacklogged || this.pendingBytes > 0) return;
    this.#isBacklogged = false;
    this.#reportDrained();
  };

  constructor(target: TargetSpec, events: LinkEvents, deps: LinkDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#events = events;
    this.#attempt = new Attempt(target, deps);
    void this.#run();
  }

  /** Where the link is, or was when it failed: a stage of opening it, or of its dialogue. */
  get failedAt(): ClientStage | OpenError["stage"] {
    return this.#openStage ?? this.#stage;
  }

  get pendingBytes(): number {
    // Called for every target at every flush: the stream itself is asked only where it was used.
    if (!this.#mayBePending) return 0;
    const bytes = this.#socket?.writableLength ?? 0;
    this.#mayBePending = bytes > 0;
    return bytes;
  }

  get isBehind(): boolean {
    if (this.pendingBytes === 0) return false;
    return !(this.#socket instanceof TLSSocket) || this.#proofs?.isKernelFull !== false;
  }

  /** Our own messages wait in the same queue: the number of taken bytes never goes down. */
  get takenBytes(): number {
    this.#takenBytes = Math.max(this.#takenBytes, this.#writtenBytes - this.pendingBytes);
    return this.#takenBytes;
  }

  /** TLS has encrypted the bytes by the time `write` returns, so their memory is free. */
  get isHolding(): boolean {
    return this.pendingBytes > 0 && !(this.#socket instanceof TLSSocket);
  }

  get acks(): PeerAcks | undefined {
    return this.#proofs?.acksOf(this.#session?.ackWindowBytes ?? 0);
  }

  get kernelQueue(): KernelQueue | undefined {
    return this.#proofs?.kernelQueue;
  }

  get creditBytes(): number {
    return this.#proofs?.creditBytes ?? Number.POSITIVE_INFINITY;
  }

  suit(streamPerSecond: number, kernelPerSecond: number): void {
    if (this.#isClosed) return;
    this.#proofs?.suit(kernelPerSecond);
    // A target that is slower than the stream still acknowledges as often, and does not count as hanging.
    const asking = this.#session?.askForAcks(Math.min(streamPerSecond, kernelPerSecond));
    if (asking !== undefined) this.#reply(asking);
  }

  probe(onAnswer: (answer: PathAnswer) => void): void {
    const { remoteAddress, remotePort } = this.#socket ?? {};
    const address = parseTargetUrl(this.#attempt.url);
    if (remoteAddress === undefined || remotePort === undefined || typeof address === "string") return onAnswer("none");
    const { clock, reach } = this.#deps;
    const deps = { clock, signal: this.#abort.signal, reach: (signal: AbortSignal) => reach(address, signal) };
    probePath({ address: remoteAddress, port: remotePort }, deps).then(onAnswer, this.#deps.onFault);
  }

  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket === undefined || this.#isClosed) return;
    this.#writtenBytes += bytes.length;
    const isFirst = this.pendingBytes === 0;
    const taken = isFirst ? (this.#direct?.write(bytes) ?? 0) : 0;
    this.#proofs?.gave(taken, taken);
    if (taken === bytes.length) return;
    // Behind another write, and before TLS, the stream keeps the bytes that it is given.
    const rest = !isFirst && socket instanceof TLSSocket ? Buffer.from(bytes) : bytes.subarray(taken);
    this.#queue(socket, rest, this.#onTaken);
    this.#isBacklogged = this.pendingBytes > 0;
  }

  #reportDrained(): void {
    if (this.#isClosed || this.pendingBytes > 0) return;
    try {
      this.#events.onDrained();
    } catch (error) {
      this.#failByFault(error);
    }
  }

  close(how: LinkClose): void {
    if (this.#isClosed) return;
    const farewell = how === "end" ? (this.#session?.unpublish() ?? Buffer.alloc(0)) : Buffer.alloc(0);
    this.#letGo();
    const socket = this.#socket;
    if (socket === undefined) return;
    if (how === "abort") {
      this.#proofs?.reset();
      return;
    }
    if (farewell.length > 0) this.#queue(socket, farewell);
    socket.end();
    const timer = this.#deps.clock.startTimer(LINGER_MS, () => socket.destroy());
    socket.once("close", () => timer.cancel());
  }

  async #run(): Promise<void> {
    // The dialling code must have the link before the first event.
    await Promise.resolve();
    await this.#connect();
  }

  /** Makes the first or a further connection. Resolves the name and checks its addresses each time. */
  async #connect(): Promise<void> {
    try {
      const address = parseTargetUrl(this.#attempt.url);
      if (typeof address === "string") throw new OpenError("resolve", targetError("address-unusable", address));
      const socket = await this.#deps.open(address, this.#abort.signal);
      if (this.#isClosed) {
        socket.destroy();
        return;
      }
      this.#attach(socket, address);
    } catch (error) {
      if (error instanceof OpenError) {
        this.#openStage = error.stage;
        if (error.trouble !== undefined && !this.#isClosed) this.#deps.onTrouble(error.trouble);
        this.#fail(this.#attempt.notOpened(error));
      } else if (!this.#isClosed) this.#failByFault(error);
    } finally {
      if (this.#socket === undefined) this.#deps.onGone(this);
    }
  }

  #attach(socket: Socket, { app, tcUrl }: TargetAddress): void {
    const { loginQuery } = this.#attempt;
    const login = loginQuery === undefined ? {} : { loginQuery };
    // Keys that were stored before such characters were removed still have them.
    const name = streamName(tidyAddress(this.#target.streamKey).text);
    const publication = { app, tcUrl, name, ...login };
    const session = new ClientSession(publication, this.#deps.randomBytes(HANDSHAKE_RANDOM_BYTES), MEDIA_CHUNK_SIZE);
    this.#app = app;
    this.#socket = socket;
    this.#direct = this.#deps.directSockets.of(socket);
    const { clock, queues, looks } = this.#deps;
    this.#proofs = new LinkProofs({ socket, queues, clock, onCredit: () => this.#reportDrained() });
    this.#session = session;
    // A connection that only served a login may send something after its end.
    const isCurrent = () => this.#socket === socket;
    const take = (step: () => readonly ClientOutput[]) => {
      try {
        for (const output of step()) this.#take(output);
        if (isCurrent() && session.stage !== this.#stage) this.#enter(session.stage);
      } catch (error) {
        this.#failByFault(error);
      }
    };
    const onFlood = () => this.#fail(targetError("sent-too-much"));
    this.#reader = new LinkReader({ socket, session, clock, looks, take, onFlood });
    socket.on("error", (error) => {
      if (!isCurrent()) return;
      const trouble = machineTroubleOf(systemCode(error));
      if (trouble !== undefined) this.#deps.onTrouble(trouble);
      this.#fail(this.#attempt.brokenOff(systemCode(error), this.#ending));
    });
    socket.on("end", () => {
      if (isCurrent()) this.#fail(this.#attempt.closed(this.#ending));
    });
    socket.on("close", () => {
      if (!isCurrent()) return;
      this.#fail(this.#attempt.brokenOff("ECONNRESET", this.#ending));
      this.#deps.onGone(this);
    });
    this.#enter("handshake");
    this.#queue(socket, session.start());
  }

  #enter(stage: ClientStage): void {
    this.#stage = stage;
    this.#stageTimer?.cancel();
    if (stage === "publishing" || stage === "closed") return;
    this.#deps.onStage(stage);
    const deadlineMs = stage === "publish" ? PUBLISH_DEADLINE_MS : STAGE_DEADLINE_MS;
    this.#stageTimer = startDeadline(this.#deps.clock, deadlineMs, () =>
      this.#fail(this.#attempt.unanswered(this.#ending)),
    );
  }

  #take(output: ClientOutput): void {
    switch (output.kind) {
      case "send":
        return this.#reply(output.bytes);
      case "publishing":
        this.#enter("publishing");
        this.#publishingSinceMs = this.#deps.clock.now();
        this.#proofs?.start();
        if (!this.#isClosed) this.#events.onPublishing(output.streamId, ...this.#formsTaken());
        return;
      case "reconnect-requested":
        void this.#considerMove(output.tcUrl);
        return;
      case "acknowledged":
        return this.#proofs?.acknowledged(output.bytesTotal);
      case "failed":
        return this.#takeFailure(output.failure);
    }
  }

  /** Whether the target announced HEVC, and whether H.264 with AAC, by their FourCCs. */
  #formsTaken(): readonly [hevc: boolean, others: boolean] {
    const takes = (fourCc: string) => this.#session !== undefined && takesFourCc(this.#session.peer, fourCc);
    return [takes("hvc1"), takes("avc1") && takes("mp4a")];
  }

  /** Checks an address that a target redirects us to like any other. A forbidden one is ignored. */
  async #considerMove(tcUrl: string | undefined): Promise<void> {
    if (this.#isConsideringMove || !this.#moves.take(this.#deps.clock.now())) return;
    this.#isConsideringMove = true;
    try {
      const wanted = await checkMove(this.#attempt.url, tcUrl, (address) =>
        this.#deps.check(address, this.#abort.signal),
      );
      if (!this.#isClosed && wanted !== undefined) this.#events.onReconnectWanted?.(wanted.url);
    } catch (error) {
      if (!(error instanceof OpenError) && !this.#isClosed) this.#deps.onFault(error);
    } finally {
      this.#isConsideringMove = false;
    }
  }

  #takeFailure(failure: ClientFailure): void {
    if (failure.kind === "ended-by-server" && this.#stage === "publishing")
      return this.#fail(endedByTarget(failure, this.#publishedForMs));
    const step = this.#attempt.refused(failure, this.#app);
    if (step.kind === "fail") return this.#fail(step.error);
    this.#stageTimer?.cancel();
    this.#reader?.stop();
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#session = undefined;
    void this.#connect();
  }

  get #ending(): Ending {
    const isSecure = this.#socket instanceof TLSSocket;
    return { stage: this.#stage, isSecure, doubt: this.#session?.doubt, publishedForMs: this.#publishedForMs };
  }

  get #publishedForMs(): number {
    return this.#deps.clock.now() - this.#publishingSinceMs;
  }

  /** Their number is bounded by the limit on what is read from a target. */
  #reply(bytes: Buffer): void {
    if (this.#socket !== undefined) this.#queue(this.#socket, bytes);
  }

  #queue(socket: Socket, bytes: Buffer, onTaken?: () => void): void {
    this.#mayBePending = true;
    this.#proofs?.gave(bytes.length, 0);
    socket.write(bytes, onTaken);
  }

  #fail(error: TargetError): void {
    if (this.#isClosed) return;
    this.#letGo();
    this.#socket?.destroy();
    this.#events.onClosed(error);
  }

  /** A mistake of this program ends this link only. */
  #failByFault(error: unknown): void {
    this.#deps.onFault(error);
    this.#fail(targetError("server-fault"));
  }

  #letGo(): void {
    this.#isClosed = true;
    this.#stageTimer?.cancel();
    this.#proofs?.stop();
    this.#reader?.stop();
    this.#abort.abort();
  }
}
