import { classifyAudio } from "../../../protocol/flv/audio/audio-tag.ts";
import { type AudioCodec, FourCc, type VideoCodec } from "../../../protocol/flv/fourcc.ts";
import { classifyVideo } from "../../../protocol/flv/video/video-tag.ts";
import type { DecoderConfig } from "../config/decoder-config.ts";

/** `legacy`: the codec is a number in the first byte. `enhanced`: it is a FourCC. */
type Form = "legacy" | "enhanced";

/** The forms in which a stream has its kinds of media. */
export type TagForms = { readonly video: Form; readonly audio: Form };

type Names = { readonly id: number; readonly fourCc: number };

const VIDEO_NAMES: Partial<Readonly<Record<VideoCodec, Names>>> = {
  avc: { id: 7, fourCc: FourCc.Avc },
  hevc: { id: 12, fourCc: FourCc.Hevc },
  av1: { id: 13, fourCc: FourCc.Av1 },
};
/** With the flags that FLV's table asks for; frames of MP3 say their rate themselves. */
const LEGACY_AUDIO: Partial<Readonly<Record<AudioCodec, number>>> = { aac: 0xaf, mp3: 0x2f };
const AUDIO_FOURCCS: Partial<Readonly<Record<AudioCodec, number>>> = { aac: FourCc.Aac, mp3: FourCc.Mp3 };
const Legacy = { Config: 0, Frame: 1 } as const;
const Enhanced = { Config: 0, Frame: 1, FrameX: 3, Bit: 0x80, Audio: 0x90 } as const;
const FRAME_TYPE_KEY = 0x10;
const FRAME_TYPE_INTER = 0x20;

/** The forms of a stream's headers. Audio without a header is MP3 in its legacy form, or of a codec that has no other. */
export function formsOf(head: DecoderConfig): TagForms {
  const [video, audio] = [head.config("video"), head.config("audio")];
  const bare = head.codecs("audio").get(0) === "mp3" ? "legacy" : "enhanced";
  return {
    video: video === undefined ? "legacy" : classifyVideo(video).form,
    audio: audio === undefined ? bare : classifyAudio(audio).form,
  };
}

/** A header or frame of H.264, HEVC or AV1 in this form; undefined for what has none. */
export function videoInForm(payload: Buffer, wanted: Form): Buffer | undefined {
  const { form, codec, part, isKeyframe, compositionTimeMs, bodyOffset, bodyEnd } = classifyVideo(payload);
  if (form === wanted) return payload;
  const names = VIDEO_NAMES[codec];
  if (names === undefined || (part !== "config" && part !== "frame")) return undefined;
  const isConfig = part === "config";
  const frameType = isConfig || isKeyframe ? FRAME_TYPE_KEY : FRAME_TYPE_INTER;
  const time = Buffer.alloc(3);
  time.writeIntBE(compositionTimeMs, 0, 3);
  const body = payload.subarray(bodyOffset, bodyEnd);
  if (wanted === "legacy")
    return Buffer.concat([Buffer.from([frameType | names.id, isConfig ? Legacy.Config : Legacy.Frame]), time, body]);
  const hasTime = !isConfig && compositionTimeMs !== 0 && codec !== "av1";
  const packet = isConfig ? Enhanced.Config : hasTime ? Enhanced.Frame : Enhanced.FrameX;
  const head = Buffer.from([Enhanced.Bit | frameType | packet]);
  return Buffer.concat([head, fourCcBytes(names.fourCc), ...(hasTime ? [time] : []), body]);
}

/** A header or frame of audio in this form; undefined for what has none. */
export function audioInForm(payload: Buffer, wanted: Form): Buffer | undefined {
  const { form, codec, part, bodyOffset, bodyEnd } = classifyAudio(payload);
  if (form === wanted) return payload;
  const [first, fourCc] = [LEGACY_AUDIO[codec], AUDIO_FOURCCS[codec]];
  if (first === undefined || fourCc === undefined || (part !== "config" && part !== "frame")) return undefined;
  const body = payload.subarray(bodyOffset, bodyEnd);
  const packet = part === "config" ? Legacy.Config : Legacy.Frame;
  if (wanted === "enhanced") return Buffer.concat([Buffer.from([Enhanced.Audio | packet]), fourCcBytes(fourCc), body]);
  return Buffer.concat([Buffer.from(codec === "aac" ? [first, packet] : [first]), body]);
}

function fourCcBytes(fourCc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(fourCc);
  return bytes;
}
