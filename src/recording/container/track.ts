import type { AudioCodec, VideoCodec } from "../../protocol/flv/fourcc.ts";
import type { RecordedTrack } from "../../thread-protocol/recordings/recordings.ts";
import { audioFormatOf } from "./audio-format.ts";
import { frameSize } from "./frame-size.ts";
import type { TrackPart } from "./stream-reader.ts";

type TrackBody = {
  /** The track's number in the stream; 0 is the default one. */
  readonly trackId: number;
  /** The codec's configuration record; absent for codecs without one. */
  readonly config?: Buffer;
  /** The first frame. */
  readonly firstFrame: Buffer;
};

export type VideoTrack = TrackBody & {
  readonly kind: "video";
  readonly codec: VideoCodec;
  /** Pixels; absent where neither header nor frame says. */
  readonly size?: { readonly width: number; readonly height: number };
};

export type AudioTrack = TrackBody & {
  readonly kind: "audio";
  readonly codec: AudioCodec;
  /** Rate in hertz, and channels; absent where neither header nor frame says. */
  readonly format?: { readonly sampleRate: number; readonly channels: number };
};

/** One audio or video track as a file has it: what its sequence header and its first frame say. */
export type Track = VideoTrack | AudioTrack;

/** Identifies a track within a stream. */
export function trackKey({ kind, trackId }: Pick<TrackPart, "kind" | "trackId">): string {
  return `${kind} ${trackId}`;
}

/** Describes a track by its configuration and its first frame; an empty frame where none came yet. */
export function trackOf(part: TrackPart, config: Buffer | undefined, firstFrame: Buffer): Track {
  const { trackId } = part;
  const body = { trackId, firstFrame, ...(config === undefined ? {} : { config }) };
  if (part.kind === "video") {
    const size = frameSize(part.codec, config, firstFrame);
    return { kind: "video", codec: part.codec, ...body, ...(size === undefined ? {} : { size }) };
  }
  const format = audioFormatOf(part.codec, config, firstFrame);
  return { kind: "audio", codec: part.codec, ...body, ...(format === undefined ? {} : { format }) };
}

/** The track as the API shows it. */
export function recordedTrack(track: Track): RecordedTrack {
  const { kind, codec } = track;
  if (track.kind === "audio") return { kind, codec, ...track.format };
  return { kind, codec, ...(track.size === undefined ? {} : { width: track.size.width, height: track.size.height }) };
}
