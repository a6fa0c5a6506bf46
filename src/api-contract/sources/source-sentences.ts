import type { MissedReason } from "../event-words.ts";

/** Why a source stopped, or waits: one sentence in English and in Korean. */
export const SOURCE_SENTENCES: Readonly<Record<string, readonly [en: string, ko: string]>> = {
  finished: ["All files have been played.", "모든 파일을 재생했습니다."],
  "stopped-by-person": ["It was stopped.", "사용자가 종료했습니다."],
  replaced: ["An encoder took over, or the broadcast was ended.", "인코더가 이어받았거나 방송이 종료되었습니다."],
  "schedule-over": ["The end of its schedule has come.", "예약된 종료 시각이 되었습니다."],
  "not-playable": ["None of the files can be played.", "재생할 수 있는 파일이 없습니다."],
  "files-away": [
    "None of the files can be read now. The source goes on by itself once one can.",
    "지금은 읽을 수 있는 파일이 없습니다. 다시 읽을 수 있게 되면 소스가 자동으로 이어집니다.",
  ],
  "channel-off": ["The channel is turned off.", "송출이 차단된 채널입니다."],
  "server-overloaded": ["The server is overloaded.", "서버가 과부하 상태입니다."],
  "encoder-on-air": ["An encoder is on air.", "인코더가 방송 중입니다."],
  elsewhere: [
    "It plays on another server, or another server has the channel: start and stop it there.",
    "다른 서버에서 재생 중이거나 다른 서버가 이 채널을 맡고 있습니다. 그 서버에서 시작하고 중지해 주세요.",
  ],
  internal: ["An error in the server itself.", "서버 내부 오류입니다."],
};

/** Why a start of a schedule was missed: one sentence in English and in Korean. */
export const MISSED_SENTENCES: Readonly<Record<MissedReason, readonly [en: string, ko: string]>> = {
  "server-down": [
    "The server was not running at that time, or it stopped during the start.",
    "그 시각에 서버가 실행 중이 아니었거나 시작하는 도중에 멈췄습니다.",
  ],
  "clock-jumped": [
    "The server's clock jumped over that time: it was set, or the machine was suspended.",
    "서버 시계가 그 시각을 건너뛰었습니다. 시계가 조정되었거나 장비가 절전 상태였습니다.",
  ],
  "database-unavailable": [
    "The database could not record the start at that time.",
    "그 시각에 데이터베이스에 시작을 기록할 수 없었습니다.",
  ],
  "encoder-on-air": ["An encoder was on air: it is never interrupted.", "인코더가 방송 중이어서 재생하지 않았습니다."],
  "channel-off": ["The channel was turned off.", "송출이 차단된 채널이었습니다."],
  "server-overloaded": ["The server was overloaded.", "서버가 과부하 상태였습니다."],
  "ffmpeg-missing": ["FFmpeg is not installed on this server.", "이 서버에 FFmpeg이 설치되어 있지 않습니다."],
  "files-missing": [
    "None of its files was there and ready, on the server that should play them.",
    "재생을 맡은 서버에 재생할 수 있는 파일이 없었습니다.",
  ],
  conflict: [
    "Another schedule of the channel started at the same moment.",
    "같은 시각에 채널의 다른 예약이 시작되었습니다.",
  ],
  internal: ["An error in the server itself.", "서버 내부 오류입니다."],
};

/** What a slate does: one sentence in English and in Korean. */
const SLATE_SENTENCES = {
  waiting: [
    "It is made into the stream's form once the channel is on air, by the server that carries it.",
    "방송이 시작되면 채널을 맡은 서버가 스트림 형식에 맞게 만듭니다.",
  ],
  making: ["FFmpeg is making it into the stream's form.", "FFmpeg이 스트림 형식에 맞게 만들고 있습니다."],
  ready: ["It is ready.", "준비되었습니다."],
  "other-codec": [
    "No slate can be made in a codec of this stream: the last frame is shown instead. Slates exist in H.264, H.265 and AV1 with AAC, MP3, Opus, AC-3, E-AC-3 and FLAC.",
    "이 스트림의 코덱으로는 대기 화면을 만들 수 없어 마지막 화면을 대신 보여 줍니다. 대기 화면은 H.264, H.265, AV1과 AAC, MP3, Opus, AC-3, E-AC-3, FLAC에서 쓸 수 있습니다.",
  ],
  failed: ["It could not be made: the last frame is shown instead.", "만들지 못해 마지막 화면을 대신 보여 줍니다."],
} as const;

