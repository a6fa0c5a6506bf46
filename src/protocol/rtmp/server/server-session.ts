import { AMF0_LIMITS, AMF0_LIMITS_BEFORE_PUBLISH } from "../../amf0/decode.ts";
import { numberProperty } from "../../amf0/value.ts";
import { ProtocolError } from "../../protocol-error.ts";
import { AckMeter } from "../ack-meter.ts";
import { splitAggregate } from "../chunk/aggregate.ts";
import { CHUNK_SIZE_INITIAL } from "../chunk/chunk-header.ts";
import { encodeMessage } from "../chunk/chunk-writer.ts";
import { PACE_OF_ENCODER, PACE_UNAUTHENTICATED, PacedReader } from "../chunk/paced-reader.ts";
import type { PayloadSlab } from "../chunk/payload-slab.ts";
import { CapsEx } from "../client/enhanced-connect.ts";
import { amf0Part, type Command, decodeCommand, tryDecodeCommand } from "../command.ts";
import { CommandBudget } from "../command-budget.ts";
import { decodeControl, encodeControl } from "../control.ts";
import { ServerHandshake } from "../handshake/handshake.ts";
import { type Message, MessageType } from "../message.ts";
import { type Introduction, NOBODY, readIntroduction } from "./introduction.ts";
import { isForAnother, MessageStreams } from "./message-streams.ts";
import { type PlayRefusal, playReplies, SERVER_CHUNK_SIZE } from "./play.ts";
import type { LoginDecision } from "./server-login.ts";
import type { PublishDecision, ServerCloseReason, ServerOutput } from "./server-outputs.ts";
import * as reply from "./server-replies.ts";
import { isOfPublication, type ServerState, ServerTimes } from "./server-state.ts";

const NAME_LENGTH_MAX = 2_048;
/** To look through 2¹² bytes of data takes as long as to read another message. */
const DATA_BYTES_BITS = 12;

/**
 * The server's side of one RTMP connection, an encoder's or a player's, without IO: bytes in, outputs out, time as an argument. Accepts commands in
 * whatever order encoders send them (OBS, FFmpeg, GStreamer, Haivision's createStream before FCPublish, Flash without
 * FCPublish). The key is put to the owner as `publish-requested` and nothing is said to the encoder before `answer`:
 * OBS reconnects for ever if a refusal comes after `NetStream.Publish.Start`.
 */
export class ServerSession {
  #state: ServerState;
  #outputs: ServerOutput[] = [];
  readonly #reader = new PacedReader(PACE_UNAUTHENTICATED);
  readonly #slab: PayloadSlab | undefined;
  readonly #acks = new AckMeter();
  #chunkSize = CHUNK_SIZE_INITIAL;
  readonly #times: ServerTimes;
  #introduction: Introduction = NOBODY;
  readonly #streams = new MessageStreams();
  #requestId = 0;
  readonly #budget = new CommandBudget();

  /**
   * `random`: 1528 bytes for the handshake. `nowMs`: the same monotonic clock as later calls. `slab`: what an encoder sends is lent
   * from it, good until the next bytes are received; without it media may be kept.
   */
  constructor(random: Buffer, nowMs: number, slab?: PayloadSlab) {
    this.#state = { at: "handshake", handshake: new ServerHandshake(random) };
    this.#slab = slab;
    this.#times = new ServerTimes(nowMs);
  }

  /**
   * More came than is read in a turn: read nothing from the socket; after `READ_TURN_MS`, or the answer that `isAsking` waits for, go on with
   * `receive` of nothing.
   */
  get isBehind(): boolean {
    return this.#state.at !== "closed" && this.#reader.isBehind;
  }

  /**
   * A question to the owner is open, and nothing behind it is read: what an encoder that does not wait for the answer sends along is there
   * then, a stranger has one question at a time, and what is kept is no more than one read.
   */
  get isAsking(): boolean {
    return this.#state.at === "deciding" || this.#state.at === "logging-in";
  }

