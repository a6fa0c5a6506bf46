import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import { AMF0_LIMITS } from "../../protocol/amf0/decode.ts";
import { textProperty } from "../../protocol/amf0/value.ts";
import { ProtocolError } from "../../protocol/protocol-error.ts";
import { splitAggregate } from "../../protocol/rtmp/chunk/aggregate.ts";
import { CHUNK_SIZE_INITIAL } from "../../protocol/rtmp/chunk/chunk-header.ts";
import { ChunkReader } from "../../protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../protocol/rtmp/chunk/reader-limits.ts";
import { enhancedReply, PLAIN_PEER, readEnhancedPeer } from "../../protocol/rtmp/client/enhanced-connect.ts";
import { type Command, decodeCommand } from "../../protocol/rtmp/command.ts";
import { decodeControl, encodeControl, PeerBandwidthLimit } from "../../protocol/rtmp/control.ts";
import { ServerHandshake } from "../../protocol/rtmp/handshake/handshake.ts";
import { type Message, MessageType } from "../../protocol/rtmp/message.ts";
import * as reply from "../../protocol/rtmp/server/server-replies.ts";
import { PacedWriter } from "../encoder/paced-writer.ts";
import { recordMessage } from "../message-record.ts";
import { Recording } from "../recording.ts";
import { type Moment, publishAnswer, refusalOf, type TargetBehaviour } from "./target-behaviour.ts";
import { appWithoutLogin } from "./target-login.ts";
import type { ConnectionReport, TargetEvent } from "./target-report.ts";

export type ConnectionDeps = {
  readonly clock: Clock;
  readonly behaviour: TargetBehaviour;
  readonly index: number;
  /** Messages whose records are kept. */
  readonly messagesMax: number;
  /** Whether each message is an event. */
  readonly reportsMessages: boolean;
  /** The path for the recording of this connection's n-th publication; undefined: no recording. */
  readonly recordingPath: (publication: number) => string | undefined;
  readonly onEvent: (event: TargetEvent) => void;
};

const HANDSHAKE_RANDOM_BYTES = 1_528;
const CHUNK_SIZE_DEFAULT = 4_096;
/** A larger chunk size makes no difference: no message is longer. */
const CHUNK_BYTES_MAX = 0xff_ff_ff;
const WINDOW_BYTES = 2_500_000;
const GARBAGE_BYTES = 4_096;
/** Not a version of RTMP; on a chunk stream, a header that builds on one that never was. */
const GARBAGE_FIRST_BYTE = 0xbf;
const ControlCsid = 2;
const CommandCsid = 3;
const StatusCsid = 5;

/** Why nothing is read at the moment. */
type Pause = "asked" | "stall" | "pace" | "recording";

/** One connection to a scripted target: real RTMP, as good or as bad as its behaviour says. */
export class TargetConnection {
  readonly report: ConnectionReport;
  /** Resolves once the socket is closed and the recordings are complete. */
  readonly closed: Promise<ConnectionReport>;
  readonly #deps: ConnectionDeps;
  readonly #socket: Socket;
  readonly #writer: PacedWriter;
  readonly #handshake = new ServerHandshake(randomBytes(HANDSHAKE_RANDOM_BYTES));
  readonly #reader = new ChunkReader(LIMITS_PUBLISHING);
  readonly #pauses = new Set<Pause>();
  readonly #timers = new Set<Timer>();
  readonly #waitingForBytes: { readonly atBytes: number; readonly run: () => void }[] = [];
  readonly #files: Promise<void>[] = [];
  #recording: Recording | undefined;
  #chunkSize = CHUNK_SIZE_INITIAL;
  #streamsCreated = 0;
  #ackWindowBytes = WINDOW_BYTES;
  #acknowledgedBytes = 0;
  #publications = 0;

