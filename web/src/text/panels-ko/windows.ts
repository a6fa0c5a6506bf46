import type { enWindows } from "../panels-en/windows.ts";

export const koWindows: typeof enWindows = {
  label: "이 시간에만 송출",
  help: "한 줄에 하나씩 입력하세요. 예: 월 금 20:00-22:00. 요일이 없으면 매일입니다. 비워 두면 항상 송출합니다.",
  zone: "송출 시간의 시간대",
  wrong: "월 금 20:00-22:00처럼 입력해 주세요.",
  closed: "지금은 송출 시간이 아니어서 꺼져 있습니다.",
  opened: "송출 시간은 아니지만 다음 송출 시간까지 켜져 있습니다.",
};
