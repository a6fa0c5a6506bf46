import type { ChannelSource, SourceReason, SourceStatus } from "../../src/control/channels/source.ts";
import { DomainError } from "../../src/control/ports/errors.ts";
import type { MediaFile, MediaFiles, MediaFormat } from "../../src/control/ports/media-files.ts";
import type { SourcePlayer, SourceStart } from "../../src/control/ports/source-player.ts";
import type { ChannelId } from "../../src/thread-protocol/channel-spec.ts";

const FORMAT: MediaFormat = {
  ...{ kind: "video", durationMs: 5_000, videoCodec: "h264", pixelFormat: "yuv420p", width: 1280, height: 720 },
  ...{ frameRate: 30, audioCodec: "aac", sampleRate: 48_000, channels: 2 },
};

/** A library in memory. An uploaded file is ready when its last byte is here. */
export class FakeMediaFiles implements MediaFiles {
  isAvailable = true;
  readonly #files = new Map<string, MediaFile>();

  get space() {
    return {
      usedBytes: [...this.#files.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      quotaBytes: 1_000_000_000,
    };
  }

  /** Adds a file that is ready. */
  add(fileId: string, change: Partial<MediaFormat> = {}): void {
    const format = { ...FORMAT, ...change };
    const whole = { bytes: 10, receivedBytes: 10, createdTime: 1, state: "ready", format } as const;
    this.#files.set(fileId, { fileId, name: `${fileId}.mp4`, ...whole });
  }

  list(): readonly MediaFile[] {
    return [...this.#files.values()];
  }

  get(fileId: string): MediaFile {
    const file = this.#files.get(fileId);
    if (file === undefined) throw new DomainError({ kind: "media-file-not-found" });
    return file;
  }

  async create(name: string, bytes: number, fingerprint?: string): Promise<MediaFile> {
    if (!this.isAvailable) throw new DomainError({ kind: "ffmpeg-missing" });
    if (this.space.usedBytes + bytes > this.space.quotaBytes) throw new DomainError({ kind: "media-quota" });
    const fileId = `mf-${String(this.#files.size).padStart(12, "0")}`;
    const known = fingerprint === undefined ? {} : { fingerprint };
    const file: MediaFile = { fileId, name, bytes, receivedBytes: 0, createdTime: 1, state: "uploading", ...known };
    this.#files.set(fileId, file);
    return file;
  }

  async append(fileId: string, fromByte: number, bytes: Buffer): Promise<MediaFile> {
    const file = this.get(fileId);
    const receivedBytes = fromByte + bytes.length;
    if (fromByte !== file.receivedBytes || receivedBytes > file.bytes)
      throw new DomainError({ kind: "media-offset", at: file.receivedBytes });
    const isWhole = receivedBytes === file.bytes;
    const next: MediaFile = { ...file, receivedBytes, ...(isWhole ? { state: "ready", format: FORMAT } : {}) };
    this.#files.set(fileId, next);
    return next;
  }

  async remove(fileId: string): Promise<MediaFile> {
    const file = this.get(fileId);
    this.#files.delete(fileId);
    return file;
  }

  async frame(fileId: string): Promise<Buffer | undefined> {
    return this.get(fileId).state === "ready" ? Buffer.from("jpeg") : undefined;
  }

  async kept(): Promise<undefined> {}

  async keep(): Promise<void> {}

  async problem(): Promise<undefined> {}

  path(fileId: string): string {
    return `/nowhere/${this.get(fileId).fileId}`;
  }
}

/** A player that does what the test says. */
export class FakeSourcePlayer implements SourcePlayer {
  isAvailable = true;
  readonly starts: SourceStart[] = [];
  readonly updates: (readonly [ChannelId, ChannelSource])[] = [];
  /** The owner sets it: it takes what the player tells. */
  onStatus: (channelId: ChannelId, status: SourceStatus) => void = () => undefined;
  readonly #statuses = new Map<ChannelId, SourceStatus>();

  start(start: SourceStart): void {
    this.starts.push(start);
    this.#statuses.set(start.channelId, { state: "starting", sinceTime: 0 });
  }

  update(channelId: ChannelId, source: ChannelSource): void {
    this.updates.push([channelId, source]);
  }

  async stop(channelId: ChannelId, reason: SourceReason): Promise<void> {
    const before = this.#statuses.get(channelId);
    if (before !== undefined && before.state !== "stopped")
      this.become(channelId, { state: "stopped", sinceTime: 0, reason });
  }

  status(channelId: ChannelId): SourceStatus | undefined {
    return this.#statuses.get(channelId);
  }

  /** What the player does from now on. */
  become(channelId: ChannelId, status: SourceStatus): void {
    this.#statuses.set(channelId, status);
    this.onStatus(channelId, status);
  }
}
