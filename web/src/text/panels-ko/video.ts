import type { enVideo } from "../panels-en/video.ts";

export const koVideo: typeof enVideo = {
  undecodable: (codec) => `영상을 표시할 수 없습니다. 이 브라우저는 ${codec} 디코딩을 지원하지 않습니다.`,
  none: "아직 영상이 없습니다.",
  held: "송출 유지 중",
  age: (seconds) => (seconds < 120 ? `${seconds}초 전` : `${Math.floor(seconds / 60)}분 전`),
  lastFrame: "수신 스트림의 마지막 화면",
  full: "이 채널의 미리보기를 볼 수 있는 인원이 찼습니다. 대신 마지막 화면을 표시합니다.",
  level: "오디오 레벨",
  silent: "무음",
  heldSilence: "송출 유지 중: 인코더에서 오디오가 들어오지 않습니다.",
  noLevelYet: "화면을 클릭하거나 키를 누르면 오디오 레벨을 측정합니다.",
  listen: "소리 켜기",
  mute: "음소거",
  fullScreen: "전체 화면",
};
