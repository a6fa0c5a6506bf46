import { ProtocolError } from "../../protocol-error.ts";
import type { Message } from "../message.ts";
import { ChunkReader } from "./chunk-reader.ts";
import { LIMITS_BEFORE_PUBLISH, LIMITS_CLIENT, LIMITS_PUBLISHING, type ReaderLimits } from "./reader-limits.ts";

/** The length of a turn, in milliseconds: a peer's messages are counted by turns. */
export const READ_TURN_MS = 50;
/**
 * How many messages of one peer are read in a turn, about 10 ms of work. The busiest encoder, with many tracks, sends
 * 25 in a turn. Further messages are read in the next turn, so that other peers are served in between.
 */
export const TURN_MESSAGES_MAX = 2_000;
/**
 * When a peer has ended, its messages of this many turns are read at once: more than an encoder's stream buffer holds
 * of the shortest ones.
 */
const LAST_TURNS = 10;
const FLOOD_SECONDS = 10;
/** Messages in ten seconds: no encoder sends more, not even one that catches up at fifty times real time. */
export const FLOOD_MESSAGES_MAX = 200_000;

const NOTHING = Buffer.alloc(0);

/** How much is read from a peer, in a turn and in total. */
export type Pace = {
  readonly limits: ReaderLimits;
  readonly turnMessagesMax: number;
  readonly turnBytesMax: number;
  /** In ten seconds. */
  readonly floodMessagesMax: number;
  readonly floodBytesMax: number;
};

/**
 * For a peer whose key is not known yet. To connect and ask takes ten messages; one address may have some dozens of
 * connections.
 */
export const PACE_UNAUTHENTICATED: Pace = {
  limits: LIMITS_BEFORE_PUBLISH,
  turnMessagesMax: 100,
  turnBytesMax: 64 * 1_024,
  floodMessagesMax: 2_000,
  floodBytesMax: 1_024 * 1_024,
};

/** For an encoder: as many bytes as its connection can transmit. */
export const PACE_OF_ENCODER: Pace = {
  limits: LIMITS_PUBLISHING,
  turnMessagesMax: TURN_MESSAGES_MAX,
  turnBytesMax: Number.POSITIVE_INFINITY,
  floodMessagesMax: FLOOD_MESSAGES_MAX,
  floodBytesMax: Number.POSITIVE_INFINITY,
};

/** For a target, which sends a few replies and acknowledges what it gets, in less than 100 bytes a second. */
export const PACE_OF_TARGET: Pace = {
  limits: LIMITS_CLIENT,
  turnMessagesMax: 200,
  turnBytesMax: 64 * 1_024,
  floodMessagesMax: 20_000,
  floodBytesMax: 4 * 1_024 * 1_024,
};

/**
 * A chunk reader for peers that may send anything. A message costs us about the same however short it is, and 2 MiB,
 * which an encoder may send in one turn, can hold two million. Bytes beyond a turn's messages are copied and kept: no
 * more than the caller gives while `isBehind`.
 */
export class PacedReader {
  #pace: Pace;
  readonly #reader: ChunkReader;
  /** Received, and not read yet. */
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
    // The first turn, also for a caller without a clock.
    this.#left = pace.turnMessagesMax;
    this.#bytesLeft = pace.turnBytesMax;
  }

  /** Bytes are kept for later, or would be: read nothing from the peer, and give nothing for a while. */
  get isBehind(): boolean {
    return this.#isHeld || this.#rest.length > 0;
  }

  /** Bytes of chunks that were read, without the handshake; never wraps. */
  get bytesReceived(): number {
    return this.#reader.bytesReceived;
  }

  /** Takes effect with the next turn; its limits with the next header. */
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
   * Takes the received bytes (none: continues with the kept ones) and delivers the messages that they complete, in
   * order, as many as are left in this turn. `isLast`: as many as an encoder can have left over.
   *
   * @throws ProtocolError, also "too-many-messages" where more arrived in ten seconds than any encoder sends.
   */
  receive(bytes: Buffer, nowMs: number, isLast: boolean, onMessage: (message: Message) => void): void {
    if (nowMs - this.#turnStartedMs >= READ_TURN_MS) this.#startTurn(nowMs);
    if (isLast) this.#left = LAST_TURNS * this.#pace.turnMessagesMax;
    const isRest = bytes.length === 0;
    const input = isRest ? this.#rest : this.isBehind ? Buffer.concat([this.#rest, bytes]) : bytes;
    const mayRead = this.#left > 0 && this.#bytesLeft > 0 && !this.#isHeld;
    const taken = mayRead ? this.#read(input, onMessage) : 0;
    const untaken = input.subarray(taken);
    // The input belongs to the caller again; kept bytes are a copy.
    this.#rest = untaken.length === 0 ? NOTHING : isRest ? untaken : Buffer.from(untaken);
  }

  /** For `onMessage`, where a message holds others: counts this many more. */
  count(messages: number): void {
    this.#left -= messages;
    if (this.#left <= 0) this.#reader.halt();
  }

  /** For `onMessage`: nothing after this message is read before `release`. */
  hold(): void {
    this.#isHeld = true;
    this.#reader.halt();
  }

  release(): void {
    this.#isHeld = false;
  }

  /** Drops the kept bytes. */
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
