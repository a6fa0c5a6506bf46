import { codecName } from "../../base/codec-names.ts";
import type { Removal } from "../../base/pasted-text.ts";
import type { Bilingual } from "../presets/target-preset.ts";
import type { Finding, FindingCode } from "./ingest-findings.ts";

/** `error`: the target refuses such a stream. `warning`: it may cut, convert or degrade it. */
export type WarningSeverity = "error" | "warning";

type Sentence = Bilingual & {
  readonly severity: WarningSeverity;
  /** How the two numbers are shown; absent: as they are. */
  readonly show?: (value: number) => string;
};

/** In the unit that encoders' settings use. */
const kilobits = (bytesPerSecond: number): string => String(Math.round((bytesPerSecond * 8) / 1_000));
const tenths = (value: number): string => String(Math.round(value * 10) / 10);

/** One sentence for each finding: what arrives, what `{target}` accepts, what to change in the encoder. */
const SENTENCES: Readonly<
  Record<Exclude<FindingCode, "AUDIO_SILENT" | "CLOCK_DRIFT" | "KEY_TIDIED" | "SRT_LOSS">, Sentence>
> = {
  VIDEO_CODEC_UNSUPPORTED: {
    severity: "error",
    en: "{target} does not accept {found} video: choose {wanted} as the encoder's video codec.",
    ko: "{target}에서는 {found} 영상을 지원하지 않습니다. 인코더에서 {wanted} 코덱을 선택해 주세요.",
  },
  AUDIO_CODEC_UNSUPPORTED: {
    severity: "error",
    en: "{target} does not accept {found} audio: choose {wanted} as the encoder's audio codec.",
    ko: "{target}에서는 {found} 오디오를 지원하지 않습니다. 인코더에서 {wanted} 코덱을 선택해 주세요.",
  },
  VIDEO_MISSING: {
    severity: "error",
    en: "{target} needs video, but none arrives: add a video source in the encoder.",
    ko: "{target}에는 영상이 필요하지만 들어오는 영상이 없습니다. 인코더에 영상 소스를 추가해 주세요.",
  },
  VIDEO_FROZEN: {
    severity: "warning",
    en: "No video for {found} s, while audio continues: check the camera, the capture device and the scene in the encoder.",
    ko: "오디오는 들어오지만 {found}초 동안 영상이 없습니다. 카메라와 캡처 장치, 인코더의 장면을 확인해 주세요.",
  },
  CLOCK_WRONG: {
    severity: "warning",
    en: "The encoder's timestamps do not match real time, so the stream is timed by its arrival. Correct the encoder's time base or clock, or make it send in real time (FFmpeg: -re).",
    ko: "인코더의 타임스탬프가 실제 시간의 밀리초와 맞지 않아 스트림이 도착한 시각을 기준으로 송출합니다. 인코더의 시간 단위나 시계를 바로잡거나 실시간으로 송출하도록 설정해 주세요(FFmpeg: -re).",
  },
  AUDIO_MISSING: {
    severity: "error",
    en: "{target} needs audio, but none arrives: add an audio track in the encoder, even a silent one.",
    ko: "{target}에는 오디오가 필요하지만 들어오는 오디오가 없습니다. 무음이라도 인코더에 오디오 트랙을 추가해 주세요.",
  },
  KEYFRAME_MISSING: {
    severity: "error",
    en: "No keyframe for {found} s: platforms cannot start playing, or resume after a loss. Set the encoder's keyframe interval to {wanted} s, not to automatic.",
    ko: "{found}초 동안 키프레임이 없습니다. 플랫폼에서 재생을 시작하거나 끊긴 뒤 다시 이어 갈 수 없습니다. 인코더의 키프레임 간격을 자동이 아닌 {wanted}초로 설정해 주세요.",
  },
  VIDEO_HEADER_MISSING: {
    severity: "error",
    en: "The video has no sequence header, so no player can decode it: restart the stream in the encoder, or update the encoder.",
    ko: "영상의 시퀀스 헤더가 없어 재생할 수 없습니다. 인코더에서 송출을 다시 시작하거나 인코더를 업데이트해 주세요.",
  },
  AUDIO_HEADER_MISSING: {
    severity: "error",
    en: "The audio has no sequence header, so no player can decode it: restart the stream in the encoder, or update the encoder.",
    ko: "오디오의 시퀀스 헤더가 없어 재생할 수 없습니다. 인코더에서 송출을 다시 시작하거나 인코더를 업데이트해 주세요.",
  },
  VIDEO_UNREADABLE: {
    severity: "error",
    en: "The video has an unknown format and is not sent to any platform: choose H.264 as the encoder's video codec.",
    ko: "알 수 없는 형식의 영상이 들어와 어디에도 송출하지 않습니다. 인코더의 영상 코덱을 H.264로 바꿔 주세요.",
  },
  AUDIO_UNREADABLE: {
    severity: "error",
    en: "The audio has an unknown format and is not sent to any platform: choose AAC as the encoder's audio codec.",
    ko: "알 수 없는 형식의 오디오가 들어와 어디에도 송출하지 않습니다. 인코더의 오디오 코덱을 AAC로 바꿔 주세요.",
  },
  VIDEO_BITRATE_HIGH: {
    severity: "warning",
    show: kilobits,
    en: "The video bitrate is {found} kbit/s, but {target} accepts {wanted}: set the encoder's video bitrate to {wanted} kbit/s or less, constant (CBR).",
    ko: "영상 비트레이트가 {found} kbit/s로 {target}의 한도 {wanted} kbit/s를 넘습니다. 인코더의 영상 비트레이트를 {wanted} kbit/s 이하의 고정 비트레이트(CBR)로 설정해 주세요.",
  },
  AUDIO_BITRATE_HIGH: {
    severity: "warning",
    show: kilobits,
    en: "The audio bitrate is {found} kbit/s, but {target} accepts {wanted}: set the encoder's audio bitrate to {wanted} kbit/s or less.",
    ko: "오디오 비트레이트가 {found} kbit/s로 {target}의 한도 {wanted} kbit/s를 넘습니다. 인코더의 오디오 비트레이트를 {wanted} kbit/s 이하로 설정해 주세요.",
  },
  FRAME_RATE_HIGH: {
    severity: "warning",
    show: tenths,
    en: "The frame rate is {found}, but {target} accepts {wanted}: set the encoder's frame rate to {wanted} or less.",
    ko: "초당 {found}프레임으로 {target}의 한도 {wanted}프레임을 넘습니다. 인코더의 프레임 레이트를 {wanted} 이하로 설정해 주세요.",
  },
  PICTURE_TOO_LARGE: {
    severity: "warning",
    en: "The video has {found} lines, but {target} accepts {wanted}: set the encoder's output resolution to {wanted}p or less.",
    ko: "영상 해상도가 {found}p로 {target}의 한도 {wanted}p를 넘습니다. 인코더의 출력 해상도를 {wanted}p 이하로 설정해 주세요.",
  },
  KEYFRAME_INTERVAL_LONG: {
    severity: "warning",
    show: tenths,
    en: "Keyframes are up to {found} s apart, but {target} asks for {wanted} s: set the encoder's keyframe interval to {wanted} s, not to automatic.",
    ko: "키프레임 간격이 최대 {found}초이며 {target}의 권장값은 {wanted}초입니다. 인코더의 키프레임 간격을 자동이 아닌 {wanted}초로 설정해 주세요.",
  },
  B_FRAMES: {
    severity: "warning",
    en: "There are {found} B-frames in a row, but {target} accepts {wanted}: set the encoder's B-frames to {wanted}.",
    ko: "B프레임이 연속 {found}개로 {target}의 한도 {wanted}개를 넘습니다. 인코더의 B프레임 수를 {wanted}개로 설정해 주세요.",
  },
  SAMPLE_RATE_UNSUPPORTED: {
    severity: "warning",
    en: "The audio sample rate is {found} Hz, but {target} accepts {wanted}: set the encoder's sample rate to one of these.",
    ko: "오디오 샘플 레이트가 {found} Hz이지만 {target}에서는 {wanted} Hz만 지원합니다. 인코더의 샘플 레이트를 맞춰 주세요.",
  },
  AUDIO_CHANNELS_TOO_MANY: {
    severity: "warning",
    en: "The audio has {found} channels, but {target} accepts {wanted}: set the encoder's audio channels to {wanted} or fewer.",
    ko: "오디오 채널이 {found}개로 {target}의 한도 {wanted}개를 넘습니다. 인코더의 오디오 채널을 {wanted}개 이하로 설정해 주세요.",
  },
};

