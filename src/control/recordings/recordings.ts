import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { FromRecorder } from "../../thread-protocol/recordings/recorder-messages.ts";
import type { RecordingFile, RecordingKey } from "../../thread-protocol/recordings/recordings.ts";
import type { ChannelChanged } from "../facts/server-fact.ts";
import { DomainError } from "../ports/errors.ts";
import { type RecorderPort, RecorderUnavailableError } from "../ports/recorder.ts";
import type { Page } from "../ports/store.ts";

export type RecordingsOptions = {
  readonly recorder: RecorderPort;
  readonly clock: Clock;
  /** A channel's name; undefined where it is deleted. */
  readonly readName: (channelId: ChannelId) => Promise<string | undefined>;
  /** Called when a person deleted a recording. */
  readonly onDeleted: (fact: ChannelChanged) => void;
};

/** The recordings on this server's disk, as the recorder last reported them. */
export class Recordings {
  readonly #options: RecordingsOptions;
  readonly #files = new Map<string, RecordingFile>();

  constructor(options: RecordingsOptions) {
    this.#options = options;
  }

  /** Takes what the recorder reports. */
  take(news: Extract<FromRecorder, { kind: "files" | "file" | "file-gone" }>): void {
    if (news.kind === "file-gone") {
      this.#files.delete(keyOf(news.file));
      return;
    }
    if (news.kind === "files") this.#files.clear();
    for (const file of news.kind === "files" ? news.files : [news.file]) this.#files.set(keyOf(file), file);
  }

  /** How many recordings there are, and their bytes in all. */
  get totals(): { readonly files: number; readonly bytes: number } {
    let bytes = 0;
    for (const file of this.#files.values()) bytes += file.bytes;
    return { files: this.#files.size, bytes };
  }

  /** Newest first; of one channel, which may be deleted, or of all. `total` counts all pages. */
  list(
    channelId: ChannelId | undefined,
    { number, size }: Page,
  ): { readonly files: readonly RecordingFile[]; readonly total: number } {
    const found = [...this.#files.values()]
      .filter((file) => channelId === undefined || file.channelId === channelId)
      .sort((left, right) => right.startTime - left.startTime || (keyOf(left) < keyOf(right) ? 1 : -1));
    return { files: found.slice((number - 1) * size, number * size), total: found.length };
  }

  /** Throws DomainError `recording-not-found`. */
  get(key: RecordingKey): RecordingFile {
    const file = this.#files.get(keyOf(key));
    if (file === undefined) throw new DomainError({ kind: "recording-not-found" });
    return file;
  }

  /**
   * Returns the bytes from `from` on, at most `length` of them. Rejects with DomainError `recording-not-found` and
   * RecorderUnavailableError.
   */
  async read(key: RecordingKey, from: number, length: number): Promise<Uint8Array> {
    const { channelId, recordingId } = key;
    const reply = await this.#options.recorder.ask({ kind: "read", channelId, recordingId, from, length });
    if (reply.kind !== "read" || reply.part.found === "failed") throw new RecorderUnavailableError();
    if (reply.part.found === "none") throw new DomainError({ kind: "recording-not-found" });
    return reply.part.bytes;
  }

  /**
   * Removes a finished recording from the disk; returns it as it was. Rejects with DomainError `recording-not-found` or
   * `recording-in-use`, and RecorderUnavailableError.
   */
  async delete(key: RecordingKey): Promise<RecordingFile> {
    const file = this.get(key);
    const { channelId, recordingId } = file;
    const reply = await this.#options.recorder.ask({ kind: "delete", channelId, recordingId });
    if (reply.kind !== "delete" || reply.result === "failed") throw new RecorderUnavailableError();
    if (reply.result === "in-use") throw new DomainError({ kind: "recording-in-use" });
    if (reply.result === "not-found") throw new DomainError({ kind: "recording-not-found" });
    this.#files.delete(keyOf(key));
    const { clock, readName, onDeleted } = this.#options;
    const channelName = (await readName(channelId)) ?? channelId;
    const time = clock.wallNow();
    onDeleted({ kind: "channel-changed", change: "recording-deleted", time, channelId, channelName, recordingId });
    return file;
  }
}

function keyOf({ channelId, recordingId }: RecordingKey): string {
  return `${channelId}/${recordingId}`;
}
