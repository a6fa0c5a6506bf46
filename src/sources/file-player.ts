import type { Clock, Timer } from "../base/clock.ts";
import type { FilesSource, SourceReason } from "../control/channels/source.ts";
import { classifyAudio } from "../protocol/flv/audio/audio-tag.ts";
import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { classifyVideo } from "../protocol/flv/video/video-tag.ts";
import { MessageType } from "../protocol/rtmp/message.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { MediaKind } from "../relay/stream/media-message.ts";
import type { PlayedClip } from "./clip.ts";
import { nextPosition } from "./next-position.ts";
import { SteadyTime } from "./steady-time.ts";

export type FilePlayerDeps = {
  readonly clock: Clock;
  /** Where the media go. */
  readonly publisher: PublisherHandle;
  /** Whether the channel's thread is behind: nothing more is sent for now. */
  readonly isFull: () => boolean;
  /** Sends on what was pushed. */
  readonly flush: () => void;
  /** Starts FFmpeg for this file, from `offsetMs` on. Returns the reason where it cannot be played. */
  readonly open: (fileId: string, offsetMs: number) => PlayedClip | { readonly reason: string };
  /** Another file plays. */
  readonly onPosition: (position: number, fileId: string) => void;
  /** A file could not be played, or not to its end. */
  readonly onSkipped: (fileId: string, detail: string) => void;
  /** Whether a file that could not be played may be played later: it lies in a folder that may come back. */
  readonly mayReturn: (fileId: string) => boolean;
  /** Nothing can be played now, but this file may be later. Called once, in place of `onOver`. */
  readonly onLost: (lost: LostFile) => void;
  /** Nothing more will be played. Called once; not after `stop`. */
  readonly onOver: (reason: SourceReason, detail?: string) => void;
};

/** A file of the list that cannot be played now. `detail`: why. */
export type LostFile = { readonly position: number; readonly fileId: string; readonly detail: string };

/** Media are sent this often, in milliseconds. */
const STEP_MS = 40;
/** Tags sent in one step: after a pause of the process it catches up in parts. */
const TAGS_IN_A_STEP_MAX = 500;
/** The next file begins where the last one ended, unless it comes later than this: then it begins now. */
const LATE_MS = 500;
/** FFmpeg hangs when nothing comes from it for this long, in milliseconds. */
const NO_MEDIA_MS = 15_000;
/** A frame's length where a file has only one, in milliseconds. */
const FRAME_MS_USUAL = 33;

const KINDS: Readonly<Record<number, MediaKind>> = {
  [MessageType.Audio]: "audio",
  [MessageType.Video]: "video",
  [MessageType.DataAmf0]: "data",
};

type Playing = {
  readonly clip: PlayedClip;
  readonly fileId: string;
  readonly position: number;
  /** From its beginning. */
  readonly isWhole: boolean;
};

/** The first file to play, counted from 0, and how much of its beginning is left out, in milliseconds. */
export type PlayFrom = { readonly position: number; readonly offsetMs?: number };

