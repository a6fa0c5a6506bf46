import { classifyAudio } from "../../flv/audio/audio-tag.ts";
import type { AudioCodec } from "../../flv/fourcc.ts";
import { splitTracks } from "../../flv/tracks.ts";
import { type RecordUnits, readRecordUnits } from "../../flv/video/record-units.ts";
import { classifyVideo } from "../../flv/video/video-tag.ts";
import { annexBFrame } from "./annex-b-writer.ts";
import { type AudioFraming, audioFraming } from "./audio-framing.ts";
import { PacketWriter } from "./packet-writer.ts";
import { pesHeader, StreamId, wrapped } from "./pes-writer.ts";
import { type ListedStream, patSection, pmtSection } from "./tables.ts";

const PAT_PID = 0;
/** The PIDs that FFmpeg uses. */
const PMT_PID = 0x1000;
const VIDEO_PID = 0x100;
const AUDIO_PID = 0x101;
/** Audio tracks from 0 on; more than any player offers. */
const AUDIO_TRACKS_MAX = 16;
const TICKS_PER_MS = 90;
/** Times begin here, so that the clock reference, which is earlier, is not negative. */
const START_MS = 1_000;
/** The clock reference is this much before decoding: the time in which a frame must have arrived. */
const CLOCK_LEAD_MS = 200;
/** Tables and clock references come at least so often. ETSI TR 101 290 allows 500 ms and 100 ms. */
const TABLES_EVERY_MS = 100;
const CLOCK_EVERY_MS = 80;
const HEVC_REGISTRATION = Buffer.from("050448455643", "hex");
const NO_DESCRIPTORS = Buffer.alloc(0);
const NOTHING: Buffer = Buffer.alloc(0);

type VideoStream = { readonly codec: "avc" | "hevc"; readonly record: RecordUnits };
type AudioStream = { readonly codec: AudioCodec; readonly framing: AudioFraming };

/** A message as the relay has it: the body of an FLV tag. */
export type MuxMessage = {
  readonly kind: "audio" | "video";
  readonly payload: Buffer;
  /** Decoding time in milliseconds, from 0; never before the message before it. */
  readonly timeMs: number;
};

/**
 * Writes FLV's messages as a transport stream: H.264 and HEVC, AAC in ADTS, AC-3, E-AC-3, MP3 and Opus, the default
 * video track and all audio tracks. Each message becomes whole packets of 188 bytes, with nothing kept for later.
 *
 * Tables come before every keyframe, and with the first message after 100 ms. Parameter sets come before every
 * keyframe. So a receiver may begin at any keyframe.
 */
export class TsMuxer {
  readonly #writer = new PacketWriter();
  #video: VideoStream | undefined;
  readonly #audio = new Map<number, AudioStream>();
  /** The PMT no longer lists what there is. */
  #isListOld = true;
  #listed: string | undefined;
  #version = -1;
  #pmt = NOTHING;
  #pcrPid: number | undefined;
  #tablesMs: number | undefined;
  #clockMs: number | undefined;

  /** Returns the message's packets; none for sequence headers, and for what a transport stream cannot carry. */
  write({ kind, payload, timeMs }: MuxMessage): Buffer {
    const parts = splitTracks(kind, payload).map((part) =>
      kind === "video" ? this.#writeVideo(part, timeMs) : this.#writeAudio(part, timeMs),
    );
    return parts.length === 1 ? (parts[0] ?? NOTHING) : Buffer.concat(parts);
  }

  #writeVideo(payload: Buffer, timeMs: number): Buffer {
    const tag = classifyVideo(payload);
    const { codec, bodyOffset, bodyEnd, isKeyframe, compositionTimeMs } = tag;
    if (tag.trackId !== 0 || (codec !== "avc" && codec !== "hevc")) return NOTHING;
    if (tag.part === "config") {
      const record = readRecordUnits(codec, payload.subarray(bodyOffset, bodyEnd));
      if (record === undefined) return NOTHING;
      this.#video = { codec, record };
      this.#isListOld = true;
      return NOTHING;
    }
    if (tag.part !== "frame" || this.#video?.codec !== codec) return NOTHING;
    const { record } = this.#video;
    const units = annexBFrame(codec, payload, { from: bodyOffset, end: bodyEnd, isKey: isKeyframe, record });
    if (units === undefined) return NOTHING;
    const dts = ticks(timeMs);
    const size = units.reduce((sum, { length }) => sum + length, 0);
    const header = pesHeader(StreamId.Video, size, dts + compositionTimeMs * TICKS_PER_MS, dts);
    const tables = this.#tables(timeMs, isKeyframe);
    this.#clockMs = timeMs;
    const marks = { isRandomAccess: isKeyframe, pcr: clockOf(timeMs) };
    const packets = this.#writer.packets(VIDEO_PID, Buffer.concat([header, ...units]), marks);
    return tables.length === 0 ? packets : Buffer.concat([tables, packets]);
  }

