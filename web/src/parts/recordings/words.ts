import type { RecordingProblem } from "../../base/model.ts";
import { language } from "../../text/text.ts";

const en = {
  title: "Recordings",
  toggle: "Record broadcasts",
  toggleHelp: "Saves what goes out on this server's disk, as it is. You can switch this while on air.",
  status: {
    OFF: "Not recording",
    READY: "Records the next broadcast",
    RECORDING: "Recording",
    FAIL: "This broadcast isn't being recorded",
  },
  problems: {
    DISK_FULL: "The disk is full. Delete recordings or free some space, and recording starts again by itself.",
    DISK_SLOW: "The disk can't keep up with the stream. Recording is tried again.",
    DISK_FAILED: "The disk rejects writes. Check it, and the server's log.",
    QUOTA_REACHED: "This channel's recordings fill its quota. Delete some, and recording starts again by itself.",
    RECORDER_LOST: "The recorder failed and is being restarted.",
  } satisfies Record<RecordingProblem, string>,
  none: "No recordings yet.",
  started: "Started",
  length: "Length",
  size: "Size",
  tracks: "Tracks",
  growing: "Recording now",
  uploads: { WAITING: "Waiting for upload", UPLOADING: "Uploading", UPLOADED: "Uploaded", FAILED: "Upload failed" },
  download: "Download",
  downloadOf: (name: string) => `Download the recording of ${name}`,
  delete: "Delete",
  deleteOf: (name: string) => `Delete the recording of ${name}`,
  deleteTitle: "Delete recording",
  deleteSure: (name: string) =>
    `The recording of ${name} will be deleted from the server's disk. This can't be undone.`,
  more: (count: number) => `${count} older ${count === 1 ? "recording" : "recordings"} through the API`,
};

const ko: typeof en = {
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

/** The texts of recordings in the current language. They are loaded with the panel. */
export const words = (): typeof en => (language.value === "ko" ? ko : en);