  constructor(socket: Socket, deps: ConnectionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    this.#writer = new PacedWriter(socket, deps.clock, deps.behaviour.splitBytes);
    this.report = {
      index: deps.index,
      commands: [],
      app: "",
      peer: PLAIN_PEER,
      streamName: "",
      stage: "handshake",
      bytesReceived: 0,
      mediaBytes: 0,
      messages: [],
      messagesDropped: 0,
      recordings: [],
      state: "open",
    };
    if (typeof deps.behaviour.acknowledge === "number") this.#ackWindowBytes = deps.behaviour.acknowledge;
    socket.setNoDelay(true);
    this.closed = this.#life();
    deps.onEvent({ event: "connected", connection: deps.index });
    if (deps.behaviour.closeAt === "accept") this.end();
  }

  /** Stops reading, until `resume`. */
  stall(): void {
    this.#pause("asked");
    this.#reportFault("stalled");
  }

  resume(): void {
    this.#unpause("asked");
    this.#reportFault("resumed");
  }

  /** Closes without any RTMP message. */
  end(): void {
    this.#leave("closed-by-target");
    this.#writer.end();
    this.#reportFault("closed");
    // Does not wait for a peer that keeps its side open; what it still sends is discarded.
    this.#socket.resume();
  }

  reset(): void {
    this.#leave("reset-by-target");
    this.#socket.resetAndDestroy();
    this.#reportFault("reset");
  }

  /** Closes at once, when the target itself ends. */
  destroy(): void {
    this.#leave("closed-by-target");
    this.#socket.destroy();
  }

  #life(): Promise<ConnectionReport> {
    const socket = this.#socket;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("end", () => this.#leave("ended"));
    socket.on("error", () => this.#leave("reset"));
    return new Promise((resolve, reject) => {
      socket.once("close", () => {
        this.#leave("reset");
        for (const timer of this.#timers) timer.cancel();
        this.#endRecording();
        Promise.all(this.#files).then(() => {
          this.#deps.onEvent({ event: "closed", connection: this.#deps.index, report: this.report });
          resolve(this.report);
        }, reject);
      });
    });
  }

