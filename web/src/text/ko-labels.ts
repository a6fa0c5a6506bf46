import type { enLabels, enMoreFields } from "./en-labels.ts";

const count = (value: number): string => `${new Intl.NumberFormat("ko").format(value)}개`;

export const koLabels: typeof enLabels = {
  labels: {
    title: "라벨",
    add: "라벨 추가",
    remove: (label) => `${label} 라벨 제거`,
    name: "라벨",
    help: (characters) => `최대 ${characters}자입니다. 같은 라벨의 채널을 모아 볼 수 있습니다.`,
    limit: (value) => `채널 하나에 라벨을 ${value}개까지 붙일 수 있습니다.`,
    filter: "라벨별 보기",
    all: "모든 라벨",
    edit: "라벨…",
    ofSelected: (value) => `채널 ${count(value)}의 라벨`,
    removeSelected: "라벨 제거",
    added: (value) => `채널 ${count(value)}에 라벨을 추가했습니다.`,
    removed: (value) => `채널 ${count(value)}에서 라벨을 제거했습니다.`,
  },
};

/** The same in Korean. */
export const koMoreFields: typeof enMoreFields = {
  timedData: "자막과 큐 포인트는 보내지 않음",
  bufferPolicy: "플랫폼이 스트림을 제때 받지 못하면",
  bufferPolicyHelp: "플랫폼이 스트림을 받는 속도가 느릴 때의 동작입니다.",
  policies: { drop: "프레임 건너뛰기", disconnect: "다시 연결" },
  silentAudio: "스트림에 오디오가 없으면",
  silentAudioChoices: {
    auto: "플랫폼에 오디오가 필요하면 무음 보내기",
    always: "무음 보내기",
    never: "오디오 없이 보내기",
  },
  silenceAdded: "무음 추가",
  silenceAddedHelp: "인코더가 오디오를 보내지 않아 이 플랫폼에는 무음을 보냅니다",
};
