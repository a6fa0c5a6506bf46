import { AMF0_LIMITS, AMF0_LIMITS_BEFORE_PUBLISH } from "../../amf0/decode.ts";
import { numberProperty } from "../../amf0/value.ts";
import { ProtocolError } from "../../protocol-error.ts";
import { splitAggregate } from "../chunk/aggregate.ts";
import { CapsEx, enhancedReply } from "../client/enhanced-connect.ts";
import { amf0Part, type Command, decodeCommand, tryDecodeCommand } from "../command.ts";
import { CommandBudget } from "../command-budget.ts";
import { decodeControl, encodeControl } from "../control.ts";
import { type Message, MessageType } from "../message.ts";
import { DataBudget } from "./data-budget.ts";
import { type Introduction, NO_INTRODUCTION, readIntroduction } from "./introduction.ts";
import { isForAnother, MessageStreams } from "./message-streams.ts";
import { type PlayRefusal, playReplies, SERVER_CHUNK_SIZE } from "./play.ts";
import type { LoginDecision } from "./server-login.ts";
import type { PublishDecision, ServerCloseReason, ServerOutput } from "./server-outputs.ts";
import * as reply from "./server-replies.ts";
import { isOfPublication, type ServerState, ServerTimes } from "./server-state.ts";

const NAME_LENGTH_MAX = 2_048;
/** Reading 2¹² bytes of data takes as long as reading one more message. */
const DATA_BYTES_BITS = 12;

/** What the dialogue needs from the session that reads and writes its chunks. */
export interface DialogueHost {
  /** Sends a message to the peer. */
  send(csid: number, message: Message): void;
  /** Passes an output to the owner. */
  put(output: ServerOutput): void;
  /** Reads nothing after the present message before there is a reply. */
  hold(): void;
  /** The present message holds this many others. */
  count(messages: number): void;
  /** From here on messages are read with an encoder's limits. */
  acceptEncoder(): void;
  /** Messages to the peer are cut into chunks of this size from here on. */
  setChunkSize(bytes: number): void;
  /** The peer wants an acknowledgement once in so many bytes. */
  setAckWindow(bytes: number): void;
}

/**
 * The server's dialogue with an encoder or a player, message by message, and its state. Accepts commands in whatever
 * order encoders send them (OBS, FFmpeg, GStreamer, Haivision's createStream before FCPublish, Flash without
 * FCPublish).
 */
export class ServerDialogue {
  readonly times: ServerTimes;
  readonly #host: DialogueHost;
  #state: ServerState;
  #introduction: Introduction = NO_INTRODUCTION;
  readonly #streams = new MessageStreams();
  #requestId = 0;
  readonly #budget = new CommandBudget();
  readonly #dataBudget = new DataBudget();

  /** `nowMs`: the time of the connection's acceptance, monotonic. Later times come by `times`. */
  constructor(host: DialogueHost, state: ServerState, nowMs: number) {
    this.#host = host;
    this.#state = state;
    this.times = new ServerTimes(nowMs);
  }

  get state(): ServerState {
    return this.#state;
  }

  /** The handshake is done. */
  begin(): void {
    this.#enter({ at: "waiting-for-connect" });
  }

  /** Decides a `publish-requested`. Returns false where that request is gone. */
  answer(requestId: number, decision: PublishDecision): boolean {
    const state = this.#state;
    if (state.at !== "deciding" || state.what !== "publish" || state.requestId !== requestId) return false;
    if (decision === "accept") {
      this.#enter({ at: "publishing", streamId: state.streamId, name: state.name, hasMedia: false });
      this.#host.acceptEncoder();
      this.#host.send(2, encodeControl({ kind: "stream-begin", streamId: state.streamId }));
      this.#host.send(5, reply.publishStarted(state.streamId));
    } else if (decision === "unavailable") {
      this.close("not-answered", "no verdict about the stream key in time");
    } else {
      this.#host.send(5, reply.publishRefused(state.streamId, decision));
      this.close("refused", "publish refused");
    }
    return true;
  }

  /** Decides a `play-requested`. Returns false where that request is gone. */
  answerPlay(requestId: number, decision: "accept" | PlayRefusal): boolean {
    const state = this.#state;
    if (state.at !== "deciding" || state.what !== "play" || state.requestId !== requestId) return false;
    const { streamId } = state;
    if (decision === "accept") {
      this.#enter({ at: "playing", streamId, name: state.name });
      this.#host.send(2, encodeControl({ kind: "stream-begin", streamId }));
      for (const message of playReplies.begin(streamId)) this.#host.send(5, message);
    } else {
      this.#host.send(5, playReplies.refused(streamId, decision));
      this.close("play-refused", "preview not shown");
    }
    return true;
  }

