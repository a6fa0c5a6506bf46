import type { Removal } from "../../base/pasted-text.ts";
import type { IngestSlot, SourceKind, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import { type ClassifiedMessage, classifyMessage, IGNORED } from "../stream/classify-message.ts";
import { DecoderConfig } from "../stream/config/decoder-config.ts";
import { audioFormat, videoFormat } from "../stream/config/stream-format.ts";
import type { MediaMessage } from "../stream/media-message.ts";
import { StreamMemory } from "../stream/stream-memory.ts";
import { NewsBudget } from "./news-budget.ts";
import { Pace } from "./pace.ts";
import { SilenceMeter } from "./silence-meter.ts";
import { StreamGaps } from "./stream-gaps.ts";
import { StreamMeter } from "./stream-meter.ts";
import { TimedDataBudget } from "./timed-data-budget.ts";

/** The publisher, as far as the relay needs to know it. */
export type PublisherDescription = {
  readonly slot: IngestSlot;
  readonly remoteAddress: string;
  readonly encoder: string;
  /** What was pasted along with the key and removed from it. */
  readonly keyRemoved?: readonly Removal[];
  /** Of a test pattern: when it ends by itself, milliseconds since the Unix epoch. Any encoder takes over from it. */
  readonly testPatternEndTime?: number;
  /** Of a test pattern for chosen targets: those. The others are left alone while it runs. */
  readonly onlyTargetIds?: readonly TargetId[];
  /** Absent: an encoder. Encoders take over from a source, and that never counts as a fight. */
  readonly sourceKind?: SourceKind;
  /** Its stream goes on that another server sent to the targets until now. */
  readonly isGoingOn?: boolean;
  /** The relay dropped this publisher: another one replaced it, or its channel is gone. Close its connection. */
  readonly onDismissed: () => void;
};

/** An ingest's handle of a publisher. What it pushes goes to the channel's targets while the publisher is on air. */
export interface PublisherHandle {
  /**
   * Takes a message. The relay copies what it keeps of the payload. Does nothing once the publisher was dismissed or
   * ended.
   */
  push(message: MediaMessage): void;
  /** The encoder left. Idempotent. */
  end(end: IngestEnd): void;
}

type Frame = Extract<ClassifiedMessage, { what: "frame" }>;

/** Media that was delayed on its way arrives within this time of its first message, in milliseconds. */
const BACKLOG_WAIT_MS = 2_000;
/**
 * A frame less than this behind filler is not a backlog, in milliseconds: an encoder's clock is never exactly in step
 * with ours.
 */
const BACKLOG_FROM_MS = 400;
/** An encoder that comes back with only audio may still send video for this long, in milliseconds. */
const VIDEO_WAIT_MS = 4_000;
/** All tracks of a stream begin within this time, in milliseconds. */
const TRACKS_WAIT_MS = 2_000;
/**
 * Without media for this long a publisher is not healthy, in milliseconds: filler starts, a standby may take over. Slow
 * encoders have longer.
 */
export const SILENT_AFTER_MS = 2_000;
/** Video that is missing for this long while audio goes on is reported, in milliseconds. Slow encoders have longer. */
export const VIDEO_MISSED_MS = 5_000;
/** The same of audio, in milliseconds: as long as a stream may be without any before it counts as one without audio. */
const AUDIO_MISSED_MS = 3_000;
/** Digital silence this long is reported, in milliseconds. */
const SILENCE_REPORTED_MS = 20_000;
/** Frame rates are measured over at least this time, in milliseconds. */
const RATE_WINDOW_MS = 2_000;

/** One encoder's stream, on air or not: its decoder config, its health and its counters. Knows nothing of targets. */
export class Publisher {
  readonly ingestId: number;
  readonly description: PublisherDescription;
  readonly head = new DecoderConfig();
  readonly #startTime: number;
  /** The wall clock minus the monotonic one when it connected: a mark of `WallSteps`. */
  readonly clockMark: number;
  /** When it connected, on the clock's `awakeNow()`: the time in which we could have heard the encoder. */
  readonly openedMs: number;
  readonly #media = new Pace();
  readonly #videoPace = new Pace();
  readonly #audioPace = new Pace();
  #hasAudio = false;
  #healthySinceMs: number;
  #firstFrameMs: number | undefined;
  #bytesTotal = 0;
  #bytesAtTick = 0;
  #bytesPerSecond = 0;
  #videoFrames = 0;
  #rateFromMs = 0;
  #framesPerSecond: number | undefined;
  readonly #meter = new StreamMeter();
  readonly #timedData = new TimedDataBudget();
  readonly #memory = new StreamMemory();
  readonly #silence = new SilenceMeter();
  readonly #gaps = new StreamGaps();
  readonly #news = new NewsBudget();

  /** `awakeMs`, here and below: the clock that stands still while this process could not hear an encoder. */
  constructor(
    ingestId: number,
    description: PublisherDescription,
    startTime: number,
    { nowMs, awakeMs }: { readonly nowMs: number; readonly awakeMs: number },
  ) {
    this.ingestId = ingestId;
    this.description = description;
    this.#startTime = startTime;
    this.clockMark = startTime - nowMs;
    this.openedMs = awakeMs;
    this.#healthySinceMs = awakeMs;
    this.#rateFromMs = nowMs;
  }

  get slot(): IngestSlot {
    return this.description.slot;
  }

  get isTestPattern(): boolean {
    return this.description.testPatternEndTime !== undefined;
  }

  /** Whether it came with a key: test patterns and sources have none. */
  get hasKey(): boolean {
    return !this.isTestPattern && this.description.sourceKind === undefined;
  }

  /** Takes a message: classifies it, counts it, and keeps it where it is a header. */
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
        // Further tracks are other sizes of the same video.
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

  #noteFrame(frame: Frame, nowMs: number, awakeMs: number): void {
    const { kind, trackId, codec, audioFormat, header, isKeyframe, isFurther } = frame;
    if (header !== undefined) this.head.takeConfig(header);
    this.head.setCodec(kind, trackId, codec);
    if (audioFormat !== undefined) this.head.setAudioFrameFormat(trackId, audioFormat);
    this.head.sawFrame(kind, isKeyframe, nowMs);
    // After a gap a stream counts as new.
    if (this.isSilent(awakeMs)) this.#healthySinceMs = awakeMs;
    this.#media.took(awakeMs);
    this.#firstFrameMs ??= awakeMs;
    if (kind === "audio") {
      this.#hasAudio = true;
      this.#audioPace.took(awakeMs);
    }
    if (kind === "video" && trackId === 0 && !isFurther) this.#videoPace.took(awakeMs);
  }

  #countFrame(classified: Frame, timestamp: number, nowMs: number): void {
    const { kind, isKeyframe, isFurther, compositionTimeMs, payload } = classified;
    const frameMs = this.head.frameMs(kind, 0);
    const frame = { kind, bytes: payload.length, timestamp, compositionTimeMs, isKeyframe, isFurther, frameMs };
    this.#meter.take(frame, nowMs);
    if (kind === "audio") this.#silence.take(payload, nowMs);
    if (kind !== "video" || isFurther) return;
    this.#videoFrames += 1;
  }

  /** Milliseconds since the last frame, or since the encoder connected. */
  silentMs(awakeMs: number): number {
    return this.#media.silentMs(awakeMs) ?? awakeMs - this.openedMs;
  }

  /**
   * Silence shorter than this is normal for this encoder, in milliseconds. Video without audio may be slower than video
   * with it.
   */
  get missedAfterMs(): number {
    return this.#media.missedAfterMs(!this.#hasAudio && this.#firstFrameMs !== undefined);
  }

  /** After this long without media the publisher is not healthy, in milliseconds. */
  get silentAfterMs(): number {
    return Math.max(SILENT_AFTER_MS, this.missedAfterMs);
  }

  isSilent(awakeMs: number): boolean {
    const silentMs = this.silentMs(awakeMs);
    // Called for each frame: the learned pace is computed only where it matters.
    return silentMs >= SILENT_AFTER_MS && silentMs >= this.silentAfterMs;
  }

  /**
   * For how long video is missing while audio goes on, in milliseconds; undefined where none is missing, or for less
   * than `afterMs`.
   */
  withoutVideoMs(awakeMs: number, afterMs: number): number | undefined {
    const silentMs = this.#hasAudio ? this.#videoPace.silentMs(awakeMs) : undefined;
    if (silentMs === undefined || this.isSilent(awakeMs)) return undefined;
    return silentMs >= Math.max(afterMs, this.#videoPace.missedAfterMs(true)) ? silentMs : undefined;
  }

  /** Whether audio came, and has been missing for 3 s while video goes on. */
  isAudioMissed(awakeMs: number): boolean {
    const silentMs = this.#audioPace.silentMs(awakeMs);
    if (silentMs === undefined || silentMs < AUDIO_MISSED_MS || this.isSilent(awakeMs)) return false;
    return silentMs >= this.#audioPace.missedAfterMs(false) && this.#videoPace.silentMs(awakeMs) !== undefined;
  }

  /** Milliseconds of media without a gap; 0 during a gap. */
  healthyMs(awakeMs: number): number {
    return this.isSilent(awakeMs) ? 0 : awakeMs - this.#healthySinceMs;
  }

  /**
   * Whether its frames are a backlog: media that was delayed on its way arrives all at once. An encoder that stays late
   * is not a backlog. `staleMs`: by how much the frame lies behind the time that filler has covered.
   */
  isCatchingUp(staleMs: number, awakeMs: number): boolean {
    return staleMs > BACKLOG_FROM_MS && this.healthyMs(awakeMs) < BACKLOG_WAIT_MS;
  }

  /** The encoder came back with audio, and its video is so late that the channel no longer waits for it. */
  isAudioAlone(awakeMs: number): boolean {
    return this.healthyMs(awakeMs) >= VIDEO_WAIT_MS;
  }

  /** A stream that lacks a track of the former one may still send it. */
  mayBringTracks(awakeMs: number): boolean {
    return (this.framesForMs(awakeMs) ?? 0) < TRACKS_WAIT_MS;
  }

  /** Whether any header or frame of a stream came. */
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
    this.#framesPerSecond = (this.#videoFrames * 1_000) / (nowMs - this.#rateFromMs);
    this.#videoFrames = 0;
    this.#rateFromMs = nowMs;
  }

  /** `clockStepMs`: by how much the wall clock was set since it connected. Its times follow. */
  sample(state: IngestSample["state"], awakeMs: number, clockStepMs = 0): IngestSample {
    const {
      slot,
      remoteAddress,
      encoder,
      keyRemoved = [],
      testPatternEndTime,
      onlyTargetIds,
      sourceKind,
    } = this.description;
    const frameRate = this.#framesPerSecond;
    const { silentMs } = this.#silence;
    const intervalMs = this.#meter.keyframeIntervalMs;
    const withoutVideoMs = state === "LIVE" ? this.withoutVideoMs(awakeMs, VIDEO_MISSED_MS) : undefined;
    return {
      state,
      slot,
      remoteAddress,
      encoder,
      startTime: this.#startTime + clockStepMs,
      ...(testPatternEndTime === undefined ? {} : { testPatternEndTime: testPatternEndTime + clockStepMs }),
      ...(onlyTargetIds === undefined ? {} : { onlyTargetIds }),
      ...(sourceKind === undefined ? {} : { sourceKind }),
      ...videoFormat(this.head),
      ...(frameRate === undefined || frameRate === 0 ? {} : { frameRate: Math.round(frameRate * 100) / 100 }),
      ...(intervalMs === undefined ? {} : { keyframeIntervalSeconds: intervalMs / 1_000 }),
      ...audioFormat(this.head),
      bytesPerSecond: state === "LIVE" ? this.#bytesPerSecond : 0,
      bytesTotal: this.#bytesTotal,
      ...(withoutVideoMs === undefined ? {} : { secondsWithoutVideo: Math.round(withoutVideoMs / 1_000) }),
      measures: {
        ...this.#meter.measures,
        ...this.#gaps.measures(this.head),
        ...(silentMs === undefined || silentMs < SILENCE_REPORTED_MS
          ? {}
          : { secondsSilent: Math.floor(silentMs / 1_000) }),
      },
      ...(keyRemoved.length === 0 ? {} : { keyRemoved }),
      ...(this.#timedData.droppedTotal === 0 ? {} : { droppedData: this.#timedData.droppedTotal }),
    };
  }
}