/** The same findings where no target is named. */
const GENERAL: Partial<Readonly<Record<FindingCode, Sentence>>> = {
  AUDIO_MISSING: {
    severity: "warning",
    en: "No audio arrives: add an audio track in the encoder, even a silent one; most platforms need it.",
    ko: "오디오가 들어오지 않습니다. 대부분의 플랫폼에 필요하니 무음이라도 인코더에 오디오 트랙을 추가해 주세요.",
  },
  VIDEO_MISSING: {
    severity: "warning",
    en: "No video arrives: add a video source in the encoder; most platforms need it.",
    ko: "영상이 들어오지 않습니다. 대부분의 플랫폼에 필요하니 인코더에 영상 소스를 추가해 주세요.",
  },
  KEYFRAME_INTERVAL_LONG: {
    severity: "warning",
    show: tenths,
    en: "Keyframes are up to {found} s apart, and viewers wait that long before they see anything: set the encoder's keyframe interval to {wanted} s, not to automatic.",
    ko: "키프레임 간격이 최대 {found}초라 시청자가 그만큼 기다려야 영상을 볼 수 있습니다. 인코더의 키프레임 간격을 자동이 아닌 {wanted}초로 설정해 주세요.",
  },
};

/**
 * A fast clock and a slow one have different sentences, since their causes differ. Shows the drift in per cent, and in
 * seconds an hour.
 */
