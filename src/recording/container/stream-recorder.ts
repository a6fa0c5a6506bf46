import { readMovieHeader } from "../../protocol/mp4/movie-header.ts";
import type { RecordedTrack, RecordingContainer, RecordingEnd } from "../../thread-protocol/recordings/recordings.ts";
import type { ContainerWriter } from "./container.ts";
import { FlvWriter } from "./flv-writer.ts";
import { Heads } from "./heads.ts";
import { encodeMp4Header, fitsMp4 } from "./mp4-header.ts";
import { Mp4Writer } from "./mp4-writer.ts";
import { type MediaTag, partsOf, type TrackPart, tagsIn } from "./stream-reader.ts";
import { recordedTrack, type Track, trackKey, trackOf } from "./track.ts";

/** A fragment is written when this much media waits, in milliseconds: a crash costs it and what is on the way. */
const FRAGMENT_MS = 400;
/** A new file waits this long for the first frames of all its tracks, in milliseconds of media. */
const GATHER_MS = 500;
/** The same in bytes. */
const GATHER_BYTES_MAX = 8 * 1024 * 1024;

/** When the next file begins: at the first keyframe after either limit. */
export type FileLimits = { readonly fileMs: number; readonly fileBytes: number };

export type FileStart = {
  readonly container: RecordingContainer;
  /** Since the recording's start, in milliseconds. */
  readonly offsetMs: number;
  readonly tracks: readonly RecordedTrack[];
};

/** A file on the disk that is being written. Its methods throw where the disk does not take them. */
export interface GrowingFile {
  readonly bytes: number;
  append(chunks: readonly Uint8Array[], durationMs: number): void;
  finish(reason: RecordingEnd, durationMs: number): void;
}

export type StreamRecorderDeps = {
  readonly limits: FileLimits;
  readonly openFile: (start: FileStart) => GrowingFile;
};

type Gathered = { readonly tag: MediaTag; readonly parts: readonly TrackPart[] };
type Present = {
  readonly file: GrowingFile;
  readonly writer: ContainerWriter;
  readonly startMs: number;
  /** The tracks in the file, by key. */
  readonly codecs: ReadonlyMap<string, string>;
};

/**
 * Writes one stream into files, one after the other. A file begins at a keyframe; where codecs, tracks or their
 * configuration change, and at the limits, the next file begins at the next keyframe. MP4, or FLV where a codec has no
 * form in MP4. Calls must not overlap.
 */
export class StreamRecorder {
  readonly #deps: StreamRecorderDeps;
  readonly #heads = new Heads();
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #present: Present | undefined;
  /** Tracks whose configuration changed: their frames no longer fit the present file. */
  readonly #changed = new Set<string>();
  #needsNext = false;
  #hasVideo = false;
  #lastMs = 0;
  /** The time of the last tag. */
  #tagMs = 0;

  constructor(deps: StreamRecorderDeps) {
    this.#deps = deps;
  }

  /** Takes a batch of whole FLV tags, in order. */
  async take(batch: Uint8Array): Promise<void> {
    for (const tag of tagsIn(batch)) {
      const timeMs = this.#wholeTime(tag.timeMs);
      await this.#take(timeMs === tag.timeMs ? tag : { ...tag, timeMs });
    }
  }

