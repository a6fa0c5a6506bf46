/** Why a source stopped: one sentence in English and in Korean. */
export const SOURCE_SENTENCES: Readonly<Record<string, readonly [en: string, ko: string]>> = {
  finished: ["All files have been played.", "모든 파일을 재생했습니다."],
  "stopped-by-person": ["It was stopped.", "사용자가 종료했습니다."],
  replaced: ["An encoder took over, or the broadcast was ended.", "인코더가 이어받았거나 방송이 종료되었습니다."],
  "not-playable": ["None of the files can be played.", "재생할 수 있는 파일이 없습니다."],
  "channel-off": ["The channel is turned off.", "송출이 차단된 채널입니다."],
  "server-overloaded": ["The server is overloaded.", "서버가 과부하 상태입니다."],
  "encoder-on-air": ["An encoder is on air.", "인코더가 방송 중입니다."],
  internal: ["An error in the server itself.", "서버 내부 오류입니다."],
};

/** What a slate does: one sentence in English and in Korean. */
export const SLATE_SENTENCES = {
  waiting: [
    "It is made into the stream's form once the channel is on air.",
    "방송이 시작되면 스트림 형식에 맞게 만듭니다.",
  ],
  making: ["FFmpeg is making it into the stream's form.", "FFmpeg이 스트림 형식에 맞게 만들고 있습니다."],
  ready: ["It is ready.", "준비되었습니다."],
  "other-codec": [
    "A slate can only stand for H.264 and AAC: the last frame is shown instead.",
    "대기 화면은 H.264와 AAC 스트림에만 쓸 수 있어 마지막 화면을 대신 보여 줍니다.",
  ],
  failed: ["It could not be made.", "만들지 못했습니다."],
} as const;
