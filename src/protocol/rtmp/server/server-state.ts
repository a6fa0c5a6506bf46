import type { Command } from "../command.ts";
import type { ServerHandshake } from "../handshake/handshake.ts";
import type { Message } from "../message.ts";

/** The state of a connection to our server. */
export type ServerState =
  /** The handshake's buffers are most of an unauthenticated connection's memory: they go with this state. */
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
  /**
   * From the accepted connection, or the end of its last publication, until publish or play: one deadline for all
   * steps. With TLS 1.2 they are five round trips, and each may take seconds where an uplink is full.
   */
  publishMs: 15_000,
  firstMediaMs: 15_000,
  /** Silence after which we ping. Many encoders never reply, so only complete silence counts. */
  pingAfterMs: 15_000,
  silenceMs: 30_000,
  /** Once media arrived, its channel decides how slow an encoder may be; this limit is beyond that. */
  silenceOfMediaMs: 300_000,
} as const;

/** The times of one connection, on the owner's monotonic clock, in milliseconds. */
export class ServerTimes {
  nowMs: number;
  stateSinceMs: number;
  /** Since when the connection has published nothing and played nothing. */
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

  /** Once in each silence of an encoder. */
  takePingDue(state: ServerState): boolean {
    if (state.at !== "publishing" || this.#isPinged) return false;
    this.#isPinged = this.nowMs - this.#lastByteMs >= SERVER_DEADLINES.pingAfterMs;
    return this.#isPinged;
  }

  /**
   * The first deadline that has passed, in words. A player may be silent: its owner checks whether it takes what it is
   * sent.
   */
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
          ? "the encoder sent nothing"
          : undefined;
      default:
        return undefined;
    }
  }
}