  /** Nothing follows. Idempotent. */
  async end(reason: RecordingEnd): Promise<void> {
    if (this.#gathered.length > 0) await this.#open();
    this.#finish(reason);
  }

  /** Gives the present file up after an error of the disk: what is in it stays. */
  abandon(reason: RecordingEnd): void {
    const present = this.#present;
    this.#present = undefined;
    this.#gathered = [];
    present?.file.finish(reason, this.#lastMs - present.startMs);
  }

  async #take(tag: MediaTag): Promise<void> {
    const parts = partsOf(tag);
    const changes = this.#heads.changes(parts);
    // What was gathered belongs to the configuration before.
    if (changes.length > 0 && this.#gathered.length > 0) await this.#open();
    this.#heads.take(tag, parts);
    if (changes.length > 0 && this.#present !== undefined) {
      this.#needsNext = true;
      for (const key of changes) this.#changed.add(key);
    }
    const frames = parts.filter(({ part }) => part === "frame");
    if (frames.length === 0) return this.#present?.writer.container === "flv" ? this.#write(tag, parts) : undefined;
    this.#lastMs = Math.max(this.#lastMs, tag.timeMs);
    if (tag.kind === "video") this.#hasVideo = true;
    if (this.#present !== undefined && !frames.every((frame) => this.#isKnown(frame))) this.#needsNext = true;
    const isStart = frames.some((frame) => this.#isStart(frame));
    if (isStart && this.#present !== undefined && this.#isDue(this.#present, tag.timeMs)) {
      this.#finish(this.#needsNext ? "STREAM_CHANGED" : "NEXT_FILE");
    }
    if (this.#present !== undefined) return this.#write(tag, parts);
    if (isStart || this.#gathered.length > 0) await this.#gather(tag, parts);
  }

  /** FLV's times have 32 bits, and begin anew after 49.7 days. */
  #wholeTime(timeMs: number): number {
    // The difference to the tag before, as a number of 32 bits with a sign.
    this.#tagMs += (timeMs - this.#tagMs) | 0;
    return this.#tagMs;
  }

  #isKnown(frame: TrackPart): boolean {
    const key = trackKey(frame);
    return this.#present?.codecs.get(key) === frame.codec && !this.#changed.has(key);
  }

  #isStart({ kind, trackId, isKeyframe }: TrackPart): boolean {
    return kind === "video" ? trackId === 0 && isKeyframe : !this.#hasVideo;
  }

  #isDue({ file, startMs }: Present, timeMs: number): boolean {
    const { fileMs, fileBytes } = this.#deps.limits;
    return this.#needsNext || timeMs - startMs >= fileMs || file.bytes >= fileBytes;
  }

  async #gather(tag: MediaTag, parts: readonly TrackPart[]): Promise<void> {
    this.#gathered.push({ tag, parts });
    this.#gatheredBytes += tag.tag.length;
    const beganMs = this.#gathered[0]?.tag.timeMs ?? tag.timeMs;
    if (tag.timeMs - beganMs >= GATHER_MS || this.#gatheredBytes > GATHER_BYTES_MAX) await this.#open();
  }

  #write(tag: MediaTag, parts: readonly TrackPart[]): void {
    const present = this.#present;
    if (present === undefined) return;
    const fitting = this.#needsNext ? parts.filter((part) => this.#isKnown(part)) : parts;
    present.writer.add(tag, fitting);
    if (present.writer.waitingMs >= FRAGMENT_MS) this.#drain(present, false);
  }

  #drain({ file, writer, startMs }: Present, isLast: boolean): void {
    const chunks = writer.drain(isLast);
    if (chunks.length > 0) file.append(chunks, this.#lastMs - startMs);
  }

  #finish(reason: RecordingEnd): void {
    const present = this.#present;
    this.#present = undefined;
    this.#needsNext = false;
    this.#changed.clear();
    if (present === undefined) return;
    try {
      this.#drain(present, true);
    } finally {
      present.file.finish(reason, this.#lastMs - present.startMs);
    }
  }

  /** Begins a file with what was gathered. */
  async #open(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const startMs = gathered[0]?.tag.timeMs ?? 0;
    const parts = gathered.flatMap((each) => each.parts);
    const tracks = this.#tracks(parts);
    const writer = await this.#writer(tracks, startMs);
    const file = this.#deps.openFile({
      container: writer.container,
      offsetMs: startMs,
      tracks: tracks.map(recordedTrack),
    });
    const codecs = new Map(tracks.map((track) => [trackKey(track), track.codec]));
    this.#present = { file, writer, startMs, codecs };
    file.append([writer.start], 0);
    for (const each of gathered) this.#write(each.tag, each.parts);
  }

  /** Tracks with a frame so far, or with a configuration: their first frame may come late. Video first. */
  #tracks(parts: readonly TrackPart[]): readonly Track[] {
    const found = new Map<string, Track>();
    for (const part of parts) {
      const key = trackKey(part);
      if (part.part === "frame" && !found.has(key)) {
        found.set(key, trackOf(part, this.#heads.config(key, part.codec), part.body));
      }
    }
    for (const part of this.#heads.configs()) {
      const key = trackKey(part);
      if (!found.has(key)) found.set(key, trackOf(part, part.body, Buffer.alloc(1)));
    }
    return [...found.values()].sort((left, right) => Number(left.kind === "audio") - Number(right.kind === "audio"));
  }

  async #writer(tracks: readonly Track[], startMs: number): Promise<ContainerWriter> {
    if (tracks.every(fitsMp4)) {
      // A configuration that the library cannot use makes a file without one.
      const header = await encodeMp4Header(tracks).catch(() => undefined);
      const movie = header === undefined ? undefined : readMovieHeader(header);
      if (header !== undefined && movie !== undefined)
        return new Mp4Writer(header, movie.tracks, tracks.map(trackKey), startMs);
    }
    return new FlvWriter(this.#heads.tags(), startMs);
  }
}
