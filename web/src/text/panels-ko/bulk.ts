import type { enBulk } from "../panels-en/bulk.ts";

const count = (value: number): string => `${new Intl.NumberFormat("ko").format(value)}개`;

export const koBulk: typeof enBulk = {
  acts: { start: "소스 시작", enable: "차단 해제", end: "지금 종료", disable: "송출 차단" },
  sure: {
    start: (value) =>
      `채널 ${count(value)}의 소스를 시작할까요? 파일이나 가져온 스트림이 켜져 있는 모든 플랫폼으로 송출됩니다. 인코더의 방송은 중단하지 않습니다.`,
    end: (value) =>
      `채널 ${count(value)}의 방송을 종료할까요? 모든 플랫폼에서 송출이 멈춥니다. 방송 중이 아닌 채널은 그대로 유지됩니다.`,
    disable: (value) =>
      `채널 ${count(value)}의 송출을 차단할까요? 진행 중인 방송이 종료되고, 차단을 해제할 때까지 인코더가 연결할 수 없습니다.`,
  },
  done: {
    start: (value) => `채널 ${count(value)}의 소스를 시작했습니다.`,
    enable: (value) => `채널 ${count(value)}의 차단을 해제했습니다.`,
    end: (value) => `채널 ${count(value)}의 방송을 종료했습니다.`,
    disable: (value) => `채널 ${count(value)}의 송출을 차단했습니다.`,
  },
  failedCount: (value) => `${count(value)} 실패:`,
};
