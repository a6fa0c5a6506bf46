import { language } from "../../text/text.ts";

const en = {
  insecure: "No picture: browsers decode it on HTTPS only.",
  undecodable: (codec: string) => `No picture: this browser cannot decode ${codec}.`,
  none: "No picture yet.",
  held: "Held",
  age: (seconds: number) => (seconds < 120 ? `${seconds} s old` : `${Math.floor(seconds / 60)} min old`),
  lastFrame: "Last frame of the incoming stream",
};

const ko: typeof en = {
  insecure: "화면 없음: 브라우저는 HTTPS에서만 영상을 디코딩합니다.",
  undecodable: (codec) => `화면 없음: 이 브라우저는 ${codec}을(를) 디코딩할 수 없습니다.`,
  none: "아직 화면이 없습니다.",
  held: "송출 유지 중",
  age: (seconds) => (seconds < 120 ? `${seconds}초 전` : `${Math.floor(seconds / 60)}분 전`),
  lastFrame: "들어오는 영상의 마지막 프레임",
};

/** The texts of video, which are loaded with it. */
export const words = (): typeof en => (language.value === "ko" ? ko : en);
