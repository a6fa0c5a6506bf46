import { AMF0_LIMITS } from "../../amf0/decode.ts";
import { type Amf0Value, amf0Object } from "../../amf0/value.ts";
import { ProtocolError } from "../../protocol-error.ts";
import { AckMeter } from "../ack-meter.ts";
import { CHUNK_SIZE_INITIAL } from "../chunk/chunk-header.ts";
import { encodeMessage } from "../chunk/chunk-writer.ts";
import { PACE_OF_TARGET, PacedReader } from "../chunk/paced-reader.ts";
import { type Command, decodeCommand, encodeCommand, tryDecodeCommand } from "../command.ts";
import { CommandBudget, OF_TARGETS } from "../command-budget.ts";
import { decodeControl, encodeControl } from "../control.ts";
import { ClientHandshake } from "../handshake/handshake.ts";
import { type Message, MessageType } from "../message.ts";
import { readLoginDemand } from "../server/publish-auth.ts";
import type { ClientFailure, ClientOutput, ClientPublication, ClientStage } from "./client-outputs.ts";
import { type EnhancedPeer, enhancedProperties, PLAIN_PEER, readEnhancedPeer } from "./enhanced-connect.ts";
import { ServerStatus } from "./server-status.ts";

/** In bytes, until the stream's rate is known: OBS's value. */
const WINDOW_ACK_SIZE = 2_500_000;
/** The acknowledgement windows we ask for, in bytes: servers of FFmpeg's family close at 0, and at 2³¹ and more. */
const WINDOW_ACK_SIZE_MIN = 4_096;
const WINDOW_ACK_SIZE_MAX = 0x7fff_ffff;
/** A window within this factor of the wanted one stays. */
const WINDOW_TOLERANCE = 2;
/** Servers of the Akamai family start their login dialogue only for this; OBS sends exactly this. */
const FLASH_VERSION = "FMLE/3.0 (compatible; FMSc/1.0)";

const Transaction = {
  Connect: 1,
  ReleaseStream: 2,
  FcPublish: 3,
  CreateStream: 4,
  Publish: 5,
  FcUnpublish: 6,
  DeleteStream: 7,
} as const;

/** Message stream numbers are four bytes on the wire. */
const STREAM_ID_MAX = 0xffff_ffff;

/**
 * The publishing side of one RTMP connection, without IO. It does what OBS does, in OBS's order, because every platform
 * is tested with OBS: simple handshake, Set Chunk Size before connect, releaseStream, FCPublish and createStream back
 * to back, publish as "live", and no media before `NetStream.Publish.Start` (nginx-rtmp's own push does not wait and
 * loses its headers at some servers).
 */
export class ClientSession {
  #stage: ClientStage = "handshake";
  #outputs: ClientOutput[] = [];
  readonly #publication: ClientPublication;
  readonly #handshake: ClientHandshake;
  readonly #reader = new PacedReader(PACE_OF_TARGET);
  readonly #budget = new CommandBudget(OF_TARGETS);
  #nowMs = 0;
  readonly #acks = new AckMeter();
  readonly #chunkSize: number;
  #windowSent = 0;
  #peer: EnhancedPeer = PLAIN_PEER;
  /** Servers may give any number, also 0. */
  #streamId: number | undefined;
  #doubt: ClientFailure | undefined;
  /** It asked us to connect again, to the same address, before it accepted the stream. */
  #isReconnectAsked = false;

  /** `random`: 1528 bytes for the handshake. `chunkSize`: the size of our chunks, announced before connect. */
  constructor(publication: ClientPublication, random: Buffer, chunkSize: number) {
    this.#publication = publication;
    this.#handshake = new ClientHandshake(random);
    this.#chunkSize = chunkSize;
  }

  /** What the server announced about Enhanced RTMP. */
  get peer(): EnhancedPeer {
    return this.#peer;
  }

  get stage(): ClientStage {
    return this.#stage;
  }

