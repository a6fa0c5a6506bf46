/** Why a source stopped or waits: one sentence in English and in Korean. */
export const SOURCE_SENTENCES: Readonly<Record<string, readonly [en: string, ko: string]>> = {
  finished: ["All files have been played.", "모든 파일을 재생했습니다."],
  "stopped-by-person": ["It was stopped.", "사용자가 종료했습니다."],
  replaced: ["An encoder took over, or the broadcast was ended.", "인코더가 이어받았거나 방송이 종료되었습니다."],
  "not-playable": ["None of the files can be played.", "재생할 수 있는 파일이 없습니다."],
  "ffmpeg-missing": ["FFmpeg is not installed on this server.", "이 서버에 FFmpeg이 설치되어 있지 않습니다."],
  "ffmpeg-failed": ["FFmpeg ended with an error.", "FFmpeg이 오류로 종료되었습니다."],
  "no-media": ["Nothing came from the source for a while.", "한동안 소스에서 데이터가 오지 않았습니다."],
  "channel-off": ["The channel is turned off.", "송출이 차단된 채널입니다."],
  "server-overloaded": ["The server is overloaded.", "서버가 과부하 상태입니다."],
  "encoder-on-air": ["An encoder is on air.", "인코더가 방송 중입니다."],
  internal: ["An error in the server itself.", "서버 내부 오류입니다."],
};
