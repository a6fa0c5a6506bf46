import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { MessageType } from "../protocol/rtmp/message.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import type { Clip } from "./clip.ts";
import { pullError } from "./pull-links/pull-errors.ts";

/** FLV's numbers for AAC, MP3 (of two sample rates), and the form that Enhanced RTMP has for others. */
const AUDIO_AS_IT_IS: ReadonlySet<number> = new Set([10, 2, 14, 9]);
const NO_AUDIO_IN_FLV = /audio codec .* not compatible with flv|flv does not support sample rate|wideband/i;
const NO_VIDEO_IN_FLV = /video codec '?([\w.-]+)'?.* not compatible with flv/i;
/** FFmpeg says no more where a source marked the codec with a number of its own, as transport streams do. */
const NO_TAG_IN_FLV = /incompatible with output codec id '(\d{1,9})'/i;
/** FFmpeg's numbers of codecs: those of audio are from here on, those of subtitles follow. */
const AUDIO_FROM = 0x1_00_00;
const SUBTITLES_FROM = 0x1_70_00;
/** Codecs of video that FLV has no form for and that sources have, by those numbers. */
const VIDEO_NAMES: Readonly<Record<number, string>> = { 1: "mpeg1video", 2: "mpeg2video", 12: "mpeg4" };
const NO_LOGIN = /\b(?:401|403)\b|unauthori[sz]ed|forbidden|authentication failed|authorization failed/i;
const NOT_THERE = /\b404\b|not found|NetStream\.Play\.|StreamNotFound|does not contain any stream|no such stream/i;
/** Ended by a signal of this machine, or at one of its limits. */
const ENDED_HERE =
  /^(?:the system killed it|it needed more memory|its limits could not be set|it could not be started)/;

/** Why FFmpeg stopped reading a source; `audio`: its audio has to be encoded first. */
export function endOf(clip: Pick<Clip, "failure" | "words">): TargetError | "audio" {
  const { words } = clip;
  // How FFmpeg names its standard input says nothing.
  const failure = clip.failure?.replace(/^pipe:0: /, "");
  if (failure === undefined) return pullError("ended");
  if (ENDED_HERE.test(failure)) return pullError("ffmpeg-ended", failure);
  if (NO_AUDIO_IN_FLV.test(words)) return "audio";
  const codec = Number(NO_TAG_IN_FLV.exec(words)?.[1] ?? Number.NaN);
  if (codec >= AUDIO_FROM && codec < SUBTITLES_FROM) return "audio";
  const video =
    NO_VIDEO_IN_FLV.exec(words)?.[1] ?? (Number.isNaN(codec) ? undefined : (VIDEO_NAMES[codec] ?? "unknown"));
  if (video !== undefined) return pullError("codec", video);
  if (NO_LOGIN.test(words)) return pullError("login-refused", failure);
  if (NOT_THERE.test(words)) return pullError("not-there", failure);
  return pullError("broken", failure);
}

/** Whether a tag is audio that platforms do not take as it is. */
export function needsEncoding({ type, payload }: FlvTag): boolean {
  return type === MessageType.Audio && payload.length > 0 && !AUDIO_AS_IT_IS.has((payload[0] ?? 0) >> 4);
}
