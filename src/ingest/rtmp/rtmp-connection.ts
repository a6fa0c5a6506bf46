import type { Socket } from "node:net";
import type { LoginRequest } from "../../protocol/rtmp/server/server-login.ts";
import type {
  PlayRequest,
  PublishRequest,
  ServerCloseReason,
  ServerOutput,
} from "../../protocol/rtmp/server/server-outputs.ts";
import { ServerSession } from "../../protocol/rtmp/server/server-session.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import { ConnectionRefusal } from "../publish/connection-refusal.ts";
import { type PublishConnection, PublishSession } from "../publish/publish-session.ts";
import type { Arrival, IngestDeps } from "./ingest-deps.ts";
import { LastWords, UNREAD_MAX_BYTES } from "./last-words.ts";
import { PacedSocket, type SocketConsumer } from "./paced-socket.ts";
import { RtmpPlayer } from "./rtmp-player.ts";
import { shownKey } from "./shown-key.ts";

const HANDSHAKE_RANDOM_BYTES = 1_528;
const NOTHING = Buffer.alloc(0);

/**
 * One encoder's or player's connection: carries out what its server session returns, and passes its requests to others.
 */
export class RtmpConnection implements SocketConsumer, PublishConnection {
  readonly remoteAddress: string;
  readonly #deps: IngestDeps;
  readonly #socket: Socket;
  readonly #paced: PacedSocket;
  readonly #session: ServerSession;
  readonly #refusal: ConnectionRefusal;
  readonly #publish: PublishSession;
  readonly #player: RtmpPlayer;
  readonly #lastWords: LastWords;
  readonly #onRecognised: () => void;
  #isQuick = false;
  #isClosed = false;

