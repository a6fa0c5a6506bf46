import type { Writable } from "node:stream";
import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { LiveRing } from "./live-ring.ts";

/** Bytes of a snapshot that may wait for one reader's socket. */
const SNAPSHOT_WAITING_MAX = 256 * 1024;

/** How soon a browser that lost the stream reconnects, in milliseconds. */
const RETRY_MS = 2_000;

export type ReaderOptions = {
  /** What is written here goes to the reader. */
  readonly response: Writable;
  readonly ring: LiveRing;
  readonly clock: Clock;
  /** Distinguishes the ids of this process from those of an earlier one. */
  readonly epoch: string;
  readonly isViewer: boolean;
  readonly accessKeyId: string;
  /** Only this channel, where set. */
  readonly channelId: ChannelId | undefined;
};

/**
 * One open event stream. It reads the shared ring at its own pace and holds nothing beyond what its socket has been
 * given. Samples are only for readers that keep up.
 */
export class LiveReader {
  readonly #options: ReaderOptions;
  /** Sequence of the last entry handled; undefined while the snapshot is being written. */
  #cursor: number | undefined;
  /** The last write waits for its socket. */
  #isStuck = false;
  #isBehind = false;
  #onDrained: (() => void) | undefined;
  /** The server's state that was not sent here yet. */
  #serverText: string | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    const { response } = options;
    response.on("drain", () => {
      this.#isStuck = false;
      this.#isBehind = false;
      this.#onDrained?.();
      this.pump();
    });
    response.on("close", () => this.#onDrained?.());
    this.#write(`retry: ${RETRY_MS}\n\n`);
  }

  get accessKeyId(): string {
    return this.#options.accessKeyId;
  }

  get isViewer(): boolean {
    return this.#options.isViewer;
  }

  get isOpen(): boolean {
    return !this.#options.response.destroyed && !this.#options.response.writableEnded;
  }

  /** Continues after this entry. */
  readFrom(sequence: number): void {
    this.#cursor = sequence;
    this.pump();
  }

  /** Whether so much of the snapshot waits for its socket that no more should be added. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Calls back whenever everything that waited is taken, or the reader has left. */
  onDrained(callback: () => void): void {
    this.#onDrained = callback;
  }

  /** Begins a snapshot of the state after this entry. */
  beginSnapshot(from: number): void {
    // One event of many lines: a reader may have to hold a long JSON text, but this process need not.
    this.#write(
      `id: ${this.#options.epoch}-${from}\nevent: snapshot\ndata: {"time":${this.#options.clock.wallNow()},"channels":[\n`,
    );
  }

  /** Adds whole lines. */
  addToSnapshot(lines: string): void {
    if (lines !== "") this.#write(lines);
    // Waits until all of it is taken: otherwise a reader without time to empty its socket would look like one that does
    // not read.
    if (this.#options.response.writableLength > SNAPSHOT_WAITING_MAX) this.#isBehind = true;
  }

  /** Continues with the changes since. */
  endSnapshot(from: number): void {
    this.#write("data: ]}\n\n");
    this.readFrom(from);
  }

  /** The state of the server as a whole, sent as soon as the reader takes something. */
  server(text: string): void {
    this.#serverText = text;
    this.#addServerState();
  }

  #addServerState(): void {
    const text = this.#serverText;
    if (text === undefined || this.#cursor === undefined || this.#isStuck) return;
    this.#serverText = undefined;
    this.#write(`event: server\ndata: ${text}\n\n`);
  }

  /** Writes what is new, as far as the socket takes it. */
  pump(): void {
    this.#addServerState();
    const { ring, isViewer, epoch } = this.#options;
    while (this.#cursor !== undefined && this.#cursor < ring.last && !this.#isStuck && this.isOpen) {
      const entry = ring.get(this.#cursor + 1);
      // Discarded before this reader took it: the reader must begin anew.
      if (entry === undefined) return this.cut();
      this.#cursor = entry.sequence;
      if (!this.#wants(entry.channelId)) continue;
      const text = isViewer ? entry.viewerText : entry.managerText;
      this.#write(`id: ${epoch}-${entry.sequence}\nevent: ${entry.name}\ndata: ${text}\n\n`);
    }
  }

  /** A sample is about this second: a reader that is behind gets the next one. */
  sample(channelId: ChannelId, text: string): void {
    if (this.#cursor === undefined || this.#isStuck || !this.#wants(channelId)) return;
    this.#write(`event: sample\ndata: ${text}\n\n`);
  }

  /** An encoder was refused. A reader that is behind reads the list when it comes back. */
  refused(channelId: ChannelId | undefined, text: string): void {
    if (this.#cursor === undefined || this.#isStuck || (channelId !== undefined && !this.#wants(channelId))) return;
    this.#write(`event: refused\ndata: ${text}\n\n`);
  }

  /** Shows a reader that the stream is alive. The connection guard closes a reader that takes nothing. */
  beat(): void {
    // A comment works inside the snapshot's event as well as between events.
    if (!this.#isStuck) this.#write(this.#cursor === undefined ? ":\n" : ":\n\n");
  }

  /** Ends the stream in order; its client reconnects by itself. */
  end(): void {
    this.#options.response.end();
  }

  cut(): void {
    this.#options.response.destroy();
  }

  #wants(channelId: ChannelId): boolean {
    return this.#options.channelId === undefined || this.#options.channelId === channelId;
  }

  #write(text: string): void {
    if (!this.isOpen) return;
    if (!this.#options.response.write(text)) this.#isStuck = true;
  }
}