  /** Takes bytes from the socket; `isLast`: nothing comes behind them. After `closed` everything is ignored. */
  receive(bytes: Buffer, nowMs: number, isLast = false): readonly ServerOutput[] {
    if (this.#state.at === "closed" || (bytes.length === 0 && !this.isBehind)) return [];
    this.#times.bytesCame(nowMs);
    this.#read(bytes, isLast);
    return this.#takeOutputs();
  }

  /** Decides a `publish-requested`. A late answer, to a request that is gone, does nothing. */
  answer(requestId: number, decision: PublishDecision, nowMs: number): readonly ServerOutput[] {
    const state = this.#state;
    if (state.at !== "deciding" || state.what !== "publish" || state.requestId !== requestId) return [];
    this.#times.nowMs = nowMs;
    if (decision === "accept") {
      this.#enter({ at: "publishing", streamId: state.streamId, name: state.name, hasMedia: false });
      this.#reader.setPace(PACE_OF_ENCODER);
      if (this.#slab !== undefined) this.#reader.lendPayloads(this.#slab);
      this.#send(2, encodeControl({ kind: "stream-begin", streamId: state.streamId }));
      this.#send(5, reply.publishStarted(state.streamId));
    } else if (decision === "unavailable") {
      this.#close("not-answered", "nobody decided about the stream key");
    } else {
      this.#send(5, reply.publishRefused(state.streamId, decision));
      this.#close("refused", "publish refused");
    }
    return this.#goOn();
  }

  /** Decides a `play-requested`, like `answer` a `publish-requested`. What is played is the owner's to send, by `encodePlayed`. */
  answerPlay(requestId: number, decision: "accept" | PlayRefusal, nowMs: number): readonly ServerOutput[] {
    const state = this.#state;
    if (state.at !== "deciding" || state.what !== "play" || state.requestId !== requestId) return [];
    this.#times.nowMs = nowMs;
    const { streamId } = state;
    if (decision === "accept") {
      this.#enter({ at: "playing", streamId, name: state.name });
      this.#send(2, encodeControl({ kind: "stream-begin", streamId }));
      for (const message of playReplies.begin(streamId)) this.#send(5, message);
    } else {
      this.#send(5, playReplies.refused(streamId, decision));
      this.#close("play-refused", "preview not shown");
    }
    return this.#goOn();
  }

  /** What was played is over, or the player was too slow for it. */
  endPlay(): readonly ServerOutput[] {
    const state = this.#state;
    if (state.at !== "playing") return [];
    this.#send(2, encodeControl({ kind: "stream-eof", streamId: state.streamId }));
    this.#send(5, playReplies.over(state.streamId));
    this.#close("play-over", "the preview is over");
    return this.#takeOutputs();
  }

  /** Decides a `login-requested`, like `answer` a `publish-requested`. */
  answerLogin(requestId: number, decision: LoginDecision, nowMs: number): readonly ServerOutput[] {
    const state = this.#state;
    if (state.at !== "logging-in" || state.requestId !== requestId) return [];
    this.#times.nowMs = nowMs;
    if (decision.kind === "accept") this.#welcome(state.connect);
    else if (decision.kind === "unavailable") this.#close("not-answered", "nobody decided about the login");
    else {
      this.#send(3, reply.loginRefused(state.connect.transactionId, decision.description));
      this.#close(decision.kind === "ask" ? "login-asked" : "refused", "login not accepted");
    }
    return this.#goOn();
  }

  /** Call about once a second: holds the deadlines, pings a silent encoder. */
  tick(nowMs: number): readonly ServerOutput[] {
    if (this.#state.at === "closed") return [];
    this.#times.nowMs = nowMs;
    const late = this.#times.overdue(this.#state);
    if (late !== undefined) {
      this.#close("timed-out", late);
    } else if (this.#times.takePingDue(this.#state)) {
      this.#send(2, encodeControl({ kind: "ping-request", timestamp: Math.trunc(nowMs) % 2 ** 32 }));
    }
    return this.#takeOutputs();
  }

  /** Asks an encoder that publishes and can do so to connect again; it goes on here until it does. */
  requestReconnect(): readonly ServerOutput[] {
    if (this.#state.at !== "publishing" || (this.#introduction.peer.capsEx & CapsEx.Reconnect) === 0) return [];
    this.#send(3, reply.reconnectRequested("The server is going away."));
    return this.#takeOutputs();
  }

  forget(): void {
    this.#state = { at: "closed" };
    this.#reader.forget();
  }

  #read(bytes: Buffer, isLast: boolean): void {
    try {
      const chunks = this.#state.at === "handshake" ? this.#shakeHands(this.#state.handshake, bytes) : bytes;
      if (chunks.length > 0 || this.isBehind) this.#readChunks(chunks, isLast);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#close(error.fault === "too-many-messages" ? error.fault : "protocol-error", error.message);
    }
  }

  /** The question was answered: what came behind it is read. */
  #goOn(): readonly ServerOutput[] {
    this.#reader.release();
    if (this.isBehind) this.#read(Buffer.alloc(0), false);
    return this.#takeOutputs();
  }

  #shakeHands(handshake: ServerHandshake, bytes: Buffer): Buffer {
    const step = handshake.receive(bytes);
    if (step.send !== undefined) this.#outputs.push({ kind: "send", bytes: step.send });
    if (step.isDone) this.#enter({ at: "waiting-for-connect" });
    return step.rest;
  }

  #readChunks(bytes: Buffer, isLast: boolean): void {
    this.#reader.receive(bytes, this.#times.nowMs, isLast, (message) => this.#take(message));
    const ack = this.#acks.due(this.#reader.bytesReceived);
    if (ack !== undefined && this.#state.at !== "closed") this.#send(2, ack);
  }

  #take(message: Message): void {
    if (this.#state.at === "closed") return;
    switch (message.type) {
      case MessageType.Audio:
      case MessageType.Video:
        this.#takeMedia(message);
        break;
      case MessageType.Aggregate:
        for (const part of splitAggregate(message)) {
          this.#reader.count(1);
          if (part.type === MessageType.Audio || part.type === MessageType.Video) this.#takeMedia(part);
          else if (part.type === MessageType.DataAmf0) this.#takeData(part);
        }
        break;
      case MessageType.DataAmf0:
      case MessageType.DataAmf3:
        this.#takeData(message);
        break;
      case MessageType.CommandAmf0:
      case MessageType.CommandAmf3:
        this.#obey(message);
        break;
      default:
        this.#countCommand();
        this.#obeyControl(message);
    }
  }

  #takeMedia(message: Message): void {
    // A player has no media to send.
    if (this.#state.at === "playing") this.#countCommand();
    if (!isOfPublication(this.#state, message)) return;
    const state = this.#state;
    if (state.at === "publishing" && !state.hasMedia) this.#state = { ...state, hasMedia: true };
    const { timestamp, payload } = message;
    this.#outputs.push({ kind: message.type === MessageType.Video ? "video" : "audio", timestamp, payload });
  }

  /** Bursts of data behind a network stall lose data, not the broadcast. */
  #takeData(message: Message): void {
    this.#reader.count(message.payload.length >>> DATA_BYTES_BITS);
    if (this.#state.at !== "publishing") this.#countCommand();
    else if (!this.#budget.take(true, this.#times.nowMs)) return;
    if (!isOfPublication(this.#state, message)) return;
    this.#outputs.push({ kind: "data", timestamp: message.timestamp, payload: amf0Part(message) });
  }

  #countCommand(): void {
    this.#budget.count(this.#state.at === "publishing" || this.#state.at === "playing", this.#times.nowMs);
  }

  #obeyControl(message: Message): void {
    const control = decodeControl(message);
    if (control === undefined) return;
    const { kind } = control;
    if (kind === "window-ack-size") this.#acks.setWindow(control.bytes);
    if (kind === "ping-request") this.#send(2, encodeControl({ ...control, kind: "ping-response" }));
  }

  #obey(message: Message): void {
    const command = this.#readCommand(message);
    if (command === undefined) return;
    if (this.#state.at === "waiting-for-connect" && command.name !== "connect") {
      if (command.name === "publish") throw new ProtocolError("unexpected-command", "publish before connect");
      return;
    }
    switch (command.name) {
      case "connect":
        return this.#obeyConnect(command);
      case "createStream":
        return this.#send(3, reply.result(command.transactionId, this.#streams.create()));
      case "publish":
        return this.#obeyPublish(command, message.streamId);
      case "play":
        return this.#obeyPlay(command, message.streamId);
      case "pause":
        return this.#obeyPause(command);
      case "FCPublish":
        this.#send(3, reply.result(command.transactionId));
        // FMLE-style hardware waits for this one before it goes on.
        return this.#send(3, reply.fcPublishStarted());
      case "FCUnpublish":
        this.#endStream(command, message.streamId);
        return this.#send(3, reply.fcUnpublished());
      case "deleteStream":
      case "closeStream":
        return this.#endStream(command, message.streamId);
      case "getStreamLength":
        return this.#send(3, reply.result(command.transactionId, 0));
      default:
        // releaseStream, _checkbw, FCSubscribe and whatever else: some clients wait for an answer to anything.
        if (command.transactionId > 0 && command.name !== "_result" && command.name !== "_error") {
          this.#send(3, reply.result(command.transactionId));
        }
    }
  }

  #readCommand(message: Message): Command | undefined {
    if (this.#state.at !== "publishing") {
      this.#countCommand();
      return decodeCommand(message, AMF0_LIMITS_BEFORE_PUBLISH);
    }
    const command = tryDecodeCommand(message, AMF0_LIMITS);
    if (command !== undefined) this.#countCommand();
    return command;
  }

  #obeyConnect(command: Command): void {
    const introduction = readIntroduction(command.object);
    if (introduction === undefined) {
      this.#send(3, reply.connectRefused(command.transactionId, "The application name is too long."));
      return this.#close("refused", "application name too long");
    }
    this.#introduction = introduction;
    const { app, attempt } = introduction;
    if (attempt === undefined || this.#state.at !== "waiting-for-connect") return this.#welcome(command);
    const requestId = ++this.#requestId;
    this.#enter({ at: "logging-in", requestId, connect: command });
    this.#reader.hold();
    this.#outputs.push({ kind: "login-requested", requestId, login: { attempt, app } });
  }

  #welcome({ transactionId, object: properties }: Command): void {
    for (const control of reply.welcomeControls()) this.#send(2, control);
    this.#chunkSize = SERVER_CHUNK_SIZE;
    this.#send(3, reply.connected(transactionId, numberProperty(properties, "objectEncoding") === 3 ? 3 : 0));
    if (this.#state.at === "waiting-for-connect" || this.#state.at === "logging-in")
      this.#enter({ at: "waiting-for-publish" });
  }

  #obeyPublish(command: Command, onStreamId: number): void {
    const streamId = this.#streams.of(onStreamId);
    const name = command.args[0];
    if (this.#state.at !== "waiting-for-publish") {
      return this.#send(5, reply.publishRefused(streamId, "twice"));
    }
    if (typeof name === "string" && name.length > NAME_LENGTH_MAX) {
      this.#send(5, reply.publishRefused(streamId, "too-long"));
      return this.#close("refused", "stream key too long");
    }
    const text = typeof name === "string" ? name : "";
    const requestId = this.#decide("publish", streamId, text);
    const { app, encoder } = this.#introduction;
    this.#outputs.push({ kind: "publish-requested", request: { requestId, app, name: text, encoder } });
  }

  #obeyPlay(command: Command, onStreamId: number): void {
    const streamId = this.#streams.of(onStreamId);
    const name = command.args[0];
    if (this.#state.at !== "waiting-for-publish") return this.#send(5, playReplies.refused(streamId, "failed"));
    if (typeof name !== "string" || name.length > NAME_LENGTH_MAX) {
      this.#send(5, playReplies.refused(streamId, "not-found"));
      return this.#close("play-refused", "no stream name");
    }
    const requestId = this.#decide("play", streamId, name);
    this.#outputs.push({ kind: "play-requested", request: { requestId, streamId, app: this.#introduction.app, name } });
  }

  #obeyPause(command: Command): void {
    if (this.#state.at !== "playing") return;
    const isPaused = command.args[0] === true;
    this.#send(5, playReplies.paused(this.#state.streamId, isPaused));
    this.#outputs.push({ kind: "play-paused", isPaused });
  }

  #decide(what: "publish" | "play", streamId: number, name: string): number {
    this.#enter({ at: "deciding", what, requestId: ++this.#requestId, streamId, name });
    this.#reader.hold();
    return this.#requestId;
  }

  #endStream(farewell: Command, onStreamId: number): void {
    const state = this.#state;
    const isOnAir = state.at === "publishing" || state.at === "playing";
    const isOther =
      isOnAir && isForAnother(farewell, onStreamId, this.#streams, { ...state, app: this.#introduction.app });
    this.#streams.take(farewell);
    if (!isOnAir || isOther) return;
    this.#enter({ at: "waiting-for-publish" });
    this.#budget.reset();
    this.#times.unauthenticatedSinceMs = this.#times.nowMs;
    this.#outputs.push({ kind: state.at === "playing" ? "play-ended" : "unpublished" });
  }

  #enter(state: ServerState): void {
    this.#state = state;
    this.#times.stateSinceMs = this.#times.nowMs;
  }

  #send(csid: number, message: Message): void {
    this.#outputs.push({ kind: "send", bytes: encodeMessage(csid, message, this.#chunkSize) });
  }

  #close(reason: ServerCloseReason, detail: string): void {
    this.#state = { at: "closed" };
    this.#outputs.push({ kind: "closed", reason, detail });
  }

  #takeOutputs(): readonly ServerOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
