import { ProtocolError } from "../../protocol-error.ts";
import type { Command } from "../command.ts";
import { publishKey } from "../url.ts";

/** Streams open at the same time: a peer that publishes again and again on one connection opens one each time. */
const OPEN_MAX = 8;

/**
 * The message streams of one connection. Numbers of deleted streams are used again: encoders expect the first to be 1.
 */
export class MessageStreams {
  readonly #open = new Set<number>();
  /** Those whose publication or playback is over, the earliest first. Some clients never delete them. */
  readonly #over = new Set<number>();
  #highest = 0;
  #newest = 1;

  /**
   * Where too many are open, one whose use is over is forgotten.
   *
   * @throws ProtocolError where there is none.
   */
  create(): number {
    const [over] = this.#over;
    if (this.#open.size >= OPEN_MAX && over !== undefined) this.#delete(over);
    if (this.#open.size >= OPEN_MAX) {
      throw new ProtocolError("unexpected-command", `more than ${OPEN_MAX} message streams`);
    }
    let streamId = 1;
    while (this.#open.has(streamId)) streamId += 1;
    this.#open.add(streamId);
    this.#highest = Math.max(this.#highest, streamId);
    this.#newest = streamId;
    return streamId;
  }

  /**
   * Removes the stream that a `deleteStream` names. GStreamer names none: it has one, and deletes it with the
   * connection.
   */
  take(farewell: Command): void {
    const [streamId] = farewell.args;
    if (farewell.name === "deleteStream" && typeof streamId === "number") this.#delete(streamId);
  }

  /** A publication or playback begins on this stream. */
  use(streamId: number): void {
    this.#over.delete(streamId);
  }

  /** It is over. The client may use the stream again. */
  leave(streamId: number): void {
    if (this.#open.has(streamId)) this.#over.add(streamId);
  }

  #delete(streamId: number): void {
    this.#open.delete(streamId);
    this.#over.delete(streamId);
  }

  /** The stream of a message. Some clients publish, and play, on message stream 0. */
  of(streamId: number): number {
    return streamId === 0 ? this.#newest : streamId;
  }

  /** Whether this is, or was, another stream of the connection. */
  isAnother(streamId: number, than: number): boolean {
    return streamId !== than && Number.isInteger(streamId) && streamId >= 1 && streamId <= this.#highest;
  }
}

/** What is published or played, and under which name. */
export type Occupied = { readonly streamId: number; readonly app: string; readonly name: string };

/**
 * Whether a farewell (`deleteStream`, `closeStream`, `FCUnpublish`) is about another stream of the connection than this
 * one. A farewell that names no known stream is about this one: GStreamer sends the stream's name in place of its
 * number.
 */
export function isForAnother(farewell: Command, onStreamId: number, streams: MessageStreams, used: Occupied): boolean {
  const said = farewell.args[0];
  switch (farewell.name) {
    case "deleteStream":
      return typeof said === "number" && streams.isAnother(said, used.streamId);
    case "closeStream":
      return streams.isAnother(onStreamId, used.streamId);
    default:
      return typeof said === "string" && said !== "" && said !== used.name && !isSameKey(said, used);
  }
}

function isSameKey(name: string, used: Occupied): boolean {
  return publishKey(used.app, name) === publishKey(used.app, used.name);
}