/** Why no slate can stand for a stream: one sentence in English and in Korean. */
const UNFIT_SLATE_SENTENCES = {
  tracks: [
    "The stream has several tracks and none of them is the default one: the last frame is shown instead.",
    "트랙이 여러 개인 스트림에 기본 트랙이 없어 마지막 화면을 대신 보여 줍니다.",
  ],
  form: [
    "What FFmpeg made does not have the stream's form, or the stream has just changed: the last frame is shown instead.",
    "FFmpeg이 만든 대기 화면의 형식이 스트림과 다르거나 스트림이 방금 바뀌어 마지막 화면을 대신 보여 줍니다.",
  ],
  unknown: [
    "The stream has no video, or does not say its size and audio format: no slate can be made for it.",
    "스트림에 영상이 없거나 크기와 오디오 형식을 알 수 없어 대기 화면을 만들 수 없습니다.",
  ],
} as const;

/** A slate's state, as far as a sentence says it. */
type SpokenSlate =
  | { readonly at: "waiting" | "making" | "ready" }
  | { readonly at: "other-codec"; readonly codecs: string }
  | { readonly at: "unfit"; readonly why: keyof typeof UNFIT_SLATE_SENTENCES }
  | { readonly at: "failed"; readonly reason: string };

/** Returns how a slate is, with the detail, in English and in Korean. */
export function slateSentence(state: SpokenSlate): readonly [en: string, ko: string] {
  const [en, ko] = state.at === "unfit" ? UNFIT_SLATE_SENTENCES[state.why] : SLATE_SENTENCES[state.at];
  const detail = state.at === "failed" ? ` (${state.reason})` : state.at === "other-codec" ? ` (${state.codecs})` : "";
  return [`${en}${detail}`, `${ko}${detail}`];
}

/** Why a media file cannot be played: the library's English sentences, and what they are in Korean. */
const REFUSED_FILE_SENTENCES: readonly (readonly [en: RegExp, ko: string])[] = [
  [/^The file cannot be read: (.+)\.$/, "파일을 읽을 수 없습니다($1)."],
  [/^No frame of the file could be made: (.+)\.$/, "파일에서 화면을 만들 수 없습니다($1)."],
  [/^The file has no video\.$/, "영상이 없는 파일입니다."],
  [/^The file's video cannot be decoded\.$/, "파일의 영상을 디코딩할 수 없습니다."],
  [/^The video is larger than (\d+) pixels on a side\.$/, "영상의 가로 또는 세로가 $1픽셀보다 큽니다."],
  [/^It is a symbolic link\.$/, "심볼릭 링크는 재생할 수 없습니다."],
  [/^It is no regular file\.$/, "일반 파일이 아닙니다."],
  [/^Its name is too long, or has .*$/, "파일 이름이 너무 길거나 표시할 수 없는 문자가 있습니다."],
  [/^Its name is not in UTF-8\.$/, "파일 이름이 UTF-8이 아닙니다."],
  [/^ffmpeg and ffprobe are not installed.*$/, "이 서버에 FFmpeg이 설치되어 있지 않습니다."],
];

/** An HDR file where FFmpeg lacks filters: one sentence in English and in Korean. */
export const PALE_NOTICE = [
  "HDR: its colours will look pale, because the FFmpeg of this server has no filters for them (zscale, tonemap).",
  "HDR 영상입니다. 이 서버의 FFmpeg에 필요한 필터(zscale, tonemap)가 없어 색이 옅게 보입니다.",
] as const;

/** Returns the Korean sentence for why a media file cannot be played; the English one where there is none. */
export function refusedFileKo(reason: string): string {
  const [english, korean] = REFUSED_FILE_SENTENCES.find(([each]) => each.test(reason)) ?? [];
  return english === undefined || korean === undefined ? reason : reason.replace(english, korean);
}