  constructor(socket: Socket, arrival: Arrival, deps: IngestDeps) {
    this.#deps = deps;
    this.#socket = socket;
    this.remoteAddress = arrival.remoteAddress;
    this.#onRecognised = arrival.onRecognised;
    this.#lastWords = new LastWords(socket, deps.clock);
    this.#session = new ServerSession(deps.randomBytes(HANDSHAKE_RANDOM_BYTES), arrival.acceptedMs, deps.slab);
    this.#refusal = new ConnectionRefusal(deps, arrival.remoteAddress);
    this.#publish = new PublishSession(deps.admit, this.#refusal, this);
    this.#player = new RtmpPlayer({
      socket,
      permitPlayer: deps.permitPlayer,
      refusal: this.#refusal,
      onOver: () => this.#run(() => this.#session.endPlay()),
    });
    this.#paced = new PacedSocket(socket, this, deps);
    socket.on("error", () => this.#leave("connection-lost"));
    socket.on("end", () => {
      // The end also arrives on a paused socket, before the session has read all that came.
      this.#run(() => this.#session.receive(NOTHING, deps.clock.awakeNow(), true));
      this.#leave("connection-lost");
      // A peer that does not read our last reply would keep our side open for any time.
      this.#lastWords.linger();
    });
    socket.on("close", () => this.#leave("connection-lost"));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isBehind(): boolean {
    return this.#session.isBehind;
  }

  get isAsking(): boolean {
    return this.#session.isAsking;
  }

  get isFull(): boolean {
    return this.#publish.gateway?.isFull === true;
  }

  /** Call about once a second. */
  tick(): void {
    this.#run(() => this.#session.tick(this.#deps.clock.awakeNow()));
    this.#setPace();
  }

  receive(bytes: Buffer): void {
    if (this.#isClosed) return this.#lastWords.ignore(bytes);
    this.#run(() => this.#session.receive(bytes, this.#deps.clock.awakeNow()));
    if (this.#isQuick) this.flush();
  }

  readOn(): void {
    this.#run(() => this.#session.receive(NOTHING, this.#deps.clock.awakeNow()));
  }

  flush(): void {
    this.#publish.gateway?.flush();
  }

  resumeReading(): void {
    this.#paced.resume();
  }

  dismiss(): void {
    this.close();
  }

  /**
   * The process stops. Returns true where the encoder was asked to connect again: it goes on here until it leaves.
   * Any other connection is closed.
   */
  drain(): boolean {
    let canMove = false;
    this.#run(() => {
      const outputs = this.#session.requestReconnect();
      canMove = outputs.length > 0;
      return outputs;
    });
    if (this.#publish.drain(canMove)) return !this.#isClosed;
    this.close();
    return false;
  }

  /** Closes without a message, and without an end to report. */
  close(): void {
    this.#shut();
    this.#publish.close();
    this.#player.close();
    this.#setPace();
    this.#socket.destroySoon();
    this.#lastWords.linger();
  }

  /** What the peer had sent ahead of its refusal is not kept. */
  #shut(): void {
    this.#isClosed = true;
    this.#session.forget();
  }

  /**
   * An encoder on air is read by the clock, unless its channel has low latency. Other peers are read as bytes arrive.
   */
  #setPace(): void {
    const { gateway } = this.#publish;
    this.#isQuick = gateway?.latency === "low";
    if (this.#isQuick) this.#paced.setMode("at-once");
    else this.#paced.setMode(gateway === undefined || this.#isClosed ? "as-bytes-come" : "timed");
  }

  #run(step: () => readonly ServerOutput[]): void {
    if (this.#isClosed) return;
    try {
      for (const output of step()) this.#take(output);
    } catch (error) {
      this.#failByFault(error);
    }
  }

  /** Gives the session a reply. Returns false where the peer no longer waits for it. */
  #answer(step: () => readonly ServerOutput[]): boolean {
    let hasAnswered = false;
    this.#run(() => {
      const outputs = step();
      hasAnswered = outputs.length > 0;
      return outputs;
    });
    this.#paced.goOn();
    return hasAnswered;
  }

  /** A mistake of this program ends this connection only. */
  #failByFault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#deps.onFact({ kind: "internal-fault", time: this.#deps.clock.wallNow(), where: "ingest", detail });
    this.#leave("protocol-error");
    this.#socket.destroy();
  }

  #take(output: ServerOutput): void {
    switch (output.kind) {
      case "send":
        return this.#send(output.bytes);
      case "audio":
      case "video":
      case "data":
        return this.#publish.push(output);
      case "login-requested":
        this.#decideLogin(output.requestId, output.login).catch((error) => this.#failByFault(error));
        return;
      case "publish-requested":
        this.#decidePublish(output.request).catch((error) => this.#failByFault(error));
        return;
      case "play-requested":
        this.#decidePlay(output.request).catch((error) => this.#failByFault(error));
        return;
      case "play-paused":
        return this.#player.pause(output.isPaused);
      case "play-ended":
        return this.#player.end();
      case "unpublished":
        // An encoder that leaves for the next server does not end the broadcast: a draining session says `shutdown`.
        this.#publish.end("clean");
        this.#setPace();
        if (this.#publish.isDraining) this.close();
        return;
      case "closed":
        return this.#closeBy(output.reason, output.detail);
    }
  }

  #send(bytes: Buffer): void {
    this.#socket.write(bytes);
    const who = this.#player.isPlaying ? "player" : this.#publish.isPublishing ? "encoder" : "unauthenticated";
    if (this.#socket.writableLength > UNREAD_MAX_BYTES[who]) {
      this.#leave("connection-lost");
      this.#socket.destroy();
    }
  }

  async #decideLogin(requestId: number, request: LoginRequest): Promise<void> {
    const { decision, login, isReported } = await this.#deps.logins.decide(request, this.remoteAddress);
    this.#publish.loggedIn(login);
    if (isReported === true) this.#refusal.markReported();
    this.#answer(() => this.#session.answerLogin(requestId, decision, this.#deps.clock.awakeNow()));
  }

  async #decidePublish({ requestId, app, name, encoder }: PublishRequest): Promise<void> {
    const { key, removed } = shownKey(app, name);
    const decision = await this.#publish.request({ key, keyRemoved: removed, encoder });
    const hasAnswered = this.#answer(() => {
      const outputs = this.#session.answer(requestId, decision, this.#deps.clock.awakeNow());
      return decision === "accept" && outputs.length > 0 ? this.#open(outputs) : outputs;
    });
    // The encoder may have given up while we asked.
    if (decision === "accept" && !hasAnswered) this.#publish.end("connection-lost");
  }

  /** The publisher exists before the reply is sent, because media may follow the request already. */
  #open(outputs: readonly ServerOutput[]): readonly ServerOutput[] {
    if (!this.#publish.open()) {
      this.close();
      return [];
    }
    this.#setPace();
    this.#onRecognised();
    return outputs;
  }

  async #decidePlay(request: PlayRequest): Promise<void> {
    const decision = await this.#player.request(request);
    if (decision === "accept") this.#onRecognised();
    const { requestId } = request;
    const hasAnswered = this.#answer(() => this.#session.answerPlay(requestId, decision, this.#deps.clock.awakeNow()));
    // The player may have given up while we asked.
    if (!hasAnswered) this.#player.end();
  }

  #closeBy(reason: ServerCloseReason, detail: string): void {
    if (!this.#publish.isPublishing && !this.#player.isPlaying) this.#reportRefused(reason, detail);
    this.#leave(reason === "timed-out" || reason === "too-many-messages" ? reason : "protocol-error");
    this.#socket.end();
    this.#lastWords.linger();
  }

  #reportRefused(reason: ServerCloseReason, detail: string): void {
    if (reason === "login-asked" || reason === "play-over") return;
    if (reason === "refused") this.#publish.reportRefused();
    else this.#refusal.report(reason === "too-many-messages" ? "protocol-error" : reason, { detail });
  }

  /** Ends what the peer published or played, and reports how. Idempotent. */
  #leave(end: IngestEnd): void {
    if (this.#isClosed) return;
    this.#shut();
    this.#publish.end(end);
    this.#publish.close();
    this.#player.close();
    this.#setPace();
  }
}
