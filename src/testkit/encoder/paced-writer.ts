import type { Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";

/** The pause between two pieces, in milliseconds: the peer reads each of them by itself. */
const PIECE_PAUSE_MS = 1;

/** Writes to a socket at once, or in small pieces with pauses, as a network may cut data anywhere. */
export class PacedWriter {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #pieceBytes: number | undefined;
  #waiting: Buffer = Buffer.alloc(0);
  #timer: Timer | undefined;
  #endsAfter = false;

  /** `pieceBytes`: absent: everything is sent at once. */
  constructor(socket: Socket, clock: Clock, pieceBytes?: number) {
    this.#socket = socket;
    this.#clock = clock;
    this.#pieceBytes = pieceBytes;
    socket.once("close", () => this.#timer?.cancel());
  }

  write(bytes: Buffer): void {
    if (this.#pieceBytes === undefined) {
      this.#socket.write(bytes);
      return;
    }
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    if (this.#timer === undefined) this.#writePiece(this.#pieceBytes);
  }

  /** Half-closes after the last piece. */
  end(): void {
    this.#endsAfter = true;
    if (this.#timer === undefined) this.#socket.end();
  }

  #writePiece(pieceBytes: number): void {
    this.#timer = undefined;
    if (this.#waiting.length === 0) {
      if (this.#endsAfter) this.#socket.end();
      return;
    }
    this.#socket.write(this.#waiting.subarray(0, pieceBytes));
    this.#waiting = this.#waiting.subarray(pieceBytes);
    this.#timer = this.#clock.startTimer(PIECE_PAUSE_MS, () => this.#writePiece(pieceBytes));
  }
}
