import type { TargetSentence } from "./target-sentence.ts";

/** Why a delayed target's stream could be kept no longer. */
export const DELAY_SENTENCES = {
  "delay-disk-full": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: its disk has no room for more of the delayed stream; make room, or shorten the delay. Once there is room, the platform gets the stream again, after its delay.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 지연 송출할 스트림을 저장할 디스크 공간이 부족합니다. 공간을 확보하거나 지연 시간을 줄여 주세요. 공간이 생기면 지연 시간 뒤에 다시 송출합니다.",
  },
  "delay-disk-slow": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: its disk is too slow for the delayed stream; use a faster disk, or shorten the delay. Once the disk has caught up, the platform gets the stream again, after its delay.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 디스크가 지연 송출 스트림을 저장하기에 너무 느립니다. 더 빠른 디스크를 쓰거나 지연 시간을 줄여 주세요. 저장이 끝나면 지연 시간 뒤에 다시 송출합니다.",
  },
  "delay-disk-failed": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the platform, is the cause: its disk failed while storing the delayed stream; check the disk. Once the disk works, the platform gets the stream again, after its delay.",
    ko: "플랫폼이 아니라 이 서버가 원인입니다. 지연 송출 스트림을 저장하는 중에 디스크 오류가 발생했습니다. 디스크를 확인해 주세요. 디스크가 정상화되면 지연 시간 뒤에 다시 송출합니다.",
  },
} as const satisfies Record<string, TargetSentence>;
