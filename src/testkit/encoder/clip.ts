import { encodeAmf0 } from "../../protocol/amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray } from "../../protocol/amf0/value.ts";
import { classifyAudio } from "../../protocol/flv/audio/audio-tag.ts";
import type { FlvTag } from "../../protocol/flv/flv-tag.ts";
import { classifyVideo } from "../../protocol/flv/video/video-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import { ENCODED_VIDEO, type EncodedVideo } from "./encoded-video.ts";

/** Media for an encoder to send: tags in order of time, from 0 on. `tags` can be called any number of times. */
export type Clip = {
  tags(): Iterable<FlvTag>;
  /** When a repetition would begin, in milliseconds; `Infinity` for an endless clip. */
  readonly durationMs: number;
};

/** Height of the video; `-b`: with B-frames, whose composition times differ from their decoding times. */
export type VideoName = keyof typeof ENCODED_VIDEO;
export const VIDEO_NAMES = ["180p", "180p-b", "360p", "360p-b"] as const satisfies readonly VideoName[];

/** AAC-LC: silence, or a soft tone that meters show. */
export type AudioSettings =
  | { readonly sampleRate: 44_100 | 48_000; readonly channels: 1 | 2 }
  | { readonly sampleRate: 48_000; readonly channels: 2; readonly isTone: true };

export type SyntheticOptions = {
  /** Default "180p"; `none`: audio only. */
  readonly video?: VideoName | "none";
  /** Default 48 kHz stereo; `none`: video only. */
  readonly audio?: AudioSettings | "none";
  /** Absent: endless. */
  readonly seconds?: number;
  /** Video is padded to this rate, in kilobits a second; default: no padding (about 50 to 100). */
  readonly kilobits?: number;
  /** Every frame holds a running number, from this one on, so that no two payloads are alike. Default 0. */
  readonly firstSerial?: number;
  /** What the stream's metadata call the encoder. */
  readonly encoder?: string;
};

const FRAME_MS = 40;
const SAMPLES_PER_FRAME = 1_024;
const AUDIO_DEFAULT: AudioSettings = { sampleRate: 48_000, channels: 2 };

/** AAC-LC, frequency index and channels, five, four and four bits. */
const AUDIO_CONFIGURATIONS: Readonly<Record<string, string>> = {
  "44100/1": "1208",
  "44100/2": "1210",
  "48000/1": "1188",
  "48000/2": "1190",
};
/** A single channel and a channel pair without any spectrum: silence at any sample rate. */
const SILENCE = { 1: Buffer.from("00c800802380", "hex"), 2: Buffer.from("210049900219002380", "hex") } as const;

/**
 * A tone of 937.5 Hz at -19 dB: 20 whole waves in 1,024 samples of 48 kHz, so one frame repeats without a seam. Made once by
 * FFmpeg's AAC encoder from `sine=frequency=937.5`, a frame from the middle.
 */
const TONE = Buffer.from(
  "2118cffffff7f0766359994e1d0b944cf3dd6b38f5f3fff173fffc2aea55c96e5e39eff5ceb795e7dc1db0c5d9d9d0c5d536bbae562a8070a9f1b2d81e402ed0" +
    "73553306c184008d5899d9dab57326767676767623767324e52bb3b107be57322fddf69037c02bc92000bfb7c080ae89037482fd7d0057dad309000909090a09" +
    "0a00a00ec37d089fc8f3dd6b38f5f3fff173fffc2aea55c96e5e39eff5ceb780000000000000000000000007",
  "hex",
);

const NAL_LENGTH_BYTES = 4;
/** SEI, user data unregistered, 16 bytes of identifier and 8 of text. */
const SERIAL_SEI = Buffer.from("060518f1a2b3c4d5e6978879b1c2d3e4f5a6b7", "hex");
const NAL_FILLER = 0x0c;
const RBSP_END = 0x80;

/**
 * A stream made without any encoder: test video with a keyframe each second, and silence or a tone, valid to the last bit.
 * Endless or of so many seconds.
 */
