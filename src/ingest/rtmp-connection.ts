import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { ProvenLogin } from "../exchange/admission.ts";
import type { ChannelId, ChannelSpec, IngestSlot } from "../exchange/channel-spec.ts";
import type { Fact, IngestEnd } from "../exchange/facts.ts";
import { type PlayRefusal, previewOf } from "../protocol/rtmp/play.ts";
import type { LoginRequest } from "../protocol/rtmp/server-login.ts";
import type { PlayRequest, PublishRequest, ServerCloseReason, ServerOutput } from "../protocol/rtmp/server-outputs.ts";
import { ServerSession } from "../protocol/rtmp/server-session.ts";
import { publishKey } from "../protocol/rtmp/url.ts";
import type { Engine } from "../relay/engine.ts";
import type { Source } from "../relay/feed.ts";
import type { FailedKeys } from "./failed-keys.ts";
import type { IngestLogins } from "./ingest-logins.ts";
import type { ReadClock, TimedReader } from "./read-clock.ts";
import type { Refusals } from "./refusals.ts";
import { RtmpPlayback, type Seat } from "./rtmp-playback.ts";

/** A refusal must be read before the connection goes: an immediate reset can overtake it. In milliseconds. */
const LINGER_MS = 500;
/** Replies that an encoder does not read are not kept for it beyond this, before its key is known to be good and afterwards. */
const UNREAD_REPLIES_BEFORE_PUBLISH_MAX_BYTES = 8 * 1024;
const UNREAD_REPLIES_MAX_BYTES = 256 * 1024;
/** A player is cut by what waits for it as its watcher counts it; this is above whatever that lets wait, and for replies. */
const UNREAD_PLAYED_MAX_BYTES = 16 * 1024 * 1024;
const HANDSHAKE_RANDOM_BYTES = 1_528;
/**
 * More than this between two steps of the clock, and an encoder is read as it comes until the next: a receive window as it
 * is at first must not hold up a big keyframe or a fast stream.
 */
const TIMED_READ_MAX_BYTES = 64 * 1024;

/** Where a key leads. `loginOf`: to this channel, but not without its login. */
export type Admission =
  | { readonly spec: ChannelSpec; readonly slot: IngestSlot }
  | { readonly loginOf: ChannelId }
  | "refused"
  | "unavailable";

export type IngestDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  readonly engine: Pick<Engine, "introduce" | "admits" | "open" | "watch" | "latency" | "flush">;
  readonly readClock: Pick<ReadClock, "add" | "delete">;
  /** May this key publish, by whom this login belongs to? `unavailable`: nobody answered in time. Never rejects. */
  readonly admit: (key: string, login: ProvenLogin | undefined) => Promise<Admission>;
  /** May a player with this token watch this channel? Never rejects. */
  readonly seatPlayer: (channelId: string, token: string) => Promise<Seat>;
  readonly logins: Pick<IngestLogins, "decide">;
  readonly tell: (fact: Fact) => void;
  readonly refusals: Pick<Refusals, "add">;
  /** Says how long a refusal is held back. */
  readonly failedKeys: Pick<FailedKeys, "add">;
};

export type Arrival = {
  readonly remoteAddress: string;
  /** When the connection was accepted, on the clock's `now()`: before TLS. */
  readonly acceptedMs: number;
  /** Its key was good. */
  readonly onRecognised: () => void;
};

/** The peer's address. A socket for both families shows IPv4 peers in IPv6's mapped form. */
export function peerAddress(socket: Socket): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

/** One encoder's or player's connection: a socket and a server session, joined, and the relay's source or watcher behind it. */
export class RtmpConnection implements TimedReader {
  readonly #deps: IngestDeps;
  readonly #socket: Socket;
  readonly #session: ServerSession;
  readonly #remoteAddress: string;
  readonly #onRecognised: () => void;
  #source: Source | undefined;
  #playback: RtmpPlayback | undefined;
  /** Where its media goes, while it publishes. */
  #channelId: ChannelId | undefined;
  /** What a refusal is told to mean: the encoder hears the same of either. */
  #refusal: "unknown-key" | "encoders-fight" | "auth-failed" = "unknown-key";
  /** Whose login was refused, where that is known. */
  #refusedBy: ChannelId | undefined;
  #login: ProvenLogin | undefined;
  #isClosed = false;
  /** It was asked to connect elsewhere: however it leaves, it does so because the process stops. */
  #isDraining = false;
  #isTimed = false;
  #lowLatencyChannel: ChannelId | undefined;
  #bytesSinceStep = 0;

