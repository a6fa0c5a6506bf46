import { withParameterSets } from "../../protocol/flv/video/parameter-sets.ts";
import { classifyVideo, shownAfterMs } from "../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Keyframe } from "../../thread-protocol/keyframe.ts";
import { payloadOf } from "../packing/rtmp-chunks.ts";
import { BegunTracks } from "../stream/begun-tracks.ts";
import type { ClassifiedMessage, ConfigPart } from "../stream/classify-message.ts";
import { DecoderConfig } from "../stream/config/decoder-config.ts";
import { ChangePace, changedTracks, isOtherAudioFormat } from "../stream/config/track-change.ts";
import { SILENCE_CONFIG } from "../stream/filler/added-silence.ts";
import { FillerStock } from "../stream/filler/filler-stock.ts";
import { FlushCall } from "../stream/flush-call.ts";
import { keyframeOf } from "../stream/keyframe-file.ts";
import type { MessageTimes } from "../stream/media-message.ts";
import { HEADER_MARKS, type PacketKind, type PacketMarks, typeOf } from "../stream/packet.ts";
import type { Slate } from "../stream/slate/slate.ts";
import { SlateRun } from "../stream/slate/slate-run.ts";
import { Timeline } from "../stream/timeline.ts";
import type { LinkClose, SoFar, StreamChoice, Subscriber } from "../subscriber/subscriber.ts";
import type { FanOutDeps } from "./fan-out-deps.ts";
import { type FillerRun, type FillerRunFrame, newFillerRun } from "./filler-run.ts";
import { type Interleaved, Interleaver, placed, timed } from "./interleaver.ts";
import { RenditionFanOut } from "./rendition-fan-out.ts";

/** A classified frame. */
export type Frame = Omit<Extract<ClassifiedMessage, { what: "frame" }>, "what">;

/** A channel's fan-out: places one stream in channel time, for every subscriber. The channel decides what comes here. */
export class FanOut {
  readonly #deps: FanOutDeps;
  #hasStarted = false;
  readonly #begunTracks = new BegunTracks();
  readonly #changePace = new ChangePace();
  /** Channel time of the first frame of the present encoder, in milliseconds. */
  #startMs: number | undefined;
  /** Silence that goes on up to the encoder's next audio: audio before its end is not sent. */
  #endingSilence: FillerRun | undefined;
  /** Latest presentation time of any frame: channel time, in milliseconds. */
  #presentedMs = 0;
  /** What subscribers were sent: headers are sent again only if they differ. */
  #head = new DecoderConfig();
  #timeline = new Timeline();
  #interleaver = new Interleaver();
  readonly #fanOut: RenditionFanOut;
  readonly #stock = new FillerStock(payloadOf);
  readonly #flushCall: FlushCall;
  #repeatsSets = false;

  constructor(deps: FanOutDeps) {
    this.#deps = deps;
    this.#flushCall = new FlushCall(deps.onDirty);
    this.#fanOut = new RenditionFanOut({ ...deps, stock: this.#stock, head: () => this.#head });
  }

  /** Whether video of the default track comes but is not sent, since no keyframe came before it. */
  get lacksKeyframe(): boolean {
    return this.#begunTracks.lacksKeyframe;
  }

  get head(): DecoderConfig {
    return this.#head;
  }