export function syntheticClip(options: SyntheticOptions = {}): Clip {
  const videoName = options.video ?? "180p";
  const video = videoName === "none" ? undefined : ENCODED_VIDEO[videoName];
  const audio = options.audio ?? AUDIO_DEFAULT;
  const durationMs = options.seconds === undefined ? Number.POSITIVE_INFINITY : options.seconds * 1_000;
  const videoBytes = ((options.kilobits ?? 0) * FRAME_MS) / 8;
  const serial = options.firstSerial ?? 0;
  return {
    durationMs,
    *tags() {
      yield metadataTag(video, audio, options.encoder ?? "Fanfare test kit");
      if (video !== undefined) yield videoConfiguration(video);
      if (audio !== "none") yield audioConfiguration(audio);
      const videoTags = video === undefined ? NO_TAGS : makeVideoTags(video, videoBytes, serial);
      const audioTags = audio === "none" ? NO_TAGS : makeAudioTags(audio, serial);
      for (const tag of mergeByTime(videoTags, audioTags)) {
        if (tag.timestamp >= durationMs) return;
        yield tag;
      }
    },
  };
}

function metadataTag(video: EncodedVideo | undefined, audio: AudioSettings | "none", encoder: string): FlvTag {
  const entries: Record<string, Amf0Value> = { encoder };
  if (video !== undefined) {
    Object.assign(entries, {
      width: video.width,
      height: video.height,
      framerate: 1_000 / FRAME_MS,
      videocodecid: 7,
    });
  }
  if (audio !== "none") {
    Object.assign(entries, { audiocodecid: 10, audiosamplerate: audio.sampleRate, audiosamplesize: 16 });
    Object.assign(entries, { audiochannels: audio.channels, stereo: audio.channels === 2 });
  }
  const payload = encodeAmf0(["@setDataFrame", "onMetaData", amf0EcmaArray(entries)]);
  return { type: MessageType.DataAmf0, timestamp: 0, payload };
}

function videoConfiguration(video: EncodedVideo): FlvTag {
  const payload = Buffer.concat([Buffer.from("1700000000", "hex"), Buffer.from(video.configuration, "base64")]);
  return { type: MessageType.Video, timestamp: 0, payload };
}

function audioConfiguration({ sampleRate, channels }: AudioSettings): FlvTag {
  const payload = Buffer.from(`af00${AUDIO_CONFIGURATIONS[`${sampleRate}/${channels}`]}`, "hex");
  return { type: MessageType.Audio, timestamp: 0, payload };
}

const NO_TAGS: Iterator<FlvTag, undefined> = { next: () => ({ done: true, value: undefined }) };

