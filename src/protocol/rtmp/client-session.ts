import { AMF0_LIMITS } from "../amf0/decode.ts";
import { type Amf0Value, amf0Object, textProperty } from "../amf0/value.ts";
import { AckMeter } from "./ack-meter.ts";
import { CHUNK_SIZE_INITIAL } from "./chunk-header.ts";
import { ChunkReader, LIMITS_CLIENT } from "./chunk-reader.ts";
import { encodeMessage } from "./chunk-writer.ts";
import { type Command, decodeCommand, encodeCommand } from "./command.ts";
import { decodeControl, encodeControl } from "./control.ts";
import { type EnhancedPeer, enhancedProperties, PLAIN_PEER, readEnhancedPeer } from "./enhanced-connect.ts";
import { ClientHandshake } from "./handshake.ts";
import { type Message, MessageType } from "./message.ts";
import { ProtocolError } from "./protocol-error.ts";
import { type LoginDemand, readLoginDemand } from "./publish-auth.ts";

/** Where and as what to publish. `name` is the stream key: a secret, sent byte for byte. */
export type ClientPublication = {
  readonly app: string;
  readonly tcUrl: string;
  readonly name: string;
  /** What a login adds to `app` and `tcUrl`, from `LoginDialogue`. */
  readonly loginQuery?: string;
  /** Bits of `capsEx` that are not to be announced. */
  readonly capsLacking?: number;
};

/** Where the dialogue stands: each stage has a deadline of its own, held by whoever owns the socket. */
export type ClientStage = "handshake" | "connect" | "publish" | "publishing" | "closed";

/** How a server said no, or broke off. `code` is its `NetConnection.…` / `NetStream.…` word; never its free text. */
export type ClientFailure =
  | { readonly kind: "connect-rejected"; readonly code: string }
  /** It wants a user name and password, on a connection of their own, or did not like ours. */
  | { readonly kind: "login-demanded"; readonly code: string; readonly demand: LoginDemand }
  /** `isInUse`: it said that somebody publishes with this key already. */
  | { readonly kind: "publish-rejected"; readonly code: string; readonly isInUse: boolean }
  /** It hung up by a message, or had trouble with a running publication: no verdict about address or key. */
  | { readonly kind: "ended-by-server"; readonly code: string }
  | { readonly kind: "protocol-error"; readonly during: ClientStage; readonly detail: string };

export type ClientOutput =
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** `NetStream.Publish.Start` came: media may be sent on this message stream. */
  | { readonly kind: "publishing"; readonly streamId: number }
  /** It wants us to connect again, soon: elsewhere where it names an address, absolute or relative to the present one. */
  | { readonly kind: "reconnect-requested"; readonly tcUrl?: string }
  /** The server's running total of bytes it received, modulo 2³². */
  | { readonly kind: "acknowledged"; readonly bytesTotal: number }
  /** Last output: close the connection. */
  | { readonly kind: "failed"; readonly failure: ClientFailure };

const WINDOW_ACK_SIZE = 2_500_000;
/** What servers of the Akamai family start their login dialogue for; OBS sends exactly this. */
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

/** Codes that end a publication although some servers send them with level "status". */
const ENDING_CODES: ReadonlySet<string> = new Set(["NetStream.Unpublish.Success", "NetConnection.Connect.Closed"]);

/** What OBS treats as an error whatever the level says. */
const ERROR_CODES: ReadonlySet<string> = new Set([
  "NetStream.Failed",
  "NetStream.Publish.BadName",
  "NetStream.Publish.Denied",
  "NetStream.Publish.Rejected",
  "NetStream.Publish.Unauthorized",
  "NetConnection.Connect.InvalidApp",
  "NetConnection.Connect.Rejected",
  "NetConnection.Connect.Failed",
]);

/**
 * The publishing side of one RTMP connection, without IO: does what OBS does, in OBS's order, since that is what every
 * platform is tested against. Simple handshake, Set Chunk Size before connect, releaseStream, FCPublish and createStream back
 * to back, publish as "live", and no media before `NetStream.Publish.Start` (nginx-rtmp's own push does not wait and
 * loses its headers at some servers).
 */
export class ClientSession {
  #stage: ClientStage = "handshake";
  #outputs: ClientOutput[] = [];
  readonly #publication: ClientPublication;
  readonly #handshake: ClientHandshake;
  readonly #reader = new ChunkReader(LIMITS_CLIENT);
  readonly #acks = new AckMeter();
  readonly #chunkSize: number;
  #windowSent = 0;
  #peer: EnhancedPeer = PLAIN_PEER;
  #streamId = 0;

  /** `random`: 1528 bytes for the handshake. `chunkSize`: what we cut for, announced before connect. */
  constructor(publication: ClientPublication, random: Buffer, chunkSize: number) {
    this.#publication = publication;
    this.#handshake = new ClientHandshake(random);
    this.#chunkSize = chunkSize;
  }

  /** What the server said of Enhanced RTMP. */
  get peer(): EnhancedPeer {
    return this.#peer;
  }

  get stage(): ClientStage {
    return this.#stage;
  }

  /** C0 and C1, to be sent in one write as soon as the connection stands. */
  start(): Buffer {
    return this.#handshake.start();
  }

