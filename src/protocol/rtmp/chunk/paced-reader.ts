import { ProtocolError } from "../../protocol-error.ts";
import type { Message } from "../message.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { LIMITS_BEFORE_PUBLISH, LIMITS_CLIENT, LIMITS_PUBLISHING, type ReaderLimits } from "./reader-limits.ts";

/** A peer's messages are counted by turns of so many milliseconds. */
export const READ_TURN_MS = 50;
/**
 * Messages of one peer that are read in a turn, some 10 ms of work; the busiest encoder, with many tracks, sends 25 in it. What comes beyond
 * them is read in the next turn, so that others are served in between.
 */
export const TURN_MESSAGES_MAX = 2_000;
/** So many turns' messages of a peer that has ended: of an encoder more than a stream's buffer of the shortest ones. */
const LAST_TURNS = 10;
const FLOOD_SECONDS = 10;
/** Messages in ten seconds: no encoder sends so many, not even one that catches up at fifty times real time. */
export const FLOOD_MESSAGES_MAX = 200_000;

const NOTHING = Buffer.alloc(0);

/** How much of a peer is read, in a turn and at all. */
export type Pace = {
  readonly limits: ReaderLimits;
  readonly turnMessagesMax: number;
  readonly turnBytesMax: number;
  /** In ten seconds. */
  readonly floodMessagesMax: number;
  readonly floodBytesMax: number;
};

/** Of a peer whose key is not known yet. To connect and ask takes ten messages; one address may have some dozens of connections. */
export const PACE_UNAUTHENTICATED: Pace = {
  limits: LIMITS_BEFORE_PUBLISH,
  turnMessagesMax: 100,
  turnBytesMax: 64 * 1_024,
  floodMessagesMax: 2_000,
  floodBytesMax: 1_024 * 1_024,
};

/** Of an encoder, which sends what it has been asked for: as many bytes as its connection carries. */
export const PACE_OF_ENCODER: Pace = {
  limits: LIMITS_PUBLISHING,
  turnMessagesMax: TURN_MESSAGES_MAX,
  turnBytesMax: Number.POSITIVE_INFINITY,
  floodMessagesMax: FLOOD_MESSAGES_MAX,
  floodBytesMax: Number.POSITIVE_INFINITY,
};

/** Of a target, which has a few answers to give and acknowledges what it gets, in less than 100 bytes a second. */
export const PACE_OF_TARGET: Pace = {
  limits: LIMITS_CLIENT,
  turnMessagesMax: 200,
  turnBytesMax: 64 * 1_024,
  floodMessagesMax: 20_000,
  floodBytesMax: 4 * 1_024 * 1_024,
};

/**
 * A chunk reader for whoever may send anything: a message costs us about the same however short it is, and 2 MiB, which an
 * encoder may bring in one turn, can hold two million. What is beyond a turn's messages is copied and kept: no more than the caller
 * gives while `isBehind`.
 */
export class PacedReader {
  #pace: Pace;
  readonly #reader: ChunkReader;
  /** Given, and not read yet. */
  #rest: Buffer = NOTHING;
  #turnStartedMs = Number.NEGATIVE_INFINITY;
  #left: number;
  #bytesLeft: number;
  #isHeld = false;
  #floodStartedMs = Number.NEGATIVE_INFINITY;
  #floodCount = 0;
  #floodBytes = 0;

  constructor(pace: Pace) {
    this.#pace = pace;
    this.#reader = new ChunkReader(pace.limits);
    // A first turn, also for a caller that has no clock to give.
    this.#left = pace.turnMessagesMax;
    this.#bytesLeft = pace.turnBytesMax;
  }

  /** Something is kept for later, or would be: read nothing from the peer, and give nothing in a while. */
  get isBehind(): boolean {
    return this.#isHeld || this.#rest.length > 0;
  }

  /** Bytes of chunks that were read, without the handshake; never wraps. */
  get bytesReceived(): number {
    return this.#reader.bytesReceived;
  }

  /** From the next turn on, its limits from the next header on. */
  setPace(pace: Pace): void {
    this.#pace = pace;
    this.#reader.setLimits(pace.limits);
    this.#turnStartedMs = Number.NEGATIVE_INFINITY;
    this.#floodStartedMs = Number.NEGATIVE_INFINITY;
  }

  lendPayloads(...args: Parameters<ChunkReader["lendPayloads"]>): void {
    this.#reader.lendPayloads(...args);
  }

  /**
   * Takes the bytes that came, none to go on with what is kept, and hands over the messages they complete, in order, as many as the turn
   * has left; where they are the last, as many as an encoder can have left over.
   *
   * @throws ProtocolError, also "too-many-messages" where more came in ten seconds than any encoder sends.
   */
  receive(bytes: Buffer, nowMs: number, isLast: boolean, onMessage: (message: Message) => void): void {
    if (nowMs - this.#turnStartedMs >= READ_TURN_MS) this.#startTurn(nowMs);
    if (isLast) this.#left = LAST_TURNS * this.#pace.turnMessagesMax;
    const isRest = bytes.length === 0;
    const input = isRest ? this.#rest : this.isBehind ? Buffer.concat([this.#rest, bytes]) : bytes;
    const mayRead = this.#left > 0 && this.#bytesLeft > 0 && !this.#isHeld;
    const taken = mayRead ? this.#read(input, onMessage) : 0;
    const untaken = input.subarray(taken);
    // The caller's bytes are the caller's again; what was kept is ours.
    this.#rest = untaken.length === 0 ? NOTHING : isRest ? untaken : Buffer.from(untaken);
  }

  /** Called by `onMessage` where a message holds others: so many more are as good as read. */
  count(messages: number): void {
    this.#left -= messages;
    if (this.#left <= 0) this.#reader.halt();
  }

  /** To be called by `onMessage`: nothing behind this message is read before `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#reader.halt();
  }

  release(): void {
    this.#isHeld = false;
  }

  /** What is kept will not be read. */
  forget(): void {
    this.#rest = NOTHING;
  }

  #startTurn(nowMs: number): void {
    if (nowMs - this.#floodStartedMs >= FLOOD_SECONDS * 1_000) {
      this.#floodStartedMs = nowMs;
      this.#floodCount = 0;
      this.#floodBytes = 0;
    }
    this.#turnStartedMs = nowMs;
    this.#left = this.#pace.turnMessagesMax;
    this.#bytesLeft = this.#pace.turnBytesMax;
  }

  #read(input: Buffer, onMessage: (message: Message) => void): number {
    const before = this.#left;
    const share = input.length > this.#bytesLeft ? input.subarray(0, this.#bytesLeft) : input;
    const taken = this.#reader.receive(share, (message) => {
      this.count(1);
      onMessage(message);
    });
    this.#bytesLeft -= taken;
    this.#floodBytes += taken;
    this.#floodCount += before - this.#left;
    const { floodMessagesMax, floodBytesMax } = this.#pace;
    if (this.#floodCount > floodMessagesMax) throw tooMany(`${floodMessagesMax}`);
    if (this.#floodBytes > floodBytesMax) throw tooMany(`${floodBytesMax} bytes`);
    return taken;
  }
}

function tooMany(what: string): ProtocolError {
  return new ProtocolError("too-many-messages", `more than ${what} in ${FLOOD_SECONDS} seconds`);
}
