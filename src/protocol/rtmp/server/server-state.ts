import type { Command } from "../command.ts";
import type { ServerHandshake } from "../handshake/handshake.ts";
import type { Message } from "../message.ts";

/** Where the ingest side of a connection is. */
export type ServerState =
  /** Its buffers are most of what a stranger costs: they go with this state. */
  | { readonly at: "handshake"; readonly handshake: ServerHandshake }
  | { readonly at: "waiting-for-connect" }
  | { readonly at: "logging-in"; readonly requestId: number; readonly connect: Command }
  | { readonly at: "waiting-for-publish" }
  | {
      readonly at: "deciding";
      readonly what: "publish" | "play";
      readonly requestId: number;
      readonly streamId: number;
      readonly name: string;
    }
  | { readonly at: "publishing"; readonly streamId: number; readonly name: string; readonly hasMedia: boolean }
  | { readonly at: "playing"; readonly streamId: number; readonly name: string }
  | { readonly at: "closed" };

/** Some encoders publish, and then send their media, on message stream 0. */
export function isOfPublication(state: ServerState, { streamId }: Pick<Message, "streamId">): boolean {
  return state.at === "publishing" && (streamId === state.streamId || streamId === 0);
}

/** All in milliseconds. */
export const SERVER_DEADLINES = {
  /** From the accepted connection, or the end of its last publication, to publish or play: all of it, however it is spread. */
  publishMs: 5_000,
  firstMediaMs: 15_000,
  /** Silence after which we ping; many encoders never answer, so only silence as a whole counts. */
  pingAfterMs: 15_000,
  silenceMs: 30_000,
  /** Once media came it is its channel that says how slow an encoder may be; this is beyond all that. */
  silenceOfMediaMs: 300_000,
} as const;

/** When what happened on a connection, on the owner's monotonic clock, in milliseconds. */
export class ServerTimes {
  nowMs: number;
  stateSinceMs: number;
  /** Since when it has had nothing published and nothing played. */
  unauthenticatedSinceMs: number;
  #lastByteMs: number;
  #hasBytes = false;
  #isPinged = false;

  constructor(nowMs: number) {
    this.nowMs = nowMs;
    this.stateSinceMs = nowMs;
    this.unauthenticatedSinceMs = nowMs;
    this.#lastByteMs = nowMs;
  }

  bytesCame(nowMs: number): void {
    this.nowMs = nowMs;
    this.#lastByteMs = nowMs;
    this.#hasBytes = true;
    this.#isPinged = false;
  }

  /** Once in each silence of whoever publishes. */
  takePingDue(state: ServerState): boolean {
    if (state.at !== "publishing" || this.#isPinged) return false;
    this.#isPinged = this.nowMs - this.#lastByteMs >= SERVER_DEADLINES.pingAfterMs;
    return this.#isPinged;
  }

  /** The first deadline that has passed, in words. A player may be silent: whether it takes what it is sent is its owner's to see. */
  overdue(state: ServerState): string | undefined {
    const limits = SERVER_DEADLINES;
    const isLate = this.nowMs - this.unauthenticatedSinceMs >= limits.publishMs;
    switch (state.at) {
      case "handshake":
        if (!isLate) return undefined;
        return this.#hasBytes ? "the handshake was not finished" : "no byte came";
      case "waiting-for-connect":
        return isLate ? "no connect came" : undefined;
      case "waiting-for-publish":
        return isLate ? "no publish came" : undefined;
      case "publishing":
        if (!state.hasMedia && this.nowMs - this.stateSinceMs >= limits.firstMediaMs) return "no media came";
        return this.nowMs - this.#lastByteMs >= (state.hasMedia ? limits.silenceOfMediaMs : limits.silenceMs)
          ? "the encoder fell silent"
          : undefined;
      default:
        return undefined;
    }
  }
}