  /** Whether there has been media since the broadcast began. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** There is media. Not at publish: an encoder that sends nothing starts no broadcast. */
  #start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#deps.connections.want();
  }

  /** The broadcast is over: connections are left as asked, and the next broadcast starts from nothing. */
  stop(how: LinkClose): void {
    if (how !== "abort") this.#sendFrames(this.#interleaver.drain());
    if (how !== "abort") this.#fanOut.deliver();
    this.#interleaver = new Interleaver();
    this.#hasStarted = false;
    this.#deps.connections.unwant(how);
    this.forgetHead();
    this.#timeline = new Timeline();
    this.#startMs = undefined;
    this.#endingSilence = undefined;
    this.#presentedMs = 0;
    this.#fanOut.startOver(how);
  }

  /**
   * From here on another encoder's messages come, in step with the wall clock. `compositionTimeMs`: presentation time
   * minus decoding time of its first frame, which must not be presented before the last frame of the former encoder.
   */
  changePublisher(compositionTimeMs: number): void {
    this.#sendFrames(this.#interleaver.drain());
    this.#interleaver = new Interleaver();
    this.resumePublisher();
    // Filler must show the encoder that was lost, not the one before it.
    this.#clearStocks();
    this.#startMs = undefined;
    this.#endingSilence = undefined;
    this.#timeline.changePublisher(this.#presentedMs + 1 - compositionTimeMs);
  }

  /** The new stream cannot follow the former one within a connection: every target is connected anew. */
  reconnect(): void {
    this.#fanOut.deliver();
    this.forgetHead();
    this.#deps.connections.redial();
  }

  /** Sends an encoder's message. The first media makes the targets connect. */
  forward(classified: ClassifiedMessage, times: MessageTimes): void {
    switch (classified.what) {
      case "ignored":
        return;
      case "metadata-cleared":
        return this.#head.clearMetadata();
      case "metadata":
        return this.#sendMetadata(classified.payload, classified.announcesVideo);
      case "timed-data":
        return this.#sendTimedData(classified.payload, times);
      case "config":
        for (const trackId of changedTracks(this.#head, classified)) this.#changeTrack(classified.kind, trackId);
        this.#noteCodecs(classified.kind, classified.parts);
        this.#start();
        if (classified.kind === "audio") this.#endSilence(classified.payload);
        return this.#sendConfig(classified.kind, classified.parts, classified.payload);
      case "frame":
        if (classified.header !== undefined) this.forward(classified.header, times);
        this.#noteFrame(classified);
        this.#start();
        return this.#sendFrame(classified, times);
    }
  }

  /** Takes a frame's codec, and its audio format where no header describes it. */
  #noteFrame({ kind, trackId, codec, audioFormat }: Frame): void {
    if (this.#changePace.isOverdue(this.#deps.clock)) this.#deps.connections.redial();
    if (audioFormat === undefined && this.#head.codecs(kind).get(trackId) === codec) return;
    if (isOtherAudioFormat(this.#head, { kind, trackId, codec, audioFormat })) this.#changeTrack(kind, trackId);
    if (this.#head.setCodec(kind, trackId, codec)) {
      this.#deps.connections.checkStream();
      if (kind === "audio") this.#endSilence(undefined);
    }
    if (audioFormat !== undefined) this.#head.setAudioFrameFormat(trackId, audioFormat);
  }

  /** Audio came, with this header: targets that get silence must not get two formats within one connection. */
  #endSilence(config: Buffer | undefined): void {
    this.#fanOut.deliver();
    this.#deps.connections.endSilence(config?.equals(SILENCE_CONFIG) === true);
  }

  /** A track on air changes its codec or format. Receivers fail on that within a connection: targets connect anew. */
  #changeTrack(kind: "audio" | "video", trackId: number): void {
    const before = this.#head;
    this.#sendFrames(this.#interleaver.drain());
    before.forgetTrack(kind, trackId);
    this.#fanOut.clearGops();
    if (kind === "video") this.#clearStocks();
    else this.#endingSilence = undefined;
    if (!this.#deps.connections.haveBegun || !this.#changePace.isDue(this.#deps.clock)) return;
    this.reconnect();
    // The other tracks did not change.
    this.#head = before;
  }

  /** Sends those headers of an encoder that subscribers do not have yet. */
  offerConfig(head: DecoderConfig): void {
    const { metadata } = head;
    if (metadata === undefined) this.#head.clearMetadata();
    else this.#sendMetadata(metadata, head.config("video") !== undefined);
    for (const kind of ["audio", "video"] as const) {
      const codecs = Array.from(head.codecs(kind), ([trackId, codec]) => ({ trackId, codec }));
      this.#noteCodecs(kind, codecs);
    }
    for (const [slot, { kind, payload }] of head.configs) this.#sendConfig(kind, [{ slot, payload }], payload);
  }

  /** Takes the codecs of tracks. If one is new, targets are checked: some may not take it. */
  #noteCodecs(kind: "audio" | "video", tracks: readonly Pick<ConfigPart, "trackId" | "codec">[]): void {
    const areNews = tracks.map(({ trackId, codec }) => this.#head.setCodec(kind, trackId, codec));
    if (areNews.includes(true)) this.#deps.connections.checkStream();
  }

  #sendMetadata(payload: Buffer, announcesVideo: boolean): void {
    if (this.#head.setMetadata(payload, announcesVideo)) this.#sendData(this.#head.metadata ?? payload);
  }

  #sendData(payload: Buffer): void {
    this.#send("data", MessageType.DataAmf0, HEADER_MARKS, payload, this.#timeline.lastMs);
  }

  #sendConfig(kind: "audio" | "video", parts: readonly Pick<ConfigPart, "slot" | "payload">[], payload: Buffer): void {
    const madeUp = this.#head.madeUpMetadata;
    const isFirst = parts.every(({ slot }) => !this.#head.configs.has(slot));
    const changed = parts.filter((part) => this.#head.setConfig(kind, part.slot, part.payload));
    if (changed.length === 0) return;
    // The codec is known now: subscribers that came before it may need another rendition.
    this.#fanOut.reassignWaiting();
    this.#sendFrames(this.#interleaver.drain());
    // A track's first header changes nothing about the frames before it.
    if (!isFirst) this.#fanOut.clearGops();
    if (changed.some(({ slot }) => slot.startsWith("video 0 "))) this.#stock.clear();
    // Metadata that the relay made names only what was known when it was made.
    const renewed = this.#head.madeUpMetadata;
    if (renewed !== undefined && madeUp?.equals(renewed) === false) this.#sendData(renewed);
    this.#send(kind, typeOf(kind), HEADER_MARKS, payload, this.#timeline.lastMs);
  }

  #sendFrame(frame: Frame, { timestamp, nowMs, awakeMs }: MessageTimes): void {
    const { kind, trackId, startsTrack, isKeyframe, compositionTimeMs } = frame;
    this.#head.sawFrame(kind, isKeyframe, nowMs);
    if (kind === "video" && !this.#begunTracks.passes(trackId, startsTrack))
      return this.#deps.connections.missed("untilKeyframe");
    const timeMs = this.#timeline.map(kind, timestamp, nowMs, this.#head.frameMs(kind, trackId));
    const sent = this.#repeatsSets && isKeyframe && trackId === 0 ? this.#withSets(frame) : frame;
    // Audio before an encoder's first video frame is not sent.
    this.#startMs ??= timeMs;
    if (kind === "audio" && timeMs < Math.max(this.#startMs, this.#endingSilence?.audioEndMs ?? 0)) return;
    if (kind === "audio" && this.#endingSilence !== undefined) this.#endSilenceAt(this.#endingSilence, timeMs);
    this.#presentedMs = Math.max(this.#presentedMs, timeMs + compositionTimeMs);
    this.#sendFrames(this.#interleaver.add(placed(sent, timeMs, awakeMs), this.#timeline.lastMs));
  }

  /** The first keyframe after a slate repeats the parameter sets, which the slate changed. */
  #withSets(frame: Frame): Frame {
    this.#repeatsSets = false;
    return { ...frame, payload: withParameterSets(frame.payload, this.#head.trackConfig("video", 0)) };
  }

  /** Places timed data among the frames, at its own time as far as that is near them; not before the first frame. */
  #sendTimedData(payload: Buffer, { timestamp, awakeMs }: MessageTimes): void {
    if (this.#startMs === undefined) return;
    const data = timed(payload, this.#timeline.near(timestamp), awakeMs);
    this.#sendFrames(this.#interleaver.add(data, this.#timeline.lastMs));
  }

  #sendFrames(frames: readonly Interleaved[]): void {
    for (const frame of frames) {
      const timeMs = this.#timeline.send(frame.timeMs);
      const packet = this.#fanOut.send(timeMs === frame.timeMs ? frame : { ...frame, timeMs });
      this.#stock.take(frame, packet, this.#head, this.#deps.clock);
      this.#flushCall.note(frame.payload.length);
    }
  }

  /** Makes filler that begins now, of both kinds; or of one, no earlier than `fromMs` of channel time. */
  newFillerRun(what: "all" | "audio" | "video" = "all", fromMs = 0): FillerRun {
    this.#endingSilence = undefined;
    this.#sendFrames(this.#interleaver.drain());
    const presentMs = this.#timeline.presentMs(this.#deps.clock.now());
    const behind = (stock: FillerStock) => Math.max(presentMs, this.#presentedMs + 1 - stock.compositionTimeMs);
    if (what === "video") this.#begunTracks.clear();
    const startMs = what === "all" ? behind : () => Math.max(fromMs, this.#timeline.lastMs);
    const parts = { renditions: this.#fanOut.renditions, stock: this.#stock, head: this.#head, startMs };
    return newFillerRun({ ...parts, hasAudio: what !== "video", hasVideo: what !== "audio" });
  }

  /** Shows a slate in place of the default tracks, whose form it must have. Renditions of other video get filler. */
  newSlateRun(slate: Slate): FillerRun {
    this.#endingSilence = undefined;
    this.#sendFrames(this.#interleaver.drain());
    const startMs = Math.max(this.#timeline.presentMs(this.#deps.clock.now()), this.#presentedMs + 1);
    const slateRun = new SlateRun(slate, this.#head.config("audio"), startMs);
    const parts = { renditions: this.#fanOut.renditions, stock: this.#stock, head: this.#head, slateRun };
    const run = newFillerRun({ ...parts, hasAudio: true, hasVideo: true, startMs: () => startMs });
    for (const [slot, { kind, payload }] of slate.head.configs) this.#sendConfig(kind, [{ slot, payload }], payload);
    this.#repeatsSets = true;
    return run;
  }

  /** Sends what is due of filler or of a slate. */
  fill(fillerRun: FillerRun): void {
    this.#sendFiller(fillerRun, fillerRun.until(this.#timeline.presentMs(this.#deps.clock.now())));
  }

  /** Sends the video filler that is due with the encoder's audio: up to the time of that audio. */
  fillVideo(fillerRun: FillerRun): void {
    this.#sendFiller(fillerRun, fillerRun.until(this.#timeline.lastMs));
  }

  /** Sends silence up to the audio that comes back at `timeMs`, among the video that waits. */
  #endSilenceAt(silence: FillerRun, timeMs: number): void {
    this.#endingSilence = undefined;
    for (const frame of this.#interleaver.takeUpTo(timeMs)) {
      this.#sendFiller(silence, silence.until(frame.timeMs - 1));
      this.#sendFrames([frame]);
    }
    this.#sendFiller(silence, silence.silenceUpTo(timeMs));
  }

  #sendFiller(fillerRun: FillerRun, frames: readonly FillerRunFrame[]): void {
    const arrivalMs = this.#deps.clock.awakeNow();
    for (const { kind, timeMs, isKeyframe, payload, rendition: own } of frames) {
      const compositionTimeMs = kind === "video" ? shownAfterMs(classifyVideo(payload)) : 0;
      this.#presentedMs = Math.max(this.#presentedMs, timeMs + compositionTimeMs);
      const marks = { isConfig: false, isKeyframe, trackId: 0, startsTrack: isKeyframe, arrivalMs };
      const frame = { kind, type: typeOf(kind), ...marks, payload, timeMs: this.#timeline.send(timeMs) };
      if (own !== undefined) this.#fanOut.sendFiller(own, frame);
      const shared = own === undefined ? fillerRun.sharedBy(this.#fanOut.renditions, kind) : [];
      const packet = this.#fanOut.send(frame, shared);
      // The thumbnail shows what viewers of the default tracks see, and filler may follow a slate.
      if (fillerRun.isSlate && own === undefined) this.#stock.take(frame, packet, this.#head, this.#deps.clock);
    }
    this.#flushCall.note(0);
  }

  /** By how many milliseconds a frame of the encoder on air lies behind what filler has covered; undefined: its first. */
  staleMs(kind: "audio" | "video", timestamp: number): number | undefined {
    const timeMs = this.#timeline.expected(kind, timestamp);
    return timeMs === undefined ? undefined : Math.max(0, this.#timeline.lastMs - timeMs);
  }

  /** The encoder on air continues by its own clock, after filler. */
  resumePublisher(): void {
    this.#fanOut.clearGops();
    this.#begunTracks.clear();
  }

  /** Its video continues in step with its audio, whatever its clock did meanwhile. */
  resumeVideo(): void {
    this.resumePublisher();
    this.#timeline.forgetClock("video");
  }

  /** Sends the silence that is due before a video frame of the encoder with this timestamp. */
  fillAudio(silence: FillerRun, timestamp: number): void {
    const videoMs = this.#interleaver.isEmpty ? this.#timeline.expected("video", timestamp) : undefined;
    this.#sendFiller(silence, silence.until((videoMs ?? this.#timeline.lastMs + 1) - 1));
  }

  /** Its audio continues behind this silence, in step with its video, whatever its clock did meanwhile. */
  resumeAudio(silence: FillerRun): void {
    this.#endingSilence = silence;
    this.#timeline.forgetClock("audio");
  }

  subscribe(subscriber: Subscriber): void {
    this.#fanOut.subscribe(subscriber, this.#timeline.lastMs);
    this.#flushCall.note(0);
  }

  /** A subscriber leaves that goes on elsewhere; returns what it got so far. */
  detach(subscriber: Subscriber): SoFar | undefined {
    return this.#fanOut.detach(subscriber, this.#timeline.lastMs);
  }

  /** The last keyframe of the default track, unless the asker has the one of `knownTime`. */
  keyframe(knownTime: number | undefined): Keyframe {
    return keyframeOf(this.#stock, this.#head.config("video"), knownTime);
  }

  /** Makes renditions for these choices, so that later subscribers find the current GOP. */
  prepare(choices: readonly StreamChoice[]): void {
    this.#fanOut.prepare(choices);
  }

  /** The stream goes on that another server sent until now: targets begin with its first keyframe. */
  keepFirstGroups(): void {
    this.#fanOut.keepFirstGroups();
  }

  /** Gives the flush batch to the subscribers in step. */
  deliver(): void {
    this.#fanOut.deliver();
  }

  /** Makes every subscriber send what waits for it. */
  flush(): void {
    this.#flushCall.flushed();
    this.#fanOut.flush();
  }

  /** Call once a second. */
  tick(): void {
    this.#fanOut.tick();
  }

  #send(kind: PacketKind, type: number, marks: PacketMarks, payload: Buffer, timeMs: number): void {
    this.#fanOut.send({ kind, type, ...marks, payload, timeMs, arrivalMs: this.#deps.clock.awakeNow() });
    this.#flushCall.note(payload.length);
  }

  /** Forgets what subscribers were sent: the stream starts again. */
  forgetHead(): void {
    this.#changePace.forget();
    this.#begunTracks.clear();
    this.#head = new DecoderConfig();
    this.#fanOut.clearGops();
    this.#clearStocks();
  }

  #clearStocks(): void {
    this.#stock.clear();
    for (const rendition of this.#fanOut.renditions) rendition.stock?.clear();
  }
}
