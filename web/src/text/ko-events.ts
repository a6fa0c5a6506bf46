import type { enEvents } from "./en-events.ts";

export const koEvents: typeof enEvents = {
  events: {
    title: "타임라인",
    none: "아직 기록이 없습니다.",
    noneMatch: "해당하는 기록이 없습니다.",
    filter: "보기",
    filters: { all: "전체", problems: "문제", broadcasts: "방송", platforms: "플랫폼", changes: "변경" },
    export: "내보내기",
    levels: { INFO: "정보", WARN: "경고", ERROR: "오류" },
    codes: {
      STREAM_RESERVE: "채널 생성",
      STREAM_UPDATE: "설정 변경",
      PUBLISH_START: "방송 시작",
      PUBLISH_END: "방송 종료",
      SIMULCAST_STATUS_CHANGE: "플랫폼",
      PUBLISH_OVER_THRESHOLD: "플랫폼 한도를 넘는 비트레이트",
      RTMP_MAIN_STREAM_ENABLED: "메인 인코더 송출",
      RTMP_BACKUP_STREAM_ENABLED: "백업 인코더 송출",
      BACKUP_SESSION_STREAMING_CONNECTED: "백업 인코더 연결",
      INGEST_HELD: "인코더 끊김, 송출 유지 중",
      INGEST_RESUMED: "인코더 복구",
      ENCODERS_FIGHT: "두 인코더가 같은 키로 충돌",
      BACKUP_DIFFERS: "백업 인코더 설정이 다름",
    },
  },
};