  constructor(socket: Socket, arrival: Arrival, deps: IngestDeps) {
    this.#deps = deps;
    this.#socket = socket;
    this.#remoteAddress = arrival.remoteAddress;
    this.#onRecognised = arrival.onRecognised;
    this.#session = new ServerSession(deps.randomBytes(HANDSHAKE_RANDOM_BYTES), arrival.acceptedMs);
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", () => this.#leave("connection-lost"));
    socket.on("end", () => {
      this.#leave("connection-lost");
      // What it does not read of our last words would keep our side open for as long as it likes.
      this.#lingerThenDestroy();
    });
    socket.on("close", () => this.#leave("connection-lost"));
  }

  /** Call about once a second. */
  tick(): void {
    this.#run(() => this.#session.tick(this.#deps.clock.now()));
    this.#setPace();
  }

  resume(): void {
    this.#socket.resume();
  }

  pause(): void {
    if (this.#bytesSinceStep < TIMED_READ_MAX_BYTES) this.#socket.pause();
    this.#bytesSinceStep = 0;
  }

  #receive(bytes: Buffer): void {
    this.#bytesSinceStep += bytes.length;
    this.#run(() => this.#session.receive(bytes, this.#deps.clock.now()));
    if (this.#lowLatencyChannel !== undefined) this.#deps.engine.flush(this.#lowLatencyChannel);
  }

  /** An encoder on air is read by the clock, unless its channel is to be quick; everybody else as they come. */
  #setPace(): void {
    const channelId = this.#channelId;
    const isLow = channelId !== undefined && this.#deps.engine.latency(channelId) === "low";
    this.#lowLatencyChannel = isLow ? channelId : undefined;
    const isTimed = channelId !== undefined && !isLow && !this.#isClosed;
    if (isTimed === this.#isTimed) return;
    this.#isTimed = isTimed;
    if (isTimed) this.#deps.readClock.add(this);
    else this.#deps.readClock.delete(this);
  }

  /**
   * The process stops. An encoder that can is asked to connect again, and true is answered: it goes on here until it leaves.
   * Everybody else is closed.
   */
  drain(): boolean {
    this.#run(() => {
      const outputs = this.#session.requestReconnect();
      this.#isDraining = outputs.length > 0;
      return outputs;
    });
    if (this.#isDraining) return !this.#isClosed;
    this.#source?.end("shutdown");
    this.close();
    return false;
  }

  /** Closes without a word: the process stops, or the encoder was replaced. */
  close(): void {
    this.#isClosed = true;
    this.#letGoOfSource();
    this.#letGoOfPlayback();
    this.#socket.destroySoon();
    this.#lingerThenDestroy();
  }

  #run(step: () => readonly ServerOutput[]): void {
    if (this.#isClosed) return;
    try {
      for (const output of step()) this.#take(output);
    } catch (error) {
      this.#failByFault(error);
    }
  }

  /** A mistake of ours must end this connection only. */
  #failByFault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#deps.tell({ kind: "internal-fault", time: this.#deps.clock.wallNow(), where: "ingest", detail });
    this.#leave("protocol-error");
    this.#socket.destroy();
  }

  #take(output: ServerOutput): void {
    switch (output.kind) {
      case "send":
        return this.#send(output.bytes);
      case "media":
        this.#source?.push(output.message);
        return;
      case "login-requested":
        this.#decideLogin(output.requestId, output.login).catch((error) => this.#failByFault(error));
        return;
      case "publish-requested":
        this.#decide(output.request).catch((error) => this.#failByFault(error));
        return;
      case "play-requested":
        this.#decidePlay(output.request).catch((error) => this.#failByFault(error));
        return;
      case "play-paused":
        return this.#playback?.pause(output.isPaused);
      case "play-ended":
        return this.#letGoOfPlayback();
      case "unpublished":
        // To leave for the next server in good order is not to end the broadcast.
        this.#source?.end(this.#isDraining ? "shutdown" : "clean");
        this.#letGoOfSource();
        if (this.#isDraining) this.close();
        return;
      case "closed":
        return this.#closeBy(output.reason, output.detail);
    }
  }

