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
  firstSteps: {
    title: "시작하기",
    finished: "시작하기를 모두 마쳤습니다",
    dismiss: "시작하기 숨기기",
    done: "완료:",
    steps: {
      create: "채널 만들기",
      platform: "플랫폼 추가",
      test: "플랫폼 테스트 또는 테스트 영상 송출",
      encoder: "인코더에 서버와 스트림 키 붙여 넣기",
      stream: "방송 시작",
      green: "모든 플랫폼 송출 확인",
    },
  },
  recommended: {
    title: "인코더 권장 설정",
    settings: {
      videoCodec: "영상 코덱",
      height: "해상도",
      frameRate: "프레임 레이트",
      videoBytesPerSecond: "영상 비트레이트",
      keyframeSeconds: "키프레임 간격",
      bFrames: "B프레임",
      audioCodec: "오디오 코덱",
      audioBytesPerSecond: "오디오 비트레이트",
      sampleRate: "샘플 레이트",
      audioChannels: "오디오 채널",
    },
    limitOf: (names) => `${names} 기준`,
    refuses: (codec, names) => `${codec} 미지원: ${names}`,
    conflict: (setting, names) => `${setting}: ${names}에 동시에 맞는 값이 없습니다.`,
  },
  testPattern: {
    name: "테스트 영상",
    start: "테스트 영상 송출",
    startText:
      "인코더 없이 내장된 테스트 화면과 작은 신호음을 플랫폼으로 송출합니다. 인코더가 연결되면 바로 인코더 영상으로 바뀝니다.",
    sendTo: "송출할 플랫폼",
    sentToNobody: "켜져 있는 플랫폼이 없어 미리보기에서만 볼 수 있습니다.",
    viewersWillSee:
      "이 플랫폼의 시청자에게 테스트 영상이 보입니다. 보이지 않게 하려면 먼저 방송을 비공개로 설정해 주세요.",
    notChosen: "테스트 대상 아님",
    length: "자동 종료",
    minutes: (value) => `${value}분 후`,
    running: "테스트 영상을 송출하고 있습니다",
    viewersSee: (names) => `지금 ${names} 시청자에게 테스트 영상이 보입니다.`,
    endsIn: (time) => `${time} 후 자동으로 종료되며, 인코더가 연결되면 바로 끝납니다.`,
    stop: "테스트 영상 종료",
  },
};
