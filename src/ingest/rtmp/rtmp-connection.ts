import type { Socket } from "node:net";
import type { Timer } from "../../base/clock.ts";
import { DirectSocket } from "../../net/kernel/direct-socket.ts";
import { READ_TURN_MS } from "../../protocol/rtmp/chunk/paced-reader.ts";
import { type PlayRefusal, previewOf } from "../../protocol/rtmp/server/play.ts";
import type { LoginRequest } from "../../protocol/rtmp/server/server-login.ts";
import type {
  PlayRequest,
  PublishRequest,
  ServerCloseReason,
  ServerOutput,
} from "../../protocol/rtmp/server/server-outputs.ts";
import { ServerSession } from "../../protocol/rtmp/server/server-session.ts";
import type { PublishGateway } from "../../relay/publish-gateway.ts";
import type { PublisherHandle } from "../../relay/publisher/publisher.ts";
import type { ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { TimedReader } from "../batched-reader.ts";
import { type Admission, type Arrival, DECISIONS, type IngestDeps } from "./ingest-deps.ts";
import { LastWords, UNREAD_MAX_BYTES } from "./last-words.ts";
import { RtmpPlayback } from "./rtmp-playback.ts";
import { type ShownKey, shownKey } from "./shown-key.ts";

const HANDSHAKE_RANDOM_BYTES = 1_528;
/**
 * So much in a step, and an encoder may be waiting for room: three quarters of the receive window it begins with. It is read again
 * soon, until what that brings shows that it is not.
 */
const STEP_BYTES_MUCH = 48 * 1024;
const FOLLOW_UP_BYTES_MUCH = 16 * 1024;

type Invitation = Extract<Admission, { readonly gateway: PublishGateway }>;

const NOTHING = Buffer.alloc(0);

/** One encoder's or player's connection: a socket and a server session, and the relay's publisher or preview behind them. */
export class RtmpConnection implements TimedReader {
  readonly #deps: IngestDeps;
  readonly #socket: Socket;
  readonly #session: ServerSession;
  readonly #lastWords: LastWords;
  readonly #remoteAddress: string;
  readonly #onRecognised: () => void;
  #publisher: PublisherHandle | undefined;
  #playback: RtmpPlayback | undefined;
  /** Where its media goes, while it publishes. */
  #gateway: PublishGateway | undefined;
  /** What a refusal is told to mean: the encoder hears the same of either. */
  #refusal: "unknown-key" | "encoders-fight" | "auth-failed" | "overloaded" = "unknown-key";
  /** Whose login was refused, where that is known. */
  #refusedBy: ChannelId | undefined;
  #isRefusalTold = false;
  #login: ProvenLogin | undefined;
  #isClosed = false;
  /** It was asked to connect elsewhere: however it leaves, it does so because the process stops. */
  #isDraining = false;
  #isTimed = false;
  #isQuick = false;
  #takesArrivals = false;
  /** While it is read by the clock. */
  #direct: DirectSocket | undefined;
  #bytesReceived = 0;
  #bytesAtStep = 0;
  /** More came than is read in a turn: nothing is read from the socket until the rest of it was. */
  #nextTurn: Timer | undefined;

  constructor(socket: Socket, arrival: Arrival, deps: IngestDeps) {
    this.#deps = deps;
    this.#socket = socket;
    this.#lastWords = new LastWords(socket, deps.clock);
    this.#remoteAddress = arrival.remoteAddress;
    this.#onRecognised = arrival.onRecognised;
    this.#session = new ServerSession(deps.randomBytes(HANDSHAKE_RANDOM_BYTES), arrival.acceptedMs, deps.slab);
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", () => this.#leave("connection-lost"));
    socket.on("end", () => {
      // A paused socket that has nothing left tells its end all the same.
      this.#run(() => this.#session.receive(NOTHING, deps.clock.awakeNow(), true));
      this.#leave("connection-lost");
      // What it does not read of our last words would keep our side open for as long as it likes.
      this.#lastWords.linger();
    });
    socket.on("close", () => this.#leave("connection-lost"));
  }

  /** Call about once a second. */
  tick(): void {
    this.#run(() => this.#session.tick(this.#deps.clock.awakeNow()));
    this.#setPace();
  }

  hold(): void {
    this.#direct = DirectSocket.of(this.#socket);
    if (this.#direct === undefined) this.#socket.pause();
    else this.#direct.holdReads();
  }

  /** Without a direct way the socket reads by itself until `settle`. */
  read(isStep: boolean): boolean {
    const [direct, gateway, before] = [this.#direct, this.#gateway, this.#bytesReceived];
    if (gateway?.isFull === true || this.#session.isBehind) return false;
    if (direct === undefined) {
      this.#socket.resume();
      return false;
    }
    // Its end, or its error, is Node's to tell, once what it said before was read.
    const isOver = !direct.read((bytes) => this.#receive(bytes));
    if (isOver && !this.#session.isBehind) this.#deps.readClock.delete(this);
    const brought = this.#bytesReceived - before;
    // At a step what many have brought goes out together.
    if (!isStep && brought >= STEP_BYTES_MUCH) gateway?.flush();
    return brought >= (isStep ? STEP_BYTES_MUCH : FOLLOW_UP_BYTES_MUCH);
  }

  settle(): void {
    if (this.#direct === undefined && this.#bytesReceived - this.#bytesAtStep < STEP_BYTES_MUCH) this.#socket.pause();
    this.#bytesAtStep = this.#bytesReceived;
  }

  release(): void {
    if (this.#direct === undefined) this.#socket.resume();
    else this.#direct.releaseReads();
    this.#direct = undefined;
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return this.#lastWords.ignore(bytes);
    this.#bytesReceived += bytes.length;
    this.#run(() => this.#session.receive(bytes, this.#deps.clock.awakeNow()));
    if (this.#isQuick) this.#gateway?.flush();
    if (this.#session.isBehind) this.#waitForTurn();
    else if (this.#gateway?.isFull === true && this.#direct === undefined) this.#socket.pause();
  }

  /** Nothing is read from the socket until then. Where an answer is waited for, `#goOn` is called with it. */
  #waitForTurn(): void {
    if (this.#direct === undefined) this.#socket.pause();
    if (this.#session.isAsking) return;
    this.#nextTurn ??= this.#deps.clock.startTimer(READ_TURN_MS, () => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#nextTurn = undefined;
    if (this.#isClosed) return;
    if (this.#gateway?.isFull !== true) this.#run(() => this.#session.receive(NOTHING, this.#deps.clock.awakeNow()));
    this.#gateway?.flush();
    this.#goOn();
  }

  /** Also behind our last words: what is read then is ignored, but unread it would have them lost. */
  #goOn(): void {
    if (this.#session.isBehind) this.#waitForTurn();
    else if (!this.#isTimed && (this.#isClosed || this.#gateway?.isFull !== true)) this.#socket.resume();
  }

  /** Whether there was somebody to answer. */
  #answer(step: () => readonly ServerOutput[]): boolean {
    let hasAnswered = false;
    this.#run(() => {
      const outputs = step();
      hasAnswered = outputs.length > 0;
      return outputs;
    });
    this.#goOn();
    return hasAnswered;
  }

  /** What a stranger sent and then left behind is not kept while its refusal is held back. */
  #shut(): void {
    this.#isClosed = true;
    this.#session.forget();
  }

  /** An encoder on air is read by the clock, unless its channel is to be quick; everybody else as they come. */
  #setPace(): void {
    const gateway = this.#gateway;
    this.#isQuick = gateway?.latency === "low";
    const isTimed = gateway !== undefined && !this.#isQuick && !this.#isClosed;
    if (isTimed !== this.#isTimed) {
      this.#isTimed = isTimed;
      if (isTimed) this.#deps.readClock.add(this);
      else this.#deps.readClock.delete(this);
    }
    if (!this.#isQuick || this.#takesArrivals) return;
    this.#takesArrivals = DirectSocket.of(this.#socket)?.takeArrivals((bytes) => this.#receive(bytes)) ?? false;
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
    this.#publisher?.end("shutdown");
    this.close();
    return false;
  }

  close(): void {
    this.#shut();
    this.#letGoOfSource();
    this.#letGoOfPlayback();
    this.#socket.destroySoon();
    this.#lastWords.linger();
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
      case "audio":
      case "video":
      case "data":
        return this.#publisher?.push(output);
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
        this.#publisher?.end(this.#isDraining ? "shutdown" : "clean");
        this.#letGoOfSource();
        if (this.#isDraining) this.close();
        return;
      case "closed":
        return this.#closeBy(output.reason, output.detail);
    }
  }

  #send(bytes: Buffer): void {
    this.#socket.write(bytes);
    const who = this.#playback === undefined ? (this.#publisher === undefined ? "stranger" : "encoder") : "player";
    if (this.#socket.writableLength > UNREAD_MAX_BYTES[who]) {
      this.#leave("connection-lost");
      this.#socket.destroy();
    }
  }

  async #decideLogin(requestId: number, request: LoginRequest): Promise<void> {
    const { decision, login, isTold } = await this.#deps.logins.decide(request, this.#remoteAddress);
    this.#login = login;
    this.#isRefusalTold = isTold === true;
    this.#answer(() => this.#session.answerLogin(requestId, decision, this.#deps.clock.awakeNow()));
  }

  async #decide(request: PublishRequest): Promise<void> {
    const shown = shownKey(request.app, request.name);
    const verdict = await this.#deps.admit(shown.key, this.#login);
    if (typeof verdict !== "string" && "gateway" in verdict) return this.#enter(request, verdict, shown.removed);
    const decision = verdict === "unavailable" ? "unavailable" : "refuse";
    if (typeof verdict !== "string") {
      this.#refusal = "auth-failed";
      this.#refusedBy = verdict.loginOf;
    }
    if (decision === "refuse") await this.#holdBack("refused");
    this.#answer(() => this.#session.answer(request.requestId, decision, this.#deps.clock.awakeNow()));
  }

  async #enter(request: PublishRequest, { gateway, slot }: Invitation, keyRemoved: ShownKey["removed"]) {
    const { requestId, encoder } = request;
    const { clock } = this.#deps;
    const welcome = this.#isClosed ? "unavailable" : await gateway.tryAdmit();
    if (welcome === "fight") this.#refusal = "encoders-fight";
    if (welcome === "overloaded") [this.#refusal, this.#refusedBy] = ["overloaded", gateway.channelId];
    this.#answer(() => {
      const outputs = this.#session.answer(requestId, DECISIONS[welcome], clock.awakeNow());
      // The encoder may have given up while we asked: then there is nothing to open.
      if (welcome === "welcome" && outputs.length > 0) {
        this.#publisher = gateway.open({
          slot,
          remoteAddress: this.#remoteAddress,
          encoder,
          keyRemoved,
          onDismissed: () => this.close(),
          // Who is read by the clock is read at its next step.
          onRoom: () => {
            if (!this.#isTimed && !this.#session.isBehind) this.#socket.resume();
          },
        });
        this.#gateway = gateway;
        this.#setPace();
        this.#onRecognised();
      }
      return outputs;
    });
    if (this.#gateway !== gateway) gateway.leave();
  }

  async #decidePlay({ requestId, streamId, app, name }: PlayRequest): Promise<void> {
    const { seatPlayer } = this.#deps;
    const preview = previewOf(app, name);
    const seat = preview === undefined ? "refuse" : await seatPlayer(preview.channelId, preview.token);
    if (typeof seat === "string") {
      if (seat === "refuse") await this.#holdBack("play-refused");
      this.#answerPlay(requestId, seat === "refuse" ? "not-found" : "failed");
      return;
    }
    if (this.#isClosed) return seat.leave();
    const onOver = () => {
      if (this.#playback === playback) this.#run(() => this.#session.endPlay());
    };
    const playback = new RtmpPlayback({ socket: this.#socket, seat, streamId, onOver });
    this.#playback = playback;
    if (!(await playback.start())) {
      this.#letGoOfPlayback();
      this.#answerPlay(requestId, "not-found");
      return;
    }
    this.#onRecognised();
    // The player may have given up while we asked.
    if (!this.#answerPlay(requestId, "accept")) this.#letGoOfPlayback();
  }

  #answerPlay(requestId: number, decision: "accept" | PlayRefusal): boolean {
    return this.#answer(() => this.#session.answerPlay(requestId, decision, this.#deps.clock.awakeNow()));
  }

  /**
   * Whoever tries one key after the other waits for each refusal. It is counted and told at the verdict: who hangs up before the
   * answer has tried all the same.
   */
  async #holdBack(reason: "refused" | "play-refused"): Promise<void> {
    const { clock, failedKeys } = this.#deps;
    this.#tellRefused(reason);
    const delayMs = failedKeys.add(this.#remoteAddress, clock.now());
    if (delayMs > 0) await new Promise<void>((resolve) => clock.startTimer(delayMs, resolve));
  }

  #closeBy(reason: ServerCloseReason, detail: string): void {
    const isKnown = this.#publisher !== undefined || this.#playback !== undefined;
    if (!isKnown && reason !== "login-asked" && reason !== "play-over") this.#tellRefused(reason, detail);
    this.#leave(reason === "timed-out" || reason === "too-many-messages" ? reason : "protocol-error");
    this.#socket.end();
    this.#lastWords.linger();
  }

  #tellRefused(reason: Exclude<ServerCloseReason, "login-asked" | "play-over">, detail?: string): void {
    if (this.#isRefusalTold) return;
    this.#isRefusalTold = true;
    this.#deps.refusals.add({
      time: this.#deps.clock.wallNow(),
      remoteAddress: this.#remoteAddress,
      reason: reason === "refused" ? this.#refusal : reason === "too-many-messages" ? "protocol-error" : reason,
      ...(this.#refusedBy === undefined ? {} : { channelId: this.#refusedBy }),
      ...(reason === "refused" || detail === undefined ? {} : { detail }),
    });
  }

  #leave(end: IngestEnd): void {
    if (this.#isClosed) return;
    this.#shut();
    this.#publisher?.end(this.#isDraining ? "shutdown" : end);
    this.#letGoOfSource();
    this.#letGoOfPlayback();
  }

  #letGoOfPlayback(): void {
    const playback = this.#playback;
    this.#playback = undefined;
    playback?.end();
  }

  #letGoOfSource(): void {
    this.#publisher = undefined;
    this.#gateway = undefined;
    this.#setPace();
  }
}
