import type { enStart } from "./en-start.ts";

export const koStart: typeof enStart = {
  problems: {
    missing: "필수 항목입니다.",
    wrong: "사용할 수 없는 값입니다.",
    wholeNumber: (min, max) => `${min}~${max} 사이의 정수를 입력해 주세요.`,
    tooShort: (value) => `${value}자 이상 입력해 주세요.`,
    tooLong: (value) => `${value}자까지 입력할 수 있습니다.`,
    channelName: {
      empty: "채널 이름을 입력해 주세요.",
      "too-long": "80자까지 입력할 수 있습니다.",
      "control-character": "줄바꿈이나 제어 문자는 사용할 수 없습니다.",
    },
  },
  channelName: {
    label: "채널 이름",
    rule: "80자까지 자유롭게 입력할 수 있습니다.",
  },
  testPattern: {
    name: "테스트 영상",
    start: "테스트 영상 송출",
    startText:
      "인코더 없이 내장된 테스트 화면과 작은 신호음을 플랫폼으로 송출합니다. 인코더가 연결되면 바로 인코더 영상으로 바뀝니다.",
    sentTo: (names) => `송출할 플랫폼: ${names}`,
    sentToNobody: "켜져 있는 플랫폼이 없어 미리보기에서만 볼 수 있습니다.",
    viewersWillSee:
      "이 플랫폼의 시청자에게 테스트 영상이 보입니다. 보이지 않게 하려면 먼저 방송을 비공개로 설정해 주세요.",
    length: "자동 종료",
    minutes: (value) => `${value}분 후`,
    running: "테스트 영상을 송출하고 있습니다",
    viewersSee: (names) => `지금 ${names} 시청자에게 테스트 영상이 보입니다.`,
    endsIn: (time) => `${time} 후 자동으로 종료되며, 인코더가 연결되면 바로 끝납니다.`,
    stop: "테스트 영상 종료",
  },
};