  /** The first end counts. */
  #leave(state: ConnectionReport["state"]): void {
    if (this.report.state === "open") this.report.state = state;
  }

  #read(bytes: Buffer): void {
    if (this.report.state !== "open") return;
    this.report.bytesReceived += bytes.length;
    try {
      const chunks = this.report.stage === "handshake" ? this.#shakeHands(bytes) : bytes;
      if (chunks.length > 0) this.#reader.receive(chunks, (message) => this.#take(message));
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#leave("protocol-error");
      this.#deps.onEvent({ event: "problem", connection: this.#deps.index, detail: error.message });
      this.#socket.destroy();
      return;
    }
    this.#acknowledge();
    for (const moment of this.#waitingForBytes.filter(({ atBytes }) => this.report.bytesReceived >= atBytes)) {
      this.#waitingForBytes.splice(this.#waitingForBytes.indexOf(moment), 1);
      moment.run();
    }
    this.#keepPace(bytes.length);
  }

  #shakeHands(bytes: Buffer): Buffer {
    const { answer, closeAt, silentAt } = this.#deps.behaviour;
    if (silentAt === "handshake") return Buffer.alloc(0);
    if (answer === "http" || answer === "garbage") {
      this.#writer.write(answer === "http" ? Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") : garbage());
      this.#reportFault("wrong-answer");
      this.end();
      return Buffer.alloc(0);
    }
    const step = this.#handshake.receive(bytes);
    if (step.send !== undefined) {
      if (closeAt === "handshake") {
        this.end();
        return Buffer.alloc(0);
      }
      this.#writer.write(step.send);
    }
    if (step.isDone) this.report.stage = "connect";
    return step.rest;
  }

  #take(message: Message): void {
    if (this.report.state !== "open") return;
    switch (message.type) {
      case MessageType.CommandAmf0:
      case MessageType.CommandAmf3:
        return this.#obey(decodeCommand(message, AMF0_LIMITS));
      case MessageType.Aggregate:
        for (const part of splitAggregate(message)) this.#keep(part);
        return;
      case MessageType.Audio:
      case MessageType.Video:
      case MessageType.DataAmf0:
        return this.#keep(message);
      default:
        return this.#obeyControl(message);
    }
  }

  #obeyControl(message: Message): void {
    const control = decodeControl(message);
    if (control?.kind === "ping-request") {
      this.#send(ControlCsid, encodeControl({ kind: "ping-response", timestamp: control.timestamp }));
    } else if (control?.kind === "window-ack-size" && this.#deps.behaviour.acknowledge === undefined) {
      this.#ackWindowBytes = Math.max(1, control.bytes);
    }
  }

  #keep(message: Message): void {
    if (message.type !== MessageType.DataAmf0) this.report.mediaBytes += message.payload.length;
    if (this.#recording?.write(message) === false) this.#pause("recording");
    const { messagesMax, reportsMessages } = this.#deps;
    const isKept = this.report.messages.length < messagesMax;
    if (!isKept) this.report.messagesDropped += 1;
    const record = isKept || reportsMessages ? recordMessage(message) : undefined;
    if (record === undefined) return;
    if (isKept) this.report.messages.push(record);
    if (reportsMessages) this.#deps.onEvent({ event: "message", connection: this.#deps.index, message: record });
  }

  #obey(command: Command): void {
    this.report.commands.push(command.name);
    this.#deps.onEvent({ event: "command", connection: this.#deps.index, name: command.name });
    const { closeAt, login } = this.#deps.behaviour;
    const refusal = refusalOf(this.#deps.behaviour, command, this.#streamNumber);
    if (refusal !== undefined) {
      this.#send(CommandCsid, refusal);
      this.#reportFault("refused");
      return login?.keepsOpen === true ? undefined : this.end();
    }
    if (command.name === closeAt) return this.end();
    switch (command.name) {
      case "connect":
        return this.#obeyConnect(command);
      case "createStream":
        if (this.#deps.behaviour.silentAt === "create-stream") return;
        this.#streamsCreated += 1;
        return this.#send(CommandCsid, reply.result(command.transactionId, this.#streamNumber));
      case "FCPublish":
        return this.#send(CommandCsid, reply.fcPublishStarted());
      case "publish":
        return this.#obeyPublish(command);
      case "FCUnpublish":
      case "deleteStream":
      case "closeStream":
        if (this.report.stage === "publishing") this.report.stage = "unpublished";
        return this.#endRecording();
      default:
        // Like many real servers: no reply to releaseStream and the like.
        return;
    }
  }

  get #streamNumber(): number {
    return this.#deps.behaviour.streamNumber ?? Math.max(1, this.#streamsCreated);
  }

  #obeyConnect(command: Command): void {
    const { answer, silentAt, isPlain = false, chunkSize = CHUNK_SIZE_DEFAULT } = this.#deps.behaviour;
    this.report.app = appWithoutLogin(textProperty(command.object, "app") ?? "");
    this.report.peer = readEnhancedPeer(command.object);
    this.report.stage = "publish";
    if (silentAt === "connect") return;
    if (answer === "garbage-chunks") {
      this.#writer.write(garbage());
      return this.#reportFault("wrong-answer");
    }
    this.#send(ControlCsid, encodeControl({ kind: "window-ack-size", bytes: WINDOW_BYTES }));
    const limit = PeerBandwidthLimit.Dynamic;
    this.#send(ControlCsid, encodeControl({ kind: "set-peer-bandwidth", bytes: WINDOW_BYTES, limit }));
    this.#send(ControlCsid, encodeControl({ kind: "set-chunk-size", chunkSize }));
    this.#chunkSize = Math.min(chunkSize, CHUNK_BYTES_MAX);
    this.#send(CommandCsid, reply.connected(command.transactionId, 0, isPlain ? {} : enhancedReply(this.report.peer)));
  }

  #obeyPublish(command: Command): void {
    const { answer, silentAt, stall, close, reset, reconnect } = this.#deps.behaviour;
    const name = command.args[0];
    this.report.streamName = typeof name === "string" ? name : "";
    if (silentAt === "publish") return;
    const streamId = this.#streamNumber;
    this.#send(ControlCsid, encodeControl({ kind: "stream-begin", streamId }));
    this.#send(StatusCsid, publishAnswer(answer, command, streamId));
    this.report.stage = "publishing";
    this.#publications += 1;
    this.#endRecording();
    const path = this.#deps.recordingPath(this.#publications);
    if (path !== undefined) {
      this.#recording = new Recording(path, () => this.#unpause("recording"));
      this.report.recordings.push(path);
    }
    this.#deps.onEvent({ event: "publishing", connection: this.#deps.index });
    if (stall !== undefined) this.#at(stall, () => this.#stallFor(stall.resumeAfterMs));
    if (reconnect !== undefined) {
      this.#at(reconnect, () => this.#send(StatusCsid, reply.reconnectRequested("Moving.", reconnect.tcUrl)));
    }
    if (close !== undefined) this.#at(close, () => this.end());
    if (reset !== undefined) this.#at(reset, () => this.reset());
  }

  /** Runs once, at whichever part of the moment comes first. */
  #at(moment: Moment, run: () => void): void {
    let isPast = false;
    const once = (): void => {
      if (isPast || this.report.state !== "open") return;
      isPast = true;
      run();
    };
    if (moment.afterMs === 0 || moment.afterBytes === 0) return once();
    if (moment.afterMs !== undefined) this.#after(moment.afterMs, once);
    if (moment.afterBytes === undefined) return;
    this.#waitingForBytes.push({ atBytes: this.report.bytesReceived + moment.afterBytes, run: once });
  }

  #stallFor(durationMs: number | undefined): void {
    this.#pause("stall");
    this.#reportFault("stalled");
    if (durationMs === undefined) return;
    this.#after(durationMs, () => {
      this.#unpause("stall");
      this.#reportFault("resumed");
    });
  }

  #keepPace(bytes: number): void {
    const rate = this.#deps.behaviour.bytesPerSecond;
    if (rate === undefined || this.report.state !== "open") return;
    this.#pause("pace");
    this.#after((bytes * 1_000) / rate, () => this.#unpause("pace"));
  }

  #acknowledge(): void {
    const { stage, bytesReceived } = this.report;
    if (this.#deps.behaviour.acknowledge === "never" || stage === "handshake") return;
    if (bytesReceived - this.#acknowledgedBytes < this.#ackWindowBytes) return;
    this.#acknowledgedBytes = bytesReceived;
    this.#send(ControlCsid, encodeControl({ kind: "acknowledgement", bytesTotal: bytesReceived % 2 ** 32 }));
  }

  #endRecording(): void {
    if (this.#recording !== undefined) this.#files.push(this.#recording.close());
    this.#recording = undefined;
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.#deps.clock.startTimer(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #pause(reason: Pause): void {
    this.#pauses.add(reason);
    this.#socket.pause();
  }

  #unpause(reason: Pause): void {
    this.#pauses.delete(reason);
    if (this.#pauses.size === 0) this.#socket.resume();
  }

  #send(csid: number, message: Message): void {
    if (this.report.state === "open") this.#writer.write(encodeMessage(csid, message, this.#chunkSize));
  }

  #reportFault(fault: Extract<TargetEvent, { event: "fault" }>["fault"]): void {
    this.#deps.onEvent({ event: "fault", connection: this.#deps.index, fault });
  }
}

function garbage(): Buffer {
  const bytes = randomBytes(GARBAGE_BYTES);
  bytes[0] = GARBAGE_FIRST_BYTE;
  return bytes;
}
