import { language } from "../../text/text.ts";

const en = {
  insecure: "No picture: browsers decode it on HTTPS only.",
  undecodable: (codec: string) => `No picture: this browser cannot decode ${codec}.`,
  none: "No picture yet.",
  held: "Held",
  age: (seconds: number) => (seconds < 120 ? `${seconds} s old` : `${Math.floor(seconds / 60)} min old`),
  lastFrame: "Last frame of the incoming stream",
  full: "As many people as may watch a channel are watching this one: here is the last frame.",
  level: "Audio level",
  silent: "silent",
  noLevelYet: "Click anywhere or press a key to measure the audio.",
  listen: "Listen",
  mute: "Mute",
  fullScreen: "Full screen",
};

const ko: typeof en = {
  insecure: "화면 없음: 브라우저는 HTTPS에서만 영상을 디코딩합니다.",
  undecodable: (codec) => `화면 없음: 이 브라우저는 ${codec}을(를) 디코딩할 수 없습니다.`,
  none: "아직 화면이 없습니다.",
  held: "송출 유지 중",
  age: (seconds) => (seconds < 120 ? `${seconds}초 전` : `${Math.floor(seconds / 60)}분 전`),
  lastFrame: "들어오는 영상의 마지막 프레임",
  full: "이 채널의 미리보기 인원이 가득 찼습니다. 대신 마지막 프레임을 보여 드립니다.",
  level: "오디오 레벨",
  silent: "무음",
  noLevelYet: "화면을 클릭하거나 키를 누르면 오디오 레벨을 측정합니다.",
  listen: "소리 켜기",
  mute: "음소거",
  fullScreen: "전체 화면",
};

/** The texts of video, which are loaded with it. */
export const words = (): typeof en => (language.value === "ko" ? ko : en);
