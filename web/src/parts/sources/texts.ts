import { language } from "../../text/text.ts";

/** The texts of this part. They are loaded with it, in both languages. */
const en = {
  title: "Play files",
  open: "Choose files",
  intro: "Play files of this server as the channel's encoder. An encoder that connects takes over.",
  noFfmpeg: "FFmpeg is not installed on this server, so files can't be checked or played.",
  states: { stopped: "Not playing", starting: "Starting…", playing: "Playing", waiting: "Waiting to try again" },
  playing: (name: string, number: number, of: number) => `Playing ${name} (${number} of ${of})`,
  start: "Play",
  stop: "Stop playing",
  playlist: "Playlist",
  empty: "No files chosen.",
  add: "Add to playlist",
  remove: (name: string) => `Remove ${name} from the playlist`,
  up: (name: string) => `Move ${name} up`,
  loop: "Play in a loop",
  library: "Files on this server",
  upload: "Upload a file",
  uploading: (name: string, percent: number) => `Uploading ${name}: ${percent}%`,
  resume: "Choose the same file again to continue an upload that was cut off.",
  space: (used: string, all: string) => `${used} of ${all} used`,
  fileStates: { uploading: "Upload unfinished", checking: "Checking…", ready: "Ready", refused: "Can't be played" },
  noAudio: "no audio",
  delete: (name: string) => `Delete ${name}`,
  deleteSure: "The file is deleted from this server.",
  none: "No files yet.",
  gone: "deleted file",
};

type Words = typeof en;

const ko: Words = {
  title: "파일 재생",
  open: "파일 선택",
  intro: "서버에 올린 파일을 인코더처럼 채널에 재생합니다. 인코더가 연결되면 인코더가 이어받습니다.",
  noFfmpeg: "이 서버에 FFmpeg이 설치되어 있지 않아 파일을 확인하거나 재생할 수 없습니다.",
  states: { stopped: "재생 안 함", starting: "시작하는 중…", playing: "재생 중", waiting: "다시 시도 대기 중" },
  playing: (name, number, of) => `${name} 재생 중 (${of}개 중 ${number}번째)`,
  start: "재생",
  stop: "재생 종료",
  playlist: "재생 목록",
  empty: "선택한 파일이 없습니다.",
  add: "재생 목록에 추가",
  remove: (name) => `재생 목록에서 ${name} 빼기`,
  up: (name) => `${name} 위로 옮기기`,
  loop: "반복 재생",
  library: "서버에 있는 파일",
  upload: "파일 업로드",
  uploading: (name, percent) => `${name} 업로드 중: ${percent}%`,
  resume: "중단된 업로드를 이어 하려면 같은 파일을 다시 선택하세요.",
  space: (used, all) => `${all} 중 ${used} 사용`,
  fileStates: { uploading: "업로드 미완료", checking: "확인 중…", ready: "준비됨", refused: "재생할 수 없음" },
  noAudio: "오디오 없음",
  delete: (name) => `${name} 삭제`,
  deleteSure: "서버에서 파일을 삭제합니다.",
  none: "아직 파일이 없습니다.",
  gone: "삭제된 파일",
};

/** The words in the page's language. */
export const words = (): Words => ({ en, ko })[language.value];