function* makeVideoTags(video: EncodedVideo, bytesMin: number, firstSerial: number): Generator<FlvTag, undefined> {
  const units = video.accessUnits
    .trim()
    .split("\n")
    .map((line) => {
      const [compositionMs = "0", bytes = ""] = line.split(" ");
      return { compositionMs: Number(compositionMs), bytes: Buffer.from(bytes, "base64") };
    });
  for (let count = 0; ; count += 1) {
    const at = count % units.length;
    const unit = units[at];
    if (unit === undefined) return undefined;
    const head = Buffer.from([at === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
    head.writeIntBE(unit.compositionMs, 2, 3);
    const parts = [head, serialNal(firstSerial + count), unit.bytes];
    const missing = bytesMin - parts.reduce((sum, part) => sum + part.length, 0);
    if (missing > NAL_LENGTH_BYTES + 2) parts.push(fillerNal(Math.ceil(missing)));
    yield { type: MessageType.Video, timestamp: count * FRAME_MS, payload: Buffer.concat(parts) };
  }
}

/** In digits, which cannot look like a start code. */
function serialNal(serial: number): Buffer {
  const text = serial.toString(16).padStart(8, "0").slice(-8);
  return withLength(Buffer.concat([SERIAL_SEI, Buffer.from(text, "latin1"), Buffer.from([RBSP_END])]));
}

/** Bytes that a decoder ignores, `bytes` in total. */
function fillerNal(bytes: number): Buffer {
  const nal = Buffer.alloc(bytes - NAL_LENGTH_BYTES, 0xff);
  nal[0] = NAL_FILLER;
  nal[nal.length - 1] = RBSP_END;
  return withLength(nal);
}

function withLength(nal: Buffer): Buffer {
  const length = Buffer.alloc(NAL_LENGTH_BYTES);
  length.writeUInt32BE(nal.length);
  return Buffer.concat([length, nal]);
}

function* makeAudioTags(audio: AudioSettings, firstSerial: number): Generator<FlvTag, undefined> {
  const { sampleRate, channels } = audio;
  const frame = "isTone" in audio ? TONE : SILENCE[channels];
  for (let count = 0; ; count += 1) {
    // A data stream element, aligned, of four bytes; decoders skip it.
    const payload = Buffer.concat([Buffer.from([0xaf, 1, 0x81, 4, 0, 0, 0, 0]), frame]);
    payload.writeUInt32BE((firstSerial + count) % 2 ** 32, 4);
    const timestamp = Math.round((count * SAMPLES_PER_FRAME * 1_000) / sampleRate);
    yield { type: MessageType.Audio, timestamp, payload };
  }
}

function* mergeByTime(
  videoTags: Iterator<FlvTag, undefined>,
  audioTags: Iterator<FlvTag, undefined>,
): Generator<FlvTag, undefined> {
  let video = videoTags.next();
  let audio = audioTags.next();
  for (;;) {
    const isVideoNext =
      video.value !== undefined && (audio.value === undefined || video.value.timestamp <= audio.value.timestamp);
    const next = isVideoNext ? video.value : audio.value;
    if (next === undefined) return undefined;
    yield next;
    if (isVideoNext) video = videoTags.next();
    else audio = audioTags.next();
  }
}

/** The media of an FLV file; its time starts at 0 whatever the file's does. End marks are left out: the encoder ends. */
export function fileClip(tags: readonly FlvTag[]): Clip {
  const media = tags.filter((tag) => isMedia(tag) && !isEndMark(tag));
  const first = media.find((tag) => isFrame(tag))?.timestamp ?? 0;
  const moved = media.map((tag) => ({ ...tag, timestamp: Math.max(0, tag.timestamp - first) }));
  const kinds = [MessageType.Video, MessageType.Audio].map((type) =>
    moved.filter((tag) => tag.type === type && isFrame(tag)).map((tag) => tag.timestamp),
  );
  return { durationMs: Math.max(0, ...kinds.map(endOf)), tags: () => moved };
}

/** One step, as long as the last one, after the last tag. */
function endOf(times: readonly number[]): number {
  const last = times.at(-1);
  if (last === undefined) return 0;
  return last + Math.max(1, last - (times.at(-2) ?? last));
}

/** The clip over and over; configuration and metadata only where they change. */
export function loopedClip(clip: Clip): Clip {
  if (clip.durationMs === 0 || clip.durationMs === Number.POSITIVE_INFINITY) return clip;
  return {
    durationMs: Number.POSITIVE_INFINITY,
    *tags() {
      const latest = new Map<number, Buffer>();
      for (let round = 0; ; round += 1) {
        for (const tag of clip.tags()) {
          if (!isFrame(tag)) {
            if (latest.get(tag.type)?.equals(tag.payload) === true) continue;
            latest.set(tag.type, tag.payload);
          }
          yield { ...tag, timestamp: tag.timestamp + round * clip.durationMs };
        }
      }
    },
  };
}

function isMedia(tag: FlvTag): boolean {
  return tag.type === MessageType.Video || tag.type === MessageType.Audio || tag.type === MessageType.DataAmf0;
}

function isFrame(tag: FlvTag): boolean {
  if (tag.type === MessageType.Video) return classifyVideo(tag.payload).part === "frame";
  return tag.type === MessageType.Audio && classifyAudio(tag.payload).part === "frame";
}

function isEndMark(tag: FlvTag): boolean {
  if (tag.type === MessageType.Video) return classifyVideo(tag.payload).part === "end";
  return tag.type === MessageType.Audio && classifyAudio(tag.payload).part === "end";
}