function driftSentence(ppm: number): Bilingual {
  const percent = String(Math.round(Math.abs(ppm) / 100) / 100);
  const hourly = tenths((Math.abs(ppm) * 3_600) / 1_000_000);
  return ppm < 0
    ? {
        en: `The encoder falls behind real time by ${percent} % (${hourly} s an hour): lower its load (preset, resolution, frame rate), or correct its clock.`,
        ko: `인코더가 실제 시간보다 ${percent}%(시간당 ${hourly}초) 느립니다. 프리셋·해상도·프레임 레이트를 낮춰 인코더 부하를 줄이거나 시계를 바로잡아 주세요.`,
      }
    : {
        en: `The encoder runs ahead of real time by ${percent} % (${hourly} s an hour): make it send in real time (FFmpeg: -re), or correct its clock.`,
        ko: `인코더가 실제 시간보다 ${percent}%(시간당 ${hourly}초) 빠릅니다. 실시간으로 송출하도록 설정하거나(FFmpeg: -re) 시계를 바로잡아 주세요.`,
      };
}

/** Seconds, and minutes from two on. */
function silenceSentence(seconds: number): Bilingual {
  const minutes = Math.floor(seconds / 60);
  const [en, ko] = minutes < 2 ? [`${seconds} s`, `${seconds}초`] : [`${minutes} min`, `${minutes}분`];
  return {
    en: `The audio has been silent for ${en}: check the microphone, the mixer and the audio sources in the encoder. The audio track arrives, but it is empty.`,
    ko: `${ko} 동안 소리가 없습니다. 오디오 트랙은 들어오지만 무음이니 마이크와 믹서, 인코더의 오디오 소스를 확인해 주세요.`,
  };
}

const REMOVED: Readonly<Record<Removal, Bilingual>> = {
  invisible: { en: "spaces or invisible characters", ko: "공백이나 보이지 않는 문자" },
  address: { en: "the server's address", ko: "앞에 붙은 서버 주소" },
  prefix: { en: "a prefix such as mp4:", ko: "mp4: 같은 접두어" },
  slashes: { en: "slashes", ko: "슬래시" },
};

/** Names only the kinds of what was removed: a key is secret, and so may be what stood beside it. */
function keySentence(removed: string): Bilingual {
  const all = removed.split(", ").map((each) => REMOVED[each as Removal]);
  const [en, ko] = [all.map((each) => each.en).join(", "), all.map((each) => each.ko).join(", ")];
  return {
    en: `This was removed from the encoder's stream key: ${en}. Enter only the key in the encoder: other servers may refuse it like this.`,
    ko: `인코더의 스트림 키에서 다음을 제거하고 받았습니다: ${ko}. 다른 서버에서는 이대로 거부될 수 있으니 인코더에 키만 입력해 주세요.`,
  };
}

/** OBS and FFmpeg count latency in microseconds. */
function srtLossSentence(percent: number, latencyMs: number): Bilingual {
  return {
    en: `The encoder's network loses ${tenths(percent)} % of packets, and some do not come again in time: raise the SRT latency in the encoder to ${latencyMs} ms (in OBS and FFmpeg: latency=${latencyMs * 1_000}).`,
    ko: `인코더의 네트워크에서 패킷의 ${tenths(percent)}%가 손실되고 일부는 제때 다시 오지 않습니다. 인코더의 SRT 지연 시간을 ${latencyMs}ms로 늘려 주세요(OBS와 FFmpeg에서는 latency=${latencyMs * 1_000}).`,
  };
}

function shown(value: number | string, show: ((value: number) => string) | undefined): string {
  if (typeof value === "number") return show === undefined ? String(value) : show(value);
  return value.split(", ").map(codecName).join(", ");
}

/** A finding in words for a person. `target` is the target's name for people; absent: no target is named. */
export function describeFinding(
  { code, found, wanted }: Finding,
  target?: Bilingual,
): { readonly severity: WarningSeverity; readonly message: Bilingual } {
  if (code === "KEY_TIDIED") return { severity: "warning", message: keySentence(String(found)) };
  if (code === "AUDIO_SILENT") return { severity: "warning", message: silenceSentence(Number(found)) };
  if (code === "SRT_LOSS") return { severity: "warning", message: srtLossSentence(Number(found), Number(wanted)) };
  if (code === "CLOCK_DRIFT") return { severity: "warning", message: driftSentence(Number(found)) };
  const general = target === undefined ? GENERAL[code] : undefined;
  const { severity, show, en, ko } = general ?? SENTENCES[code];
  const fill = (text: string, name: string) =>
    text
      .replaceAll("{target}", () => name)
      .replaceAll("{found}", shown(found, show))
      .replaceAll("{wanted}", shown(wanted, show));
  return { severity, message: { en: fill(en, target?.en ?? ""), ko: fill(ko, target?.ko ?? "") } };
}
