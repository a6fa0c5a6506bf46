import type { SlateAudioCodec, SlateForm, SlateVideoCodec } from "../../control/channels/slate-form.ts";
import type { MediaFormat } from "../../control/ports/media-files.ts";
import { fileInput, QUIET } from "../../ffmpeg/input.ts";
import {
  encodedVideo,
  type FrameNeeds,
  KEYFRAME_SECONDS,
  ownAudio,
  PICTURE_INPUT,
  silenceInput,
  streamBits,
  videoFilter,
} from "../file-arguments.ts";

/** A picture is shown as a clip of this length, again and again, in seconds. */
const PICTURE_SECONDS = 2;
/** Of a clip this much is shown, in seconds. */
const CLIP_SECONDS_MAX = 30;
/** Silence where the clip has no audio: rounds follow each other, and platforms would miss it in each. */
const FILLED_AUDIO = "aresample=async=1:first_pts=0,apad";
/**
 * The silence before the clip's first audio is made once that has come. By default FFmpeg writes what came 10 s before it, and then
 * cannot write this silence.
 */
const ANY_ORDER = ["-max_interleave_delta", "0"];
/** Bits a second of what compresses to a rate; FLAC does not. */
const AUDIO_BITS: Readonly<Partial<Record<SlateAudioCodec, number>>> = {
  ...{ aac: 160_000, mp3: 160_000, opus: 128_000, ac3: 192_000, eac3: 192_000 },
};
const AUDIO_ENCODERS: Readonly<Record<SlateAudioCodec, string>> = {
  ...{ aac: "aac", mp3: "libmp3lame", opus: "libopus", ac3: "ac3", eac3: "eac3", flac: "flac" },
};

/**
 * The ways in which FFmpeg may encode video of this codec, the best first. None reorders frames, so that a round may follow
 * another at any frame, and parameter sets come before each keyframe. `needs`: of the file.
 */
export function videoEncoders(form: SlateForm, needs: FrameNeeds = {}): readonly (readonly string[])[] {
  const group = Math.round(form.frameRate * KEYFRAME_SECONDS);
  const bits = streamBits(form);
  const rate = ["-vf", videoFilter(form, needs), "-g", String(group), "-b:v", String(bits)];
  const x265 = [
    ...["repeat-headers=1", "bframes=0", `keyint=${group}`, `min-keyint=${group}`, "scenecut=0", "open-gop=0"],
    ...["pools=2", "frame-threads=1", "log-level=error"],
  ].join(":");
  const encoders: Readonly<Record<SlateVideoCodec, readonly (readonly string[])[]>> = {
    avc: [[...encodedVideo(form, needs), "-bf", "0"]],
    hevc: [[...rate, "-c:v", "libx265", "-preset", "veryfast", "-x265-params", x265]],
    av1: [
      [...rate, "-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-threads", "2"],
      [...rate, "-c:v", "libsvtav1", "-preset", "10", "-svtav1-params", "lp=2:pred-struct=1"],
    ],
  };
  return encoders[form.videoCodec];
}

/** Whether FFmpeg writes FLV of this form; MP4 else. */
export function isFlv({ videoCodec, audio }: SlateForm): boolean {
  return videoCodec === "avc" && (audio === undefined || audio.codec === "aac");
}

/**
 * FFmpeg's arguments to make a slate of a file. Audio of another codec than AAC, of which there is silence at hand, is a
 * part of the slate also where the file has none.
 */
export function slateArguments(
  path: string,
  file: MediaFormat,
  form: SlateForm,
  video: readonly string[],
): readonly string[] {
  const isPicture = file.kind === "picture";
  const picture = isPicture ? PICTURE_INPUT : [];
  const length = ["-t", String(isPicture ? PICTURE_SECONDS : CLIP_SECONDS_MAX)];
  return [
    ...[...QUIET, "-nostdin", ...picture, ...length, ...fileInput(path)],
    ...audioInput(file, form),
    ...["-map", "0:V:0", ...video, ...audioOutput(file, form)],
    ...["-sn", "-dn", "-map_metadata", "-1"],
    ...(isFlv(form)
      ? ["-flvflags", "no_duration_filesize", "-f", "flv"]
      : ["-strict", "experimental", "-movflags", "delay_moov+default_base_moof+frag_keyframe", "-f", "mp4"]),
    "pipe:1",
  ];
}

/** Silence as a second input, where the slate needs audio and the file has none. */
function audioInput(file: MediaFormat, { audio }: SlateForm): readonly string[] {
  const isSilent = audio !== undefined && file.audioCodec === undefined && audio.codec !== "aac";
  return isSilent ? silenceInput(audio, 0) : [];
}

function audioOutput(file: MediaFormat, { audio }: SlateForm): readonly string[] {
  const hasOwn = file.audioCodec !== undefined;
  if (audio === undefined || (!hasOwn && audio.codec === "aac")) return ["-an"];
  const { codec, sampleRate, channels } = audio;
  const bits = AUDIO_BITS[codec];
  return [
    ...(hasOwn ? ["-map", ownAudio(file), "-af", FILLED_AUDIO, ...ANY_ORDER] : ["-map", "1:a:0"]),
    ...["-c:a", AUDIO_ENCODERS[codec]],
    ...(bits === undefined ? [] : ["-b:a", String(bits)]),
    ...["-ar", String(sampleRate), "-ac", String(channels), "-shortest"],
  ];
}