  /**
   * A refusal that came beside the reply to publish (`onFCPublish`), while that reply is awaited. Some servers send one
   * and start nevertheless; where no reply comes, it is the reason.
   */
  get doubt(): ClientFailure | undefined {
    return this.#stage === "publish" ? this.#doubt : undefined;
  }

  /** C0 and C1, to be sent in one write as soon as the connection is open. */
  start(): Buffer {
    return this.#handshake.start();
  }

  /**
   * More bytes arrived than are read in a turn: read nothing from the socket; after `READ_TURN_MS` continue with
   * `receive` of no bytes.
   */
  get isBehind(): boolean {
    return this.#stage !== "closed" && this.#reader.isBehind;
  }

  /** Takes bytes from the socket. `nowMs`: a monotonic clock. After `failed` everything is ignored. */
  receive(bytes: Buffer, nowMs: number): readonly ClientOutput[] {
    if (this.#stage === "closed" || (bytes.length === 0 && !this.isBehind)) return [];
    this.#nowMs = nowMs;
    try {
      const chunks = this.#stage === "handshake" ? this.#shakeHands(bytes) : bytes;
      if (chunks.length > 0 || this.isBehind) this.#readChunks(chunks);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.fault === "too-many-messages") this.#fail({ kind: "flooded" });
      else {
        const expectsTls = error.fault === "expects-tls" ? ({ expectsTls: true } as const) : {};
        this.#fail({ kind: "protocol-error", during: this.#stage, detail: error.message, ...expectsTls });
      }
    }
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /**
   * FCUnpublish and deleteStream, for an intended stop: platforms treat them as the end of the broadcast. Empty where
   * nothing was published yet.
   */
  unpublish(): Buffer {
    const streamId = this.#streamId;
    this.#stage = "closed";
    if (streamId === undefined) return Buffer.alloc(0);
    return Buffer.concat([
      this.#command(3, 0, "FCUnpublish", Transaction.FcUnpublish, [this.#publication.name]),
      this.#command(3, 0, "deleteStream", Transaction.DeleteStream, [streamId]),
    ]);
  }

  /** The acknowledgement window that the server was asked for, in bytes. */
  get ackWindowBytes(): number {
    return this.#windowSent;
  }

  /**
   * Asks for an acknowledgement about once in this many bytes, if that differs much from the present window. Undefined
   * where nothing has to be sent.
   */
  askForAcks(windowBytes: number): Buffer | undefined {
    const wanted = Math.min(WINDOW_ACK_SIZE, Math.max(WINDOW_ACK_SIZE_MIN, Math.round(windowBytes)));
    const factor = wanted / this.#windowSent;
    const fits = factor <= WINDOW_TOLERANCE && factor >= 1 / WINDOW_TOLERANCE;
    if (this.#stage !== "publishing" || fits) return undefined;
    this.#windowSent = wanted;
    return encodeMessage(2, encodeControl({ kind: "window-ack-size", bytes: wanted }), this.#chunkSize);
  }

  #shakeHands(bytes: Buffer): Buffer {
    const step = this.#handshake.receive(bytes);
    if (step.send !== undefined) this.#outputs.push({ kind: "send", bytes: step.send });
    if (step.isDone) {
      this.#stage = "connect";
      this.#outputs.push({ kind: "send", bytes: this.#connect() });
    }
    return step.rest;
  }

  #connect(): Buffer {
    const { app, tcUrl, loginQuery = "", capsLacking = 0 } = this.#publication;
    const setChunkSize = encodeControl({ kind: "set-chunk-size", chunkSize: this.#chunkSize });
    const connect = encodeCommand(0, {
      name: "connect",
      transactionId: Transaction.Connect,
      object: amf0Object({
        app: app + loginQuery,
        type: "nonprivate",
        flashVer: FLASH_VERSION,
        swfUrl: tcUrl,
        tcUrl: tcUrl + loginQuery,
        ...enhancedProperties(capsLacking),
      }),
      args: [],
    });
    return Buffer.concat([
      encodeMessage(2, setChunkSize, CHUNK_SIZE_INITIAL),
      encodeMessage(3, connect, this.#chunkSize),
    ]);
  }

  #readChunks(bytes: Buffer): void {
    this.#reader.receive(bytes, this.#nowMs, false, (message) => {
      if (this.#stage !== "closed") this.#take(message);
    });
    const ack = this.#acks.due(this.#reader.bytesReceived);
    if (ack !== undefined && this.#stage !== "closed") this.#sendControl(ack);
  }

  /** Media and data from a server are read, counted for the acknowledgement, and ignored. */
  #take(message: Message): void {
    if (message.type === MessageType.CommandAmf0 || message.type === MessageType.CommandAmf3) {
      this.#countCommand();
      const command = this.#readCommand(message);
      if (command !== undefined) this.#takeCommand(command);
    } else {
      this.#takeControl(message);
    }
  }

  /** A command on air that cannot be read is none that ends the broadcast. */
  #readCommand(message: Message): Command | undefined {
    return this.#stage === "publishing" ? tryDecodeCommand(message, AMF0_LIMITS) : decodeCommand(message, AMF0_LIMITS);
  }

  /** Counts messages that cost us work, which acknowledgements and media do not. */
  #countCommand(): void {
    this.#budget.count(this.#stage === "publishing", this.#nowMs);
  }

  #takeControl(message: Message): void {
    const control = decodeControl(message);
    if (control === undefined) return;
    switch (control.kind) {
      case "window-ack-size":
        return this.#acks.setWindow(control.bytes);
      case "set-peer-bandwidth":
        this.#countCommand();
        return this.#announceWindow(Math.min(WINDOW_ACK_SIZE_MAX, Math.max(WINDOW_ACK_SIZE_MIN, control.bytes)));
      case "ping-request":
        this.#countCommand();
        return this.#sendControl(encodeControl({ kind: "ping-response", timestamp: control.timestamp }));
      case "acknowledgement":
        this.#outputs.push({ kind: "acknowledged", bytesTotal: control.bytesTotal });
        return;
      default:
        return;
    }
  }

