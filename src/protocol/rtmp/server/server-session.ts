import { ProtocolError } from "../../protocol-error.ts";
import { AckMeter } from "../ack-meter.ts";
import { CHUNK_SIZE_INITIAL } from "../chunk/chunk-header.ts";
import { encodeMessage } from "../chunk/chunk-writer.ts";
import { PACE_OF_ENCODER, PACE_UNAUTHENTICATED, PacedReader } from "../chunk/paced-reader.ts";
import type { PayloadSlab } from "../chunk/payload-slab.ts";
import { ServerHandshake } from "../handshake/handshake.ts";
import type { Message } from "../message.ts";
import type { PlayRefusal } from "./play.ts";
import { type DialogueHost, ServerDialogue } from "./server-dialogue.ts";
import type { LoginDecision } from "./server-login.ts";
import type { PublishDecision, ServerOutput } from "./server-outputs.ts";

const NOTHING = Buffer.alloc(0);

/**
 * The server's side of one RTMP connection, an encoder's or a player's, without IO: bytes in, outputs out, time as an
 * argument. The key is given to the owner as `publish-requested`, and the encoder gets no reply before `answer`: OBS
 * reconnects for ever if a refusal comes after `NetStream.Publish.Start`.
 */
export class ServerSession {
  readonly #dialogue: ServerDialogue;
  #outputs: ServerOutput[] = [];
  readonly #reader = new PacedReader(PACE_UNAUTHENTICATED);
  readonly #acks = new AckMeter();
  #chunkSize = CHUNK_SIZE_INITIAL;

  /**
   * `random`: 1528 bytes for the handshake. `nowMs`: the same monotonic clock as in later calls. `slab`: an encoder's
   * payloads are lent from it, valid until the next bytes are received; without it they may be kept.
   */
  constructor(random: Buffer, nowMs: number, slab?: PayloadSlab) {
    const host: DialogueHost = {
      send: (csid, message) => this.#send(csid, message),
      put: (output) => void this.#outputs.push(output),
      hold: () => this.#reader.hold(),
      count: (messages) => this.#reader.count(messages),
      acceptEncoder: () => {
        this.#reader.setPace(PACE_OF_ENCODER);
        if (slab !== undefined) this.#reader.lendPayloads(slab);
      },
      setChunkSize: (bytes) => {
        this.#chunkSize = bytes;
      },
      setAckWindow: (bytes) => this.#acks.setWindow(bytes),
    };
    const handshake = new ServerHandshake(random);
    this.#dialogue = new ServerDialogue(host, { at: "handshake", handshake }, nowMs);
  }

  /**
   * More bytes arrived than are read in a turn: read nothing from the socket. After `READ_TURN_MS`, or the reply that
   * `isAsking` waits for, continue with `receive` of no bytes.
   */
  get isBehind(): boolean {
    return !this.#isClosed && this.#reader.isBehind;
  }

  /**
   * A request to the owner is open, and nothing after it is read. Media that an encoder sends without waiting for the
   * reply is kept. A peer without a key has one request at a time, and no more than one read is kept of it.
   */
  get isAsking(): boolean {
    const { at } = this.#dialogue.state;
    return at === "deciding" || at === "logging-in";
  }

  /** Takes bytes from the socket; `isLast`: nothing comes after them. After `closed` everything is ignored. */
  receive(bytes: Buffer, nowMs: number, isLast = false): readonly ServerOutput[] {
    if (this.#isClosed || (bytes.length === 0 && !this.isBehind)) return [];
    this.#dialogue.times.bytesCame(nowMs);
    this.#read(bytes, isLast);
    return this.#takeOutputs();
  }

  /** Decides a `publish-requested`. A late reply, to a request that is gone, does nothing. */
  answer(requestId: number, decision: PublishDecision, nowMs: number): readonly ServerOutput[] {
    return this.#goOn(nowMs, () => this.#dialogue.answer(requestId, decision));
  }

  /** The same for a `play-requested`. The owner sends the media of an accepted play itself, by `encodePlayed`. */
  answerPlay(requestId: number, decision: "accept" | PlayRefusal, nowMs: number): readonly ServerOutput[] {
    return this.#goOn(nowMs, () => this.#dialogue.answerPlay(requestId, decision));
  }

  /** The same for a `login-requested`. */
  answerLogin(requestId: number, decision: LoginDecision, nowMs: number): readonly ServerOutput[] {
    return this.#goOn(nowMs, () => this.#dialogue.answerLogin(requestId, decision));
  }

  /** The played stream is over, or the player was too slow for it. */
  endPlay(): readonly ServerOutput[] {
    this.#dialogue.endPlay();
    return this.#takeOutputs();
  }

  /** Call about once a second: enforces the deadlines, and pings a silent encoder. */
  tick(nowMs: number): readonly ServerOutput[] {
    if (this.#isClosed) return [];
    this.#dialogue.times.nowMs = nowMs;
    this.#dialogue.tick();
    return this.#takeOutputs();
  }

  /**
   * Asks an encoder that publishes, and supports it, to connect again. It goes on here until it does. Else no outputs.
   */
  requestReconnect(): readonly ServerOutput[] {
    this.#dialogue.requestReconnect();
    return this.#takeOutputs();
  }

  /** The connection is gone: drops everything that is kept. */
  forget(): void {
    this.#dialogue.forget();
    this.#reader.forget();
  }

  get #isClosed(): boolean {
    return this.#dialogue.state.at === "closed";
  }

  #read(bytes: Buffer, isLast: boolean): void {
    try {
      const { state } = this.#dialogue;
      const chunks = state.at === "handshake" ? this.#shakeHands(state.handshake, bytes) : bytes;
      if (chunks.length > 0 || this.isBehind) this.#readChunks(chunks, isLast);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#dialogue.close(error.fault === "too-many-messages" ? error.fault : "protocol-error", error.message);
    }
  }

  /** The request has its reply: continues to read after it. */
  #goOn(nowMs: number, decide: () => boolean): readonly ServerOutput[] {
    this.#dialogue.times.nowMs = nowMs;
    if (!decide()) return [];
    this.#reader.release();
    if (this.isBehind) this.#read(NOTHING, false);
    return this.#takeOutputs();
  }

  #shakeHands(handshake: ServerHandshake, bytes: Buffer): Buffer {
    const step = handshake.receive(bytes);
    if (step.send !== undefined) this.#outputs.push({ kind: "send", bytes: step.send });
    if (step.isDone) this.#dialogue.begin();
    return step.rest;
  }

  #readChunks(bytes: Buffer, isLast: boolean): void {
    const dialogue = this.#dialogue;
    this.#reader.receive(bytes, dialogue.times.nowMs, isLast, (message) => dialogue.take(message));
    const ack = this.#acks.due(this.#reader.bytesReceived);
    if (ack !== undefined && !this.#isClosed) this.#send(2, ack);
  }

  #send(csid: number, message: Message): void {
    this.#outputs.push({ kind: "send", bytes: encodeMessage(csid, message, this.#chunkSize) });
  }

  #takeOutputs(): readonly ServerOutput[] {
    const outputs = this.#outputs;
    this.#outputs = [];
    return outputs;
  }
}
