import type { enDelay } from "../panels-en/delay.ts";

export const koDelay: typeof enDelay = {
  seconds: "지연 시간(초)",
  secondsHelp: "이 플랫폼에는 스트림을 이만큼 늦게 보냅니다. 최대 15분(900초)입니다.",
  states: { FILLING: "지연 준비 중", DELAYED: "지연 송출 중", LIVE: "지연 해제됨", DRAINING: "남은 부분 송출 중" },
  help: (current, buffered) => `원본보다 ${current} 늦게 송출하며, ${buffered} 분량이 대기 중입니다`,
  cut: "지연 해제",
  cutSure: "대기 중인 부분을 버리고 실시간 송출로 바꿉니다. 되돌릴 수 없습니다.",
  cutDone: "다음 키프레임부터 실시간으로 송출합니다.",
};
