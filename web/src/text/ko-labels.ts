import type { enLabels } from "./en-labels.ts";

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