/** Plays a list of files in real time as one stream: time goes on from file to file. */
export class FilePlayer {
  readonly #deps: FilePlayerDeps;
  #source: FilesSource;
  #now: Playing | undefined;
  /** Opened before the present file ends. */
  #ahead: Playing | undefined;
  readonly #startMs: number;
  /** The present file's times; undefined before its first tag. */
  #time: SteadyTime | undefined;
  /** Where each kind ends so far: stream time, in milliseconds. */
  readonly #ends: Record<"audio" | "video", { atMs: number; stepMs: number }> = {
    audio: { atMs: 0, stepMs: 0 },
    video: { atMs: 0, stepMs: FRAME_MS_USUAL },
  };
  /** When the last tag came, on the clock's `awakeNow()`. */
  #lastTagMs: number;
  /** Whether the present file has brought more than headers. */
  #hasFrames = false;
  /** Files in a row that brought nothing. */
  #failures = 0;
  #lastFailure = "";
  /** The first of these files that may return. */
  #lost: LostFile | undefined;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(source: FilesSource, { position, offsetMs = 0 }: PlayFrom, deps: FilePlayerDeps) {
    this.#deps = deps;
    this.#source = source;
    this.#startMs = deps.clock.now();
    this.#lastTagMs = deps.clock.awakeNow();
    this.#now = this.#open(position < source.fileIds.length ? position : 0, offsetMs);
    if (this.#now === undefined) return;
    this.#deps.onPosition(this.#now.position, this.#now.fileId);
    this.#schedule();
  }

  /** The list is another one now. The present file plays to its end. */
  update(source: FilesSource): void {
    this.#source = source;
    const next = this.#now === undefined ? undefined : this.#nextOf(this.#now);
    if (this.#ahead === undefined || (this.#ahead.position === next && this.#ahead.fileId === source.fileIds[next]))
      return;
    this.#ahead.clip.kill();
    this.#ahead = undefined;
  }

  /** Another list plays from now on, in place of the present file. The stream's time goes on. */
  replace(source: FilesSource, { position, offsetMs = 0 }: PlayFrom): void {
    if (this.#isOver) return;
    this.#now?.clip.kill();
    this.#ahead?.clip.kill();
    this.#ahead = undefined;
    this.#source = source;
    this.#succeeded();
    this.#hasFrames = false;
    this.#time = undefined;
    this.#lastTagMs = this.#deps.clock.awakeNow();
    this.#now = this.#open(position < source.fileIds.length ? position : 0, offsetMs);
    if (this.#now !== undefined) this.#deps.onPosition(this.#now.position, this.#now.fileId);
  }

  /** Ends FFmpeg. Resolves when it is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    const clips = [this.#now?.clip, this.#ahead?.clip];
    for (const clip of clips) clip?.kill();
    await Promise.all(clips.map((clip) => clip?.gone));
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.startTimer(STEP_MS, () => this.#step());
  }

  #step(): void {
    if (this.#isOver) return;
    this.#schedule();
    const { clock, flush, isFull } = this.#deps;
    if (isFull()) return;
    const nowMs = clock.now() - this.#startMs;
    for (let count = 0; count < TAGS_IN_A_STEP_MAX; count += 1) {
      const clip = this.#now?.clip;
      const tag = clip?.next;
      if (tag === undefined) {
        if (this.#now !== undefined && !this.#now.clip.isOver) break;
        if (!this.#goOn()) return;
        if (this.#now?.clip.next === undefined) break;
        continue;
      }
      const timeMs = this.#timeOf(tag, nowMs);
      if (timeMs > nowMs) break;
      clip?.take();
      this.#time?.sent(tag, timeMs);
      this.#lastTagMs = clock.awakeNow();
      this.#push(tag, timeMs);
      // The relay may have dropped the publisher while it took the message.
      if (this.#isOver) return;
    }
    flush();
    this.#lookAhead();
    this.#watch();
  }

  /** When a tag is due, in stream time. */
  #timeOf(tag: FlvTag, nowMs: number): number {
    this.#time ??= new SteadyTime(tag, Math.round(this.#beginsAt(nowMs)));
    return this.#time.of(tag);
  }

  #push({ type, payload }: FlvTag, timeMs: number): void {
    const kind = KINDS[type];
    if (kind === undefined) return;
    if (kind !== "data") {
      this.#hasFrames ||= (kind === "video" ? classifyVideo(payload) : classifyAudio(payload)).part === "frame";
      const end = this.#ends[kind];
      if (timeMs > end.atMs) end.stepMs = Math.min(timeMs - end.atMs, 1_000);
      end.atMs = timeMs;
    }
    this.#deps.publisher.push({ kind, timestamp: timeMs % 2 ** 32, payload });
  }

  /** Stream time at which the next file begins. */
  #beginsAt(nowMs: number): number {
    const { audio, video } = this.#ends;
    const endMs = Math.max(audio.atMs + audio.stepMs, video.atMs + video.stepMs);
    if (audio.atMs === 0 && video.atMs === 0) return nowMs;
    return nowMs - endMs < LATE_MS ? endMs : nowMs;
  }

  /** The present file is over: the next one plays. Returns false where there is none. */
  #goOn(): boolean {
    const before = this.#now;
    if (before !== undefined) {
      const { clip, fileId, position, isWhole } = before;
      if (clip.failure !== undefined) this.#deps.onSkipped(fileId, clip.failure);
      // Of a file that was joined at its very end there may be headers alone.
      if (this.#hasFrames || (clip.takenTotal > 0 && !isWhole)) this.#succeeded();
      else this.#failed({ position, fileId, detail: clip.failure ?? "it has no media" });
    }
    this.#now = undefined;
    const position = before === undefined || this.#allFail ? undefined : this.#nextOf(before);
    if (position === undefined) return this.#endUnplayed();
    const isReady = this.#ahead?.position === position && this.#ahead.fileId === this.#source.fileIds[position];
    const ready = isReady ? this.#ahead : undefined;
    if (!isReady) this.#ahead?.clip.kill();
    this.#ahead = undefined;
    this.#time = undefined;
    this.#hasFrames = false;
    this.#now = ready ?? this.#open(position);
    this.#lastTagMs = this.#deps.clock.awakeNow();
    if (this.#now !== undefined) this.#deps.onPosition(this.#now.position, this.#now.fileId);
    return !this.#isOver;
  }

  /** Opens the file at this position, or the first one after it that can be opened. */
  #open(from: number, offsetMs = 0): Playing | undefined {
    let position: number | undefined = from;
    for (let tries = 0; position !== undefined && tries <= this.#source.fileIds.length; tries += 1) {
      const fileId: string | undefined = this.#source.fileIds[position];
      if (fileId === undefined) break;
      const clip = this.#deps.open(fileId, tries === 0 ? offsetMs : 0);
      if (!("reason" in clip)) return { clip, fileId, position, isWhole: tries > 0 || offsetMs === 0 };
      this.#failed({ position, fileId, detail: clip.reason });
      this.#deps.onSkipped(fileId, clip.reason);
      position = this.#nextOf({ position, fileId });
    }
    this.#endUnplayed();
    return undefined;
  }

  #lookAhead(): void {
    if (this.#ahead !== undefined || this.#now?.clip.isRead !== true) return;
    const position = this.#nextOf(this.#now);
    const fileId = position === undefined ? undefined : this.#source.fileIds[position];
    if (position === undefined || fileId === undefined) return;
    const clip = this.#deps.open(fileId, 0);
    // One that cannot be opened is reported in its turn.
    if (!("reason" in clip)) this.#ahead = { clip, fileId, position, isWhole: true };
  }

  #watch(): void {
    if (this.#now === undefined || this.#deps.clock.awakeNow() - this.#lastTagMs < NO_MEDIA_MS) return;
    if (this.#now.clip.next === undefined) this.#now.clip.kill(`nothing came from it for ${NO_MEDIA_MS / 1_000} s`);
    this.#lastTagMs = this.#deps.clock.awakeNow();
  }

  #nextOf(present: Pick<Playing, "position" | "fileId">): number | undefined {
    return nextPosition(this.#source, present);
  }

  get #allFail(): boolean {
    return this.#failures > 0 && this.#failures >= this.#source.fileIds.length;
  }

  /** Nothing follows that can be played. */
  #endUnplayed(): false {
    if (this.#lost !== undefined) return this.#lose(this.#lost);
    return this.#allFail ? this.#end("not-playable", this.#lastFailure) : this.#end("finished");
  }

  #failed(file: LostFile): void {
    this.#failures += 1;
    this.#lastFailure = file.detail;
    if (this.#deps.mayReturn(file.fileId)) this.#lost ??= file;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#lost = undefined;
  }

  #lose(lost: LostFile): false {
    if (this.#isOver) return false;
    void this.stop();
    this.#deps.onLost(lost);
    return false;
  }

  #end(reason: SourceReason, detail = ""): false {
    if (this.#isOver) return false;
    void this.stop();
    this.#deps.onOver(reason, ...(detail === "" ? [] : [detail]));
    return false;
  }
}