  #writeAudio(payload: Buffer, timeMs: number): Buffer {
    const { part, codec, trackId, bodyOffset, bodyEnd } = classifyAudio(payload);
    if (trackId >= AUDIO_TRACKS_MAX) return NOTHING;
    const body = payload.subarray(bodyOffset, bodyEnd);
    if (part === "config") {
      this.#setAudio(trackId, codec, body);
      return NOTHING;
    }
    if (part !== "frame") return NOTHING;
    // Only AAC needs its configuration first.
    if (this.#audio.get(trackId)?.codec !== codec) this.#setAudio(trackId, codec, undefined);
    const { framing } = this.#audio.get(trackId) ?? {};
    const head = framing?.head(body.length);
    if (framing === undefined || head === undefined) return NOTHING;
    const pid = AUDIO_PID + trackId;
    const time = ticks(timeMs);
    const tables = this.#tables(timeMs, false);
    const clock = this.#clock(pid, timeMs);
    const header = pesHeader(framing.streamId, head.length + body.length, time, time);
    const isClockPid = this.#pcrPid === pid;
    const marks = isClockPid ? { isRandomAccess: true, pcr: clockOf(timeMs) } : { isRandomAccess: true };
    return Buffer.concat([tables, clock, this.#writer.packets(pid, Buffer.concat([header, head, body]), marks)]);
  }

  #setAudio(trackId: number, codec: AudioCodec, config: Buffer | undefined): void {
    const framing = audioFraming(codec, config);
    if (framing === undefined) this.#audio.delete(trackId);
    else this.#audio.set(trackId, { codec, framing });
    this.#isListOld = true;
  }

  /** A clock reference of its own, where video has sent none for a while. */
  #clock(pid: number, timeMs: number): Buffer {
    const isDue = this.#clockMs === undefined || timeMs - this.#clockMs >= CLOCK_EVERY_MS || timeMs < this.#clockMs;
    if (this.#pcrPid === undefined || this.#pcrPid === pid || !isDue) return NOTHING;
    this.#clockMs = timeMs;
    return this.#writer.pcrPacket(this.#pcrPid, clockOf(timeMs));
  }

  /** PAT and PMT where they are due: at keyframes, after a change, and now and then. */
  #tables(timeMs: number, isKey: boolean): Buffer {
    const hasChanged = this.#list();
    const lastMs = this.#tablesMs;
    const isDue = lastMs === undefined || timeMs - lastMs >= TABLES_EVERY_MS || timeMs < lastMs;
    if (!hasChanged && !isKey && !isDue) return NOTHING;
    this.#tablesMs = timeMs;
    return Buffer.concat([
      this.#writer.packets(PAT_PID, patSection(PMT_PID)),
      this.#writer.packets(PMT_PID, this.#pmt),
    ]);
  }

  /** Makes the PMT; returns whether it has changed. */
  #list(): boolean {
    if (!this.#isListOld) return false;
    this.#isListOld = false;
    const streams: ListedStream[] = [];
    if (this.#video !== undefined) {
      const isAvc = this.#video.codec === "avc";
      const descriptors = isAvc ? NO_DESCRIPTORS : HEVC_REGISTRATION;
      streams.push({ pid: VIDEO_PID, streamType: isAvc ? 0x1b : 0x24, descriptors });
    }
    for (const [trackId, { framing }] of [...this.#audio].sort(([a], [b]) => a - b)) {
      const { streamType, descriptors } = framing;
      streams.push({ pid: AUDIO_PID + trackId, streamType, descriptors });
    }
    const listed = streams
      .map(({ pid, streamType, descriptors }) => `${pid} ${streamType} ${descriptors.toString("hex")}`)
      .join();
    if (listed === this.#listed) return false;
    this.#listed = listed;
    this.#version += 1;
    this.#pcrPid = streams[0]?.pid;
    this.#pmt = pmtSection(streams, this.#pcrPid, this.#version);
    return true;
  }
}

function ticks(timeMs: number): number {
  return (timeMs + START_MS) * TICKS_PER_MS;
}

function clockOf(timeMs: number): number {
  return wrapped((timeMs + START_MS - CLOCK_LEAD_MS) * TICKS_PER_MS);
}