  #send(bytes: Buffer): void {
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.#unreadMaxBytes()) {
      this.#leave("connection-lost");
      this.#socket.destroy();
    }
  }

  #unreadMaxBytes(): number {
    if (this.#playback !== undefined) return UNREAD_PLAYED_MAX_BYTES;
    return this.#source === undefined ? UNREAD_REPLIES_BEFORE_PUBLISH_MAX_BYTES : UNREAD_REPLIES_MAX_BYTES;
  }

  async #decideLogin(requestId: number, request: LoginRequest): Promise<void> {
    const { decision, login, channelId } = await this.#deps.logins.decide(request, this.#remoteAddress);
    if (this.#isClosed) return;
    this.#login = login;
    if (decision.kind === "refuse") {
      this.#refuseLogin(channelId);
      await this.#holdBack();
    }
    this.#run(() => this.#session.answerLogin(requestId, decision, this.#deps.clock.now()));
  }

  #refuseLogin(channelId: ChannelId | undefined): void {
    this.#refusal = "auth-failed";
    this.#refusedBy = channelId;
  }

  async #decide(request: PublishRequest): Promise<void> {
    const verdict = await this.#deps.admit(publishKey(request.app, request.name), this.#login);
    if (this.#isClosed) return;
    if (typeof verdict === "string" || "loginOf" in verdict) {
      const decision = verdict === "unavailable" ? "unavailable" : "refuse";
      if (decision === "refuse") await this.#holdBack();
      if (typeof verdict !== "string") this.#refuseLogin(verdict.loginOf);
      return this.#run(() => this.#session.answer(request.requestId, decision, this.#deps.clock.now()));
    }
    const { engine, clock } = this.#deps;
    engine.introduce(verdict.spec);
    if (!engine.admits(verdict.spec.channelId, verdict.slot)) {
      this.#refusal = "encoders-fight";
      return this.#run(() => this.#session.answer(request.requestId, "refuse", clock.now()));
    }
    this.#run(() => {
      const outputs = this.#session.answer(request.requestId, "accept", clock.now());
      // The encoder may have given up while we asked: then there is nothing to open.
      if (outputs.length > 0) {
        this.#source = engine.open(verdict.spec.channelId, {
          slot: verdict.slot,
          remoteAddress: this.#remoteAddress,
          encoder: request.encoder,
          onDismissed: () => this.close(),
        });
        this.#channelId = verdict.spec.channelId;
        this.#setPace();
        this.#onRecognised();
      }
      return outputs;
    });
  }

  async #decidePlay({ requestId, streamId, app, name }: PlayRequest): Promise<void> {
    const { seatPlayer, engine, clock } = this.#deps;
    const preview = previewOf(app, name);
    const seat = preview === undefined ? "refuse" : await seatPlayer(preview.channelId, preview.token);
    if (typeof seat === "string") {
      if (seat === "refuse" && !this.#isClosed) await this.#holdBack();
      this.#answerPlay(requestId, seat === "refuse" ? "not-found" : "failed");
      return;
    }
    if (this.#isClosed) return seat.leave();
    const onOver = () => {
      if (this.#playback === playback) this.#run(() => this.#session.endPlay());
    };
    const playback = new RtmpPlayback({ socket: this.#socket, clock, seat, streamId, onOver });
    this.#playback = playback;
    if (!playback.start(engine)) {
      this.#letGoOfPlayback();
      this.#answerPlay(requestId, "not-found");
      return;
    }
    this.#onRecognised();
    // The player may have given up while we asked.
    if (!this.#answerPlay(requestId, "accept")) this.#letGoOfPlayback();
  }

  /** Whether there was somebody to answer. */
  #answerPlay(requestId: number, decision: "accept" | PlayRefusal): boolean {
    let hasAnswered = false;
    this.#run(() => {
      const outputs = this.#session.answerPlay(requestId, decision, this.#deps.clock.now());
      hasAnswered = outputs.length > 0;
      return outputs;
    });
    return hasAnswered;
  }

  /** Whoever tries one key after the other waits for each refusal. */
  async #holdBack(): Promise<void> {
    const { clock, failedKeys } = this.#deps;
    const delayMs = failedKeys.add(this.#remoteAddress, clock.now());
    if (delayMs > 0) await new Promise<void>((resolve) => clock.startTimer(delayMs, resolve));
  }

  #closeBy(reason: ServerCloseReason, detail: string): void {
    const isKnown = this.#source !== undefined || this.#playback !== undefined;
    if (!isKnown && reason !== "login-asked" && reason !== "play-over") this.#tellRefused(reason, detail);
    this.#leave(reason === "timed-out" ? "timed-out" : "protocol-error");
    this.#socket.end();
    this.#lingerThenDestroy();
  }

  #tellRefused(reason: Exclude<ServerCloseReason, "login-asked" | "play-over">, detail: string): void {
    this.#deps.refusals.add({
      time: this.#deps.clock.wallNow(),
      remoteAddress: this.#remoteAddress,
      reason: reason === "refused" ? this.#refusal : reason,
      ...(this.#refusedBy === undefined ? {} : { channelId: this.#refusedBy }),
      ...(reason === "refused" ? {} : { detail }),
    });
  }

  #lingerThenDestroy(): void {
    const timer = this.#deps.clock.startTimer(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once("close", () => timer.cancel());
  }

  #leave(end: IngestEnd): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#source?.end(this.#isDraining ? "shutdown" : end);
    this.#letGoOfSource();
    this.#letGoOfPlayback();
  }

  #letGoOfPlayback(): void {
    const playback = this.#playback;
    this.#playback = undefined;
    playback?.end();
  }

  #letGoOfSource(): void {
    this.#source = undefined;
    this.#channelId = undefined;
    this.#setPace();
  }
}