  #takeCommand(command: Command): void {
    switch (command.name) {
      case "_result":
        return this.#takeResult(command);
      case "_error":
        return this.#takeError(command);
      case "onStatus":
        return this.#takeStatus(command);
      case "_onbwcheck":
        return this.#send(this.#command(3, 0, "_result", command.transactionId, []));
      case "onFCPublish":
        return this.#takeRemark(command);
      case "onFCUnpublish":
      case "close":
        return this.#fail({ kind: "ended-by-server", code: command.name });
      default:
        return;
    }
  }

  #takeResult(command: Command): void {
    if (command.transactionId === Transaction.Connect && this.#stage === "connect") {
      this.#stage = "publish";
      this.#peer = readEnhancedPeer(command.object);
      const key = this.#publication.name;
      this.#announceWindow(WINDOW_ACK_SIZE);
      this.#send(
        Buffer.concat([
          this.#command(3, 0, "releaseStream", Transaction.ReleaseStream, [key]),
          this.#command(3, 0, "FCPublish", Transaction.FcPublish, [key]),
          this.#command(3, 0, "createStream", Transaction.CreateStream, []),
        ]),
      );
    } else if (command.transactionId === Transaction.CreateStream && this.#isStreamAwaited) {
      this.#takeStreamNumber(command);
    } else if (command.transactionId === Transaction.Publish) {
      this.#startPublishing();
    }
  }

  get #isStreamAwaited(): boolean {
    return this.#stage === "publish" && this.#streamId === undefined;
  }

  /** Some servers leave out the null in front of the number. */
  #takeStreamNumber({ args, object }: Command): void {
    const streamId = [...args, object].find((value) => typeof value === "number");
    if (streamId === undefined || !Number.isInteger(streamId) || streamId < 0 || streamId > STREAM_ID_MAX) {
      return this.#fail({ kind: "bad-stream-number" });
    }
    this.#streamId = streamId;
    this.#send(this.#command(4, streamId, "publish", Transaction.Publish, [this.#publication.name, "live"]));
  }

  /** Errors about releaseStream and FCPublish are common and mean nothing. */
  #takeError(command: Command): void {
    const status = new ServerStatus(command);
    if (command.transactionId === Transaction.Connect) this.#refuseConnect(status);
    else if (command.transactionId === Transaction.CreateStream || command.transactionId === Transaction.Publish) {
      this.#refusePublish(status);
    }
  }

  /** Servers send onStatus with transaction 0 or 5, on the message stream or on 0: only its code counts. */
  #takeStatus(command: Command): void {
    const status = new ServerStatus(command);
    if (status.code === "NetStream.Publish.Start") return this.#startPublishing();
    if (status.code === "NetConnection.Connect.ReconnectRequest") return this.#takeReconnectRequest(status);
    if (this.#stage === "connect" && status.isError) this.#refuseConnect(status);
    else if (this.#stage === "publishing" && status.isEnd) this.#fail(this.#ended(status));
    else if (this.#stage === "publish" && status.refusesPublish) this.#refusePublish(status);
  }

  #takeRemark(command: Command): void {
    const status = new ServerStatus(command);
    if (status.refusesPublish) this.#doubt = this.#publishRejected(status);
  }

  #refuseConnect(status: ServerStatus): void {
    const code = this.#shown(status);
    const demand = readLoginDemand(status.text("description"));
    const tcUrl = status.redirect;
    if (demand !== undefined) return this.#fail({ kind: "login-demanded", code, demand });
    if (tcUrl !== undefined) return this.#fail({ kind: "redirected", code, tcUrl });
    if (status.saysFull) return this.#fail({ kind: "connect-rejected", code, why: "full" });
    if (status.saysForbidden) return this.#fail({ kind: "connect-rejected", code, why: "forbidden" });
    this.#fail({ kind: "connect-rejected", code });
  }

  #refusePublish(status: ServerStatus): void {
    const tcUrl = status.redirect;
    if (tcUrl === undefined) this.#fail(this.#publishRejected(status));
    else this.#fail({ kind: "redirected", code: this.#shown(status), tcUrl });
  }

  #publishRejected(status: ServerStatus): ClientFailure {
    return { kind: "publish-rejected", code: this.#shown(status), isInUse: status.saysInUse };
  }

  #ended(status: ServerStatus): ClientFailure {
    return { kind: "ended-by-server", code: this.#shown(status), ...(status.saysInUse ? { isInUse: true } : {}) };
  }

  #shown(status: ServerStatus): string {
    return status.shownCode(this.#publication.name);
  }

  /** Before there is a stream nothing has to be kept, and a request for another server is a redirection. */
  #takeReconnectRequest(status: ServerStatus): void {
    const tcUrl = status.text("tcUrl");
    if (this.#stage === "publishing") {
      this.#outputs.push({ kind: "reconnect-requested", ...(tcUrl === "" ? {} : { tcUrl }) });
    } else if (tcUrl === "") this.#isReconnectAsked = true;
    else this.#fail({ kind: "redirected", code: this.#shown(status), tcUrl });
  }

  #startPublishing(): void {
    if (this.#stage !== "publish" || this.#streamId === undefined) return;
    this.#stage = "publishing";
    this.#outputs.push({ kind: "publishing", streamId: this.#streamId });
    if (this.#isReconnectAsked) this.#outputs.push({ kind: "reconnect-requested" });
  }

  #announceWindow(bytes: number): void {
    if (bytes === this.#windowSent) return;
    this.#windowSent = bytes;
    this.#sendControl(encodeControl({ kind: "window-ack-size", bytes }));
  }

  #sendControl(message: Message): void {
    this.#send(encodeMessage(2, message, this.#chunkSize));
  }

  #send(bytes: Buffer): void {
    this.#outputs.push({ kind: "send", bytes });
  }

  #command(csid: number, streamId: number, name: string, transactionId: number, args: readonly Amf0Value[]): Buffer {
    return encodeMessage(csid, encodeCommand(streamId, { name, transactionId, object: null, args }), this.#chunkSize);
  }

  #fail(failure: ClientFailure): void {
    this.#stage = "closed";
    this.#outputs.push({ kind: "failed", failure });
  }
}