  /** The played stream is over. */
  endPlay(): void {
    const state = this.#state;
    if (state.at !== "playing") return;
    this.#host.send(2, encodeControl({ kind: "stream-eof", streamId: state.streamId }));
    this.#host.send(5, playReplies.over(state.streamId));
    this.close("play-over", "the preview is over");
  }

  /** Decides a `login-requested`. Returns false where that request is gone. */
  answerLogin(requestId: number, decision: LoginDecision): boolean {
    const state = this.#state;
    if (state.at !== "logging-in" || state.requestId !== requestId) return false;
    if (decision.kind === "accept") this.#welcome(state.connect);
    else if (decision.kind === "unavailable") this.close("not-answered", "no verdict about the login in time");
    else {
      this.#host.send(3, reply.loginRefused(state.connect.transactionId, decision.description));
      this.close(decision.kind === "ask" ? "login-asked" : "refused", "login not accepted");
    }
    return true;
  }

  /** Enforces the deadlines, and pings a silent encoder. */
  tick(): void {
    const { nowMs } = this.times;
    const late = this.times.overdue(this.#state);
    if (late !== undefined) this.close("timed-out", late);
    else if (this.times.takePingDue(this.#state)) {
      this.#host.send(2, encodeControl({ kind: "ping-request", timestamp: Math.trunc(nowMs) % 2 ** 32 }));
    }
  }

  /** Asks a publishing encoder to connect again, if it said in `connect` that it can. */
  requestReconnect(): void {
    if (this.#state.at !== "publishing" || (this.#introduction.peer.capsEx & CapsEx.Reconnect) === 0) return;
    this.#host.send(3, reply.reconnectRequested("The server is going away."));
  }

  /** The connection is gone: no output follows. */
  forget(): void {
    this.#state = { at: "closed" };
  }

  /** Ends the dialogue; the last output. */
  close(reason: ServerCloseReason, detail: string): void {
    this.#state = { at: "closed" };
    this.#host.put({ kind: "closed", reason, detail });
  }

  /**
   * Takes one message. After `closed` it is ignored.
   *
   * @throws ProtocolError where the peer broke the protocol.
   */
  take(message: Message): void {
    if (this.#state.at === "closed") return;
    switch (message.type) {
      case MessageType.Audio:
      case MessageType.Video:
        this.#takeMedia(message);
        break;
      case MessageType.Aggregate:
        for (const part of splitAggregate(message)) {
          this.#host.count(1);
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
    this.#host.put({ kind: message.type === MessageType.Video ? "video" : "audio", timestamp, payload });
  }

  /** Too much data loses data, not the broadcast. */
  #takeData(message: Message): void {
    this.#host.count(message.payload.length >>> DATA_BYTES_BITS);
    if (this.#state.at !== "publishing") this.#countCommand();
    else if (!this.#dataBudget.takes(message.payload.length, this.times.nowMs)) return;
    if (!isOfPublication(this.#state, message)) return;
    this.#host.put({ kind: "data", timestamp: message.timestamp, payload: amf0Part(message) });
  }

  #countCommand(): void {
    this.#budget.count(this.#state.at === "publishing" || this.#state.at === "playing", this.times.nowMs);
  }

  #obeyControl(message: Message): void {
    const control = decodeControl(message);
    if (control === undefined) return;
    const { kind } = control;
    if (kind === "window-ack-size") this.#host.setAckWindow(control.bytes);
    if (kind === "ping-request") this.#host.send(2, encodeControl({ ...control, kind: "ping-response" }));
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
        return this.#host.send(3, reply.result(command.transactionId, this.#streams.create()));
      case "publish":
        return this.#obeyPublish(command, message.streamId);
      case "play":
        return this.#obeyPlay(command, message.streamId);
      case "pause":
        return this.#obeyPause(command);
      case "FCPublish":
        this.#host.send(3, reply.result(command.transactionId));
        // Hardware in the style of FMLE waits for this one before it continues.
        return this.#host.send(3, reply.fcPublishStarted());
      case "FCUnpublish":
        this.#endStream(command, message.streamId);
        return this.#host.send(3, reply.fcUnpublished());
      case "deleteStream":
      case "closeStream":
        return this.#endStream(command, message.streamId);
      case "getStreamLength":
        return this.#host.send(3, reply.result(command.transactionId, 0));
      default:
        // releaseStream, _checkbw, FCSubscribe and any other: some clients wait for a reply to everything.
        if (command.transactionId > 0 && command.name !== "_result" && command.name !== "_error") {
          this.#host.send(3, reply.result(command.transactionId));
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
      this.#host.send(3, reply.connectRefused(command.transactionId, "The application name is too long."));
      return this.close("refused", "application name too long");
    }
    this.#introduction = introduction;
    const { app, attempt } = introduction;
    if (attempt === undefined || this.#state.at !== "waiting-for-connect") return this.#welcome(command);
    const requestId = ++this.#requestId;
    this.#enter({ at: "logging-in", requestId, connect: command });
    this.#host.hold();
    this.#host.put({ kind: "login-requested", requestId, login: { attempt, app } });
  }

  #welcome({ transactionId, object: properties }: Command): void {
    for (const control of reply.welcomeControls()) this.#host.send(2, control);
    this.#host.setChunkSize(SERVER_CHUNK_SIZE);
    const objectEncoding = numberProperty(properties, "objectEncoding") === 3 ? 3 : 0;
    this.#host.send(3, reply.connected(transactionId, objectEncoding, enhancedReply(this.#introduction.peer)));
    if (this.#state.at === "waiting-for-connect" || this.#state.at === "logging-in")
      this.#enter({ at: "waiting-for-publish" });
  }

  #obeyPublish(command: Command, onStreamId: number): void {
    const streamId = this.#streams.of(onStreamId);
    const name = command.args[0];
    const text = typeof name === "string" ? name : "";
    const state = this.#state;
    if (state.at !== "waiting-for-publish") {
      // HaishinKit publishes twice in a row: what goes on already has started.
      const goesOn = state.at === "publishing" && state.streamId === streamId && state.name === text;
      return this.#host.send(5, goesOn ? reply.publishStarted(streamId) : reply.publishRefused(streamId, "twice"));
    }
    if (text.length > NAME_LENGTH_MAX) {
      this.#host.send(5, reply.publishRefused(streamId, "too-long"));
      return this.close("refused", "stream key too long");
    }
    const requestId = this.#decide("publish", streamId, text);
    const { app, encoder } = this.#introduction;
    this.#host.put({ kind: "publish-requested", request: { requestId, app, name: text, encoder } });
  }

  #obeyPlay(command: Command, onStreamId: number): void {
    const streamId = this.#streams.of(onStreamId);
    const name = command.args[0];
    if (this.#state.at !== "waiting-for-publish") return this.#host.send(5, playReplies.refused(streamId, "failed"));
    if (typeof name !== "string" || name.length > NAME_LENGTH_MAX) {
      this.#host.send(5, playReplies.refused(streamId, "not-found"));
      return this.close("play-refused", "no stream name");
    }
    const requestId = this.#decide("play", streamId, name);
    this.#host.put({ kind: "play-requested", request: { requestId, streamId, app: this.#introduction.app, name } });
  }

  #obeyPause(command: Command): void {
    if (this.#state.at !== "playing") return;
    const isPaused = command.args[0] === true;
    this.#host.send(5, playReplies.paused(this.#state.streamId, isPaused));
    this.#host.put({ kind: "play-paused", isPaused });
  }

  #decide(what: "publish" | "play", streamId: number, name: string): number {
    this.#streams.use(streamId);
    this.#enter({ at: "deciding", what, requestId: ++this.#requestId, streamId, name });
    this.#host.hold();
    return this.#requestId;
  }

  #endStream(farewell: Command, onStreamId: number): void {
    const state = this.#state;
    const isOnAir = state.at === "publishing" || state.at === "playing";
    const isOther =
      isOnAir && isForAnother(farewell, onStreamId, this.#streams, { ...state, app: this.#introduction.app });
    if (isOnAir && !isOther) this.#streams.leave(state.streamId);
    this.#streams.take(farewell);
    if (!isOnAir || isOther) return;
    this.#enter({ at: "waiting-for-publish" });
    this.#budget.reset();
    this.times.unauthenticatedSinceMs = this.times.nowMs;
    this.#host.put({ kind: state.at === "playing" ? "play-ended" : "unpublished" });
  }

  #enter(state: ServerState): void {
    this.#state = state;
    this.times.stateSinceMs = this.times.nowMs;
  }
}