  /** Takes bytes from the socket. After `failed` everything is ignored. */
  receive(bytes: Buffer): readonly ClientOutput[] {
    if (this.#stage === "closed" || bytes.length === 0) return [];
    try {
      const chunks = this.#stage === "handshake" ? this.#shakeHands(bytes) : bytes;
      if (chunks.length > 0) this.#readChunks(chunks);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#fail({ kind: "protocol-error", during: this.#stage, detail: error.message });
    }
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }

  /**
   * FCUnpublish and deleteStream, for a wanted stop: platforms take it to mean that the broadcast is over. Empty where
   * nothing was published yet.
   */
  unpublish(): Buffer {
    const hadStream = this.#streamId > 0;
    this.#stage = "closed";
    if (!hadStream) return Buffer.alloc(0);
    return Buffer.concat([
      this.#command(3, 0, "FCUnpublish", Transaction.FcUnpublish, [this.#publication.name]),
      this.#command(3, 0, "deleteStream", Transaction.DeleteStream, [this.#streamId]),
    ]);
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
    this.#reader.receive(bytes, (message) => {
      if (this.#stage !== "closed") this.#take(message);
    });
    const ack = this.#acks.due(this.#reader.bytesReceived);
    if (ack !== undefined && this.#stage !== "closed") this.#sendControl(ack);
  }

  /** Whatever media or data a server sends us is read, counted for the acknowledgement, and ignored. */
  #take(message: Message): void {
    if (message.type === MessageType.CommandAmf0 || message.type === MessageType.CommandAmf3) {
      this.#takeCommand(decodeCommand(message, AMF0_LIMITS));
    } else {
      this.#takeControl(message);
    }
  }

  #takeControl(message: Message): void {
    const control = decodeControl(message);
    if (control === undefined) return;
    switch (control.kind) {
      case "window-ack-size":
        return this.#acks.setWindow(control.bytes);
      case "set-peer-bandwidth":
        return this.#announceWindow(control.bytes);
      case "ping-request":
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
    } else if (command.transactionId === Transaction.CreateStream && this.#stage === "publish") {
      const streamId = command.args.find((value) => typeof value === "number");
      if (streamId === undefined) throw new ProtocolError("unexpected-command", "createStream answered no number");
      this.#streamId = streamId;
      this.#send(this.#command(4, streamId, "publish", Transaction.Publish, [this.#publication.name, "live"]));
    } else if (command.transactionId === Transaction.Publish && this.#streamId > 0) {
      this.#startPublishing();
    }
  }

  /** Errors about releaseStream and FCPublish are common and mean nothing. */
  #takeError(command: Command): void {
    const code = codeOf(command);
    if (command.transactionId === Transaction.Connect) {
      const demand = readLoginDemand(descriptionOf(command));
      this.#fail(demand === undefined ? { kind: "connect-rejected", code } : { kind: "login-demanded", code, demand });
    } else if (command.transactionId === Transaction.CreateStream || command.transactionId === Transaction.Publish) {
      this.#fail({ kind: "publish-rejected", code, isInUse: saysInUse(command) });
    }
  }

  /** Servers send onStatus with transaction 0 or 5, on the message stream or on 0: only its words count. */
  #takeStatus(command: Command): void {
    const code = codeOf(command);
    if (code === "NetStream.Publish.Start") return this.#startPublishing();
    if (code === "NetConnection.Connect.ReconnectRequest") return this.#takeReconnectRequest(command);
    const isError = levelOf(command) === "error" || ERROR_CODES.has(code);
    const isEnd = this.#stage === "publishing" && ENDING_CODES.has(code);
    if (!isError && !isEnd) return;
    if (this.#stage === "connect") this.#fail({ kind: "connect-rejected", code });
    else if (this.#stage === "publishing") this.#fail({ kind: "ended-by-server", code });
    else this.#fail({ kind: "publish-rejected", code, isInUse: saysInUse(command) });
  }

  #takeReconnectRequest(command: Command): void {
    if (this.#stage !== "publishing") return;
    const tcUrl = information(command, "tcUrl");
    this.#outputs.push({ kind: "reconnect-requested", ...(tcUrl === "" ? {} : { tcUrl }) });
  }

  #startPublishing(): void {
    if (this.#stage !== "publish" || this.#streamId === 0) return;
    this.#stage = "publishing";
    this.#outputs.push({ kind: "publishing", streamId: this.#streamId });
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

/** The information object is the first argument by the specification; some servers put it in the command object. */
function information(command: Command, property: string): string {
  for (const value of [...command.args, command.object]) {
    const text = textProperty(value, property);
    if (text !== undefined) return text;
  }
  return "";
}

const CODE_LENGTH_MAX = 64;

/** Only what looks like a code: a server may echo our key in any text, and a code goes into logs. */
function codeOf(command: Command): string {
  const code = information(command, "code");
  return /^Net(Stream|Connection)\.[A-Za-z.]+$/.test(code) ? code.slice(0, CODE_LENGTH_MAX) : "";
}

function levelOf(command: Command): string {
  return information(command, "level");
}

function descriptionOf(command: Command): string {
  return information(command, "description");
}

function saysInUse(command: Command): boolean {
  return /already (publish|in use|exist)|in use|busy/i.test(descriptionOf(command));
}
