import type { enRecordings } from "../panels-en/recordings.ts";

export const koRecordings: typeof enRecordings = {
  title: "녹화",
  toggle: "방송 녹화",
  toggleHelp: "송출 내용을 그대로 이 서버의 디스크에 저장합니다. 방송 중에도 켜고 끌 수 있습니다.",
  status: {
    OFF: "녹화 꺼짐",
    READY: "다음 방송부터 녹화합니다",
    RECORDING: "녹화 중",
    FAIL: "이 방송은 녹화되지 않고 있습니다",
  },
  problems: {
    DISK_FULL: "디스크 공간이 부족합니다. 녹화 파일을 삭제하거나 공간을 확보하면 녹화가 다시 시작됩니다.",
    DISK_SLOW: "디스크가 스트림을 따라가지 못합니다. 녹화를 다시 시도합니다.",
    DISK_FAILED: "디스크에 쓸 수 없습니다. 디스크와 서버 로그를 확인해 주세요.",
    QUOTA_REACHED: "이 채널의 녹화 파일이 할당량을 모두 사용했습니다. 일부를 삭제하면 녹화가 다시 시작됩니다.",
    RECORDER_LOST: "녹화기가 중단되어 다시 시작하고 있습니다.",
  },
  none: "아직 녹화 파일이 없습니다.",
  started: "시작",
  length: "길이",
  size: "크기",
  tracks: "트랙",
  growing: "녹화 중",
  uploads: { WAITING: "업로드 대기", UPLOADING: "업로드 중", UPLOADED: "업로드됨", FAILED: "업로드 실패" },
  download: "다운로드",
  downloadOf: (name) => `${name} 녹화 파일 다운로드`,
  delete: "삭제",
  deleteOf: (name) => `${name} 녹화 파일 삭제`,
  deleteTitle: "녹화 파일 삭제",
  deleteSure: (name) => `${name} 녹화 파일을 서버 디스크에서 삭제합니다. 되돌릴 수 없습니다.`,
  more: (count) => `이전 녹화 파일 ${count}개는 API로 볼 수 있습니다`,
};
