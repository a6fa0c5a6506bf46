import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import { encodeFlvTag, FLV_FILE_START } from "../protocol/flv/flv-tag.ts";
import { type Message, MessageType } from "../protocol/rtmp/message.ts";

/** Before an encoder's metadata; a file has only the metadata. */
const SET_DATA_FRAME = Buffer.from("02000d40736574446174614672616d65", "hex");

/** One publication as an FLV file, message by message, with the received timestamps. */
export class Recording {
  readonly path: string;
  readonly #file: WriteStream;
  readonly #finished: Promise<void>;

  /** `onDrained`: called when a refused write may continue. */
  constructor(path: string, onDrained: () => void) {
    this.path = path;
    this.#file = createWriteStream(path);
    this.#finished = finished(this.#file);
    // `close` reports it; until then a failure must not end the process.
    this.#finished.catch(() => undefined);
    this.#file.on("drain", onDrained);
    this.#file.write(FLV_FILE_START);
  }

  /** False: the disk is behind, and nothing more should be read until `onDrained` is called. */
  write(message: Message): boolean {
    const { type, timestamp, payload } = message;
    const isWrapped =
      type === MessageType.DataAmf0 && payload.subarray(0, SET_DATA_FRAME.length).equals(SET_DATA_FRAME);
    const body = isWrapped ? payload.subarray(SET_DATA_FRAME.length) : payload;
    return this.#file.write(encodeFlvTag({ type, timestamp, payload: body }));
  }

  /** Resolves once everything is in the file; rejects where it could not be written. */
  async close(): Promise<void> {
    this.#file.end();
    await this.#finished;
  }
}
