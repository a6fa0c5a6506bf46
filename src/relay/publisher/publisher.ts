import type { Removal } from "../../base/pasted-text.ts";
import type { IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import { type ClassifiedMessage, classifyMessage, IGNORED } from "../stream/classify-message.ts";
import { DecoderConfig } from "../stream/config/decoder-config.ts";
import { audioFormat, videoFormat } from "../stream/config/stream-format.ts";
import type { MediaMessage } from "../stream/media-message.ts";
import { StreamMemory } from "../stream/stream-memory.ts";
import { NewsBudget } from "./news-budget.ts";
import { Pace } from "./pace.ts";
import { StreamGaps } from "./stream-gaps.ts";
import { StreamMeter } from "./stream-meter.ts";
import { TimedDataBudget } from "./timed-data-budget.ts";

/** Who publishes, as far as the relay cares. */
export type PublisherDescription = {
  readonly slot: IngestSlot;
  readonly remoteAddress: string;
  readonly encoder: string;
  /** What came along with its key, and was taken off. */
  readonly keyRemoved?: readonly Removal[];
  /** The relay let go of this source: another took its place, or its channel went. Close its connection. */
  readonly onDismissed: () => void;
};

/** The relay's end of an ingest: whatever it gives goes to the channel's targets while it is the one on air. */
export interface PublisherHandle {
  /** Takes an audio, video or data message; what of its payload is kept is copied. Ignored once the source was dismissed or ended. */
  push(message: MediaMessage): void;
  /** The encoder left. Idempotent. */
  end(end: IngestEnd): void;
}

type Frame = Extract<ClassifiedMessage, { what: "frame" }>;

/** What was held up on its way comes within this time. */
const BACKLOG_WAIT_MS = 2_000;
/** Less than this behind filler is no backlog, in milliseconds: an encoder's clock is never quite in step with this machine's. */
const BACKLOG_FROM_MS = 400;
/** An encoder that comes back with audio alone may still bring video, this long. */
const VIDEO_WAIT_MS = 4_000;
/** Tracks of a stream begin within this time. */
const TRACKS_WAIT_MS = 2_000;
/** Without media for this long a feed is not healthy, in milliseconds: filler starts, a standby may take over. Slow ones have longer. */
export const SILENT_AFTER_MS = 2_000;
/** Pictures that fail to come for so long while sound goes on are told, in milliseconds. Slow ones have longer. */
export const PICTURES_MISSED_MS = 5_000;
/** Frame rates are measured over this many pictures at least, in milliseconds. */
const RATE_WINDOW_MS = 2_000;

/**
 * One encoder's stream, on air or not: what a decoder needs of it, how it is doing, and its counters. Knows nothing of
 * targets.
 */
export class Publisher {
  readonly ingestId: number;
  readonly description: PublisherDescription;
  readonly head = new DecoderConfig();
  readonly #startTime: number;
  /** This, and whatever is judged by how long ago it was, counts the time in which we could have heard the encoder. */
  readonly openedMs: number;
  readonly #media = new Pace();
  readonly #picturePace = new Pace();
  #hasSound = false;
  #healthySinceMs: number;
  #firstFrameMs: number | undefined;
  #bytesTotal = 0;
  #bytesAtTick = 0;
  #bytesPerSecond = 0;
  #pictures = 0;
  #rateFromMs = 0;
  #picturesPerSecond: number | undefined;
  #lastKeyframe: { readonly timestamp: number } | undefined;
  #keyframeIntervalMs: number | undefined;
  readonly #meter = new StreamMeter();
  readonly #timedData = new TimedDataBudget();
  readonly #memory = new StreamMemory();
  readonly #gaps = new StreamGaps();
  readonly #news = new NewsBudget();

  /** `awakeMs`, here and below: of the clock that stands while we could not hear an encoder. */
  constructor(
    ingestId: number,
    description: PublisherDescription,
    startTime: number,
    { nowMs, awakeMs }: { readonly nowMs: number; readonly awakeMs: number },
  ) {
    this.ingestId = ingestId;
    this.description = description;
    this.#startTime = startTime;
    this.openedMs = awakeMs;
    this.#healthySinceMs = awakeMs;
    this.#rateFromMs = nowMs;
  }

  get slot(): IngestSlot {
    return this.description.slot;
  }

  /** Takes a message: classified, counted, and remembered where it is a header. */
  take(message: MediaMessage, nowMs: number, awakeMs: number): ClassifiedMessage {
    this.#bytesTotal += message.payload.length;
    const classified = classifyMessage(message, this.#memory);
    if (this.head.isNews(classified) && !this.#news.take(nowMs)) return IGNORED;
    switch (classified.what) {
      case "metadata":
        this.head.setMetadata(classified.payload, classified.announcesVideo);
        break;
      case "metadata-cleared":
        this.head.clearMetadata();
        break;
      case "config":
        this.head.takeConfig(classified);
        break;
      case "frame":
        this.#noteFrame(classified, nowMs, awakeMs);
        // Further tracks are other sizes of the same pictures.
        if (classified.trackId === 0) this.#countFrame(classified, message.timestamp, nowMs);
        break;
      case "timed-data":
        if (!this.#timedData.takes(classified.payload.length, nowMs)) return { what: "ignored" };
        break;
      case "ignored":
        this.#gaps.ignored(message);
        break;
    }
    return classified;
  }

  #noteFrame({ kind, trackId, codec, sound, header, isFurther }: Frame, nowMs: number, awakeMs: number): void {
    if (header !== undefined) this.head.takeConfig(header);
    this.head.setCodec(kind, trackId, codec);
    if (sound !== undefined) this.head.setSound(trackId, sound);
    this.head.sawFrame(kind, nowMs);
    // Behind a gap it is a stream begun anew.
    if (this.isSilent(awakeMs)) this.#healthySinceMs = awakeMs;
    this.#media.took(awakeMs);
    this.#firstFrameMs ??= awakeMs;
    if (kind === "audio") this.#hasSound = true;
    else if (trackId === 0 && !isFurther) this.#picturePace.took(awakeMs);
  }

  #countFrame(frame: Frame, timestamp: number, nowMs: number): void {
    const { kind, isKeyframe, isFurther, compositionTimeMs, payload } = frame;
    this.#meter.take({ kind, bytes: payload.length, timestamp, compositionTimeMs, isKeyframe, isFurther }, nowMs);
    if (kind !== "video" || isFurther) return;
    this.#pictures += 1;
    if (!isKeyframe) return;
    if (this.#lastKeyframe !== undefined) {
      this.#keyframeIntervalMs = (timestamp - this.#lastKeyframe.timestamp + 2 ** 32) % 2 ** 32;
    }
    this.#lastKeyframe = { timestamp };
  }

  /** Milliseconds since a frame came, or since the encoder did. */
  silentMs(awakeMs: number): number {
    return this.#media.silentMs(awakeMs) ?? awakeMs - this.openedMs;
  }

  /** For so long at least it may be silent without being missed: an encoder may be slow. Pictures that come alone more than those with sound. */
  get missedAfterMs(): number {
    return this.#media.missedAfterMs(!this.#hasSound && this.#firstFrameMs !== undefined);
  }

  /** After so long without media it is not healthy. */
  get silentAfterMs(): number {
    return Math.max(SILENT_AFTER_MS, this.missedAfterMs);
  }

  isSilent(awakeMs: number): boolean {
    const silentMs = this.silentMs(awakeMs);
    // Asked of each frame: what was learned is looked at where it matters.
    return silentMs >= SILENT_AFTER_MS && silentMs >= this.silentAfterMs;
  }

  /** How long pictures are missed while sound goes on; undefined where none are. `afterMs`: not before so long. */
  pictureless(awakeMs: number, afterMs: number): number | undefined {
    const silentMs = this.#hasSound ? this.#picturePace.silentMs(awakeMs) : undefined;
    if (silentMs === undefined || this.isSilent(awakeMs)) return undefined;
    return silentMs >= Math.max(afterMs, this.#picturePace.missedAfterMs(true)) ? silentMs : undefined;
  }

  /** Milliseconds of media without a gap; 0 while there is one. */
  healthyMs(awakeMs: number): number {
    return this.isSilent(awakeMs) ? 0 : awakeMs - this.#healthySinceMs;
  }

  /**
   * Whether its frames are a backlog: held up on their way, they come in one go. An encoder that stays behind is behind.
   * `staleMs`: by how much the frame lies behind what filler has covered.
   */
  isCatchingUp(staleMs: number, awakeMs: number): boolean {
    return staleMs > BACKLOG_FROM_MS && this.healthyMs(awakeMs) < BACKLOG_WAIT_MS;
  }

  /** It came back and sends audio, and no video for so long that none is waited for. */
  isAudioAlone(awakeMs: number): boolean {
    return this.healthyMs(awakeMs) >= VIDEO_WAIT_MS;
  }

  /** A stream that lacks a track of the one before may still bring it. */
  mayBringTracks(awakeMs: number): boolean {
    return (this.framesForMs(awakeMs) ?? 0) < TRACKS_WAIT_MS;
  }

  /** Whether anything of a stream came: a header, or a frame. */
  get hasBegun(): boolean {
    return this.#firstFrameMs !== undefined || this.head.configs.size > 0;
  }

  /** Milliseconds since its first frame; undefined before. */
  framesForMs(awakeMs: number): number | undefined {
    return this.#firstFrameMs === undefined ? undefined : awakeMs - this.#firstFrameMs;
  }

  /** Call once a second. */
  tick(nowMs: number): void {
    this.#bytesPerSecond = this.#bytesTotal - this.#bytesAtTick;
    this.#bytesAtTick = this.#bytesTotal;
    this.#meter.tick(nowMs);
    if (nowMs - this.#rateFromMs < RATE_WINDOW_MS) return;
    this.#picturesPerSecond = (this.#pictures * 1_000) / (nowMs - this.#rateFromMs);
    this.#pictures = 0;
    this.#rateFromMs = nowMs;
  }

  sample(state: IngestSample["state"], awakeMs: number): IngestSample {
    const { slot, remoteAddress, encoder, keyRemoved = [] } = this.description;
    const frameRate = this.#picturesPerSecond;
    const intervalMs = this.#keyframeIntervalMs;
    const picturelessMs = state === "LIVE" ? this.pictureless(awakeMs, PICTURES_MISSED_MS) : undefined;
    return {
      state,
      slot,
      remoteAddress,
      encoder,
      startTime: this.#startTime,
      ...videoFormat(this.head),
      ...(frameRate === undefined || frameRate === 0 ? {} : { frameRate: Math.round(frameRate * 100) / 100 }),
      ...(intervalMs === undefined ? {} : { keyframeIntervalSeconds: intervalMs / 1_000 }),
      ...audioFormat(this.head),
      bytesPerSecond: state === "LIVE" ? this.#bytesPerSecond : 0,
      bytesTotal: this.#bytesTotal,
      ...(picturelessMs === undefined ? {} : { secondsWithoutVideo: Math.round(picturelessMs / 1_000) }),
      measures: { ...this.#meter.measures, ...this.#gaps.measures(this.head) },
      ...(keyRemoved.length === 0 ? {} : { keyRemoved }),
      ...(this.#timedData.droppedTotal === 0 ? {} : { droppedData: this.#timedData.droppedTotal }),
    };
  }
}
