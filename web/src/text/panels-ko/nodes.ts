import type { enNodes } from "../panels-en/nodes.ts";

export const koNodes: typeof enNodes = {
  title: "서버",
  help: "하나의 데이터베이스를 함께 사용하는 서버입니다. 어느 서버에서나 모든 채널을 관리할 수 있습니다.",
  name: "서버",
  state: "상태",
  states: { SERVING: "작동 중", DRAINING: "비우는 중", SILENT: "응답 없음", LOST: "연결 끊김" },
  channels: "채널",
  egress: "송출량",
  version: "버전",
  self: "이 서버",
  drain: "서버 비우기",
  drainSure: (name) =>
    `${name} 서버가 새 채널을 받지 않습니다. 진행 중인 방송은 끝날 때까지 이어지고, 시간이 다 되면 남은 방송은 다른 서버로 옮겨집니다.`,
  move: "채널 옮기기",
  moveSure: (name) =>
    `${name} 서버의 방송이 다른 서버에서 이어집니다. 인코더 연결은 유지되고 플랫폼에는 다시 연결합니다.`,
  moveTo: "옮길 서버",
  moveToAny: "채널이 가장 적은 서버",
  destination: (name, incarnation, channels) => `${name} (#${incarnation}, 채널 ${channels}개)`,
  moreStay: (number) => `그 밖에 남는 채널: ${number}개.`,
  endsIn: (time) => `${time} 후 종료`,
  ownerSilent: (seconds) =>
    `이 채널을 송출하는 서버가 응답하지 않습니다. 표시된 내용은 ${seconds}초 전의 것이며, 방송은 계속되고 있을 수 있습니다.`,
  ownerLost: "이 채널을 송출하던 서버와 연결이 끊어졌습니다. 인코더가 다른 서버에 다시 연결되면 방송이 이어집니다.",
};
