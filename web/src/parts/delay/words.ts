import { language } from "../../text/text.ts";

const en = {
  seconds: "Delay in seconds",
  secondsHelp: "The platform gets the stream this much later, up to 15 minutes (900).",
  states: { FILLING: "Delay fills", DELAYED: "Delayed", LIVE: "Delay cut", DRAINING: "Sends the rest" },
  help: (current: string, buffered: string) => `${current} behind the stream; ${buffered} of it waits`,
  cut: "Cut the delay",
  cutHelp: "Drop what waits: the platform goes on live at the next keyframe",
  cutDone: "Goes on live at the next keyframe",
};

const ko: typeof en = {
  seconds: "지연 시간(초)",
  secondsHelp: "이 플랫폼에는 스트림을 이만큼 늦게 보냅니다. 최대 15분(900초)입니다.",
  states: { FILLING: "지연 버퍼 채우는 중", DELAYED: "지연 송출", LIVE: "지연 해제됨", DRAINING: "남은 부분 송출 중" },
  help: (current, buffered) => `스트림보다 ${current} 늦으며, ${buffered} 분량이 대기 중입니다`,
  cut: "지연 건너뛰기",
  cutHelp: "대기 중인 부분을 버리고 다음 키프레임부터 실시간으로 송출합니다",
  cutDone: "다음 키프레임부터 실시간으로 송출합니다",
};

/** The words of delays, in the page's language. */
export const words = (): typeof en => (language.value === "ko" ? ko : en);
