import type { ChannelId } from "../channel-spec.ts";

/** Why a channel on air is not recorded, although it should be. It is tried again until there is room. */
export const RECORDING_PROBLEMS = [
  /** Less space is free than the server must keep free, or the disk is full. */
  "DISK_FULL",
  /** The disk takes less than the stream has. */
  "DISK_SLOW",
  /** The disk rejected a write or the folder cannot be used. */
  "DISK_FAILED",
  /** The channel's recordings fill its quota. */
  "QUOTA_REACHED",
  /** The recording thread ended and is being restarted. */
  "RECORDER_LOST",
  /** A newer process has taken over. It records the channel from its next broadcast on. */
  "SERVER_UPGRADED",
] as const;
export type RecordingProblem = (typeof RECORDING_PROBLEMS)[number];

/** A problem in a sentence for people: what is wrong, and what to do. */
export function recordingSentence(problem: RecordingProblem): { readonly message: string; readonly messageKo: string } {
  const [message, messageKo] = SENTENCES[problem];
  return { message, messageKo };
}

const SENTENCES: Readonly<Record<RecordingProblem, readonly [string, string]>> = {
  DISK_FULL: [
    "the disk of the recordings has no room left; free space on it or delete recordings, and recording begins again",
    "녹화 디스크에 남은 공간이 없습니다. 공간을 확보하거나 녹화 파일을 삭제하면 녹화가 다시 시작됩니다",
  ],
  DISK_SLOW: [
    "the disk of the recordings is too slow for the stream; the stream itself goes on, and recording is tried again",
    "녹화 디스크가 스트림을 따라가지 못합니다. 송출은 계속되며 녹화를 다시 시도합니다",
  ],
  DISK_FAILED: [
    "the disk of the recordings rejects writes; check the disk and the rights of its folder (the log has the error)",
    "녹화 디스크에 쓸 수 없습니다. 디스크와 폴더 권한을 확인해 주세요(로그에 오류가 있습니다)",
  ],
  QUOTA_REACHED: [
    "the channel's recordings fill its quota; delete some of them, and recording begins again",
    "이 채널의 녹화 파일이 할당량을 모두 사용했습니다. 일부를 삭제하면 녹화가 다시 시작됩니다",
  ],
  RECORDER_LOST: [
    "the server's recorder failed and is started again (the log has the error)",
    "서버의 녹화기가 중단되어 다시 시작됩니다(로그에 오류가 있습니다)",
  ],
  SERVER_UPGRADED: [
    "the server was upgraded during the broadcast; the file up to then is finished, and the channel is recorded again from its next broadcast on",
    "방송 중에 서버가 업그레이드되었습니다. 그때까지의 파일은 저장되었으며 다음 방송부터 다시 녹화합니다",
  ],
};

/** Why a file ended. `SERVER_LOST`: the process ended without finishing it; the next start did. */
export const RECORDING_ENDS = [
  "BROADCAST_ENDED",
  "TURNED_OFF",
  /** It reached its largest size or longest time: the next file goes on. */
  "NEXT_FILE",
  /** Codecs or tracks changed: the next file goes on. */
  "STREAM_CHANGED",
  "SERVER_LOST",
  ...RECORDING_PROBLEMS,
] as const;
export type RecordingEnd = (typeof RECORDING_ENDS)[number];

/** How a channel's recording stands. `READY`: the channel is off air, or waits for its first keyframe. */
export type RecordingStatus =
  | { readonly status: "OFF" | "READY" | "RECORDING" }
  | { readonly status: "FAIL"; readonly problem: RecordingProblem };

/** A track of a file. */
export type RecordedTrack = {
  readonly kind: "audio" | "video";
  readonly codec: string;
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
  /** Hertz. */
  readonly sampleRate?: number;
  readonly channels?: number;
};

export const RECORDING_CONTAINERS = ["mp4", "flv"] as const;
export type RecordingContainer = (typeof RECORDING_CONTAINERS)[number];

/** Identifies one file of one channel. */
export type RecordingKey = { readonly channelId: ChannelId; readonly recordingId: string };

/** How a file's upload stands. `FAILED`: it is tried again, and a person may have to change something. */
export const UPLOAD_STATES = ["WAITING", "UPLOADING", "UPLOADED", "FAILED"] as const;
export type RecordingUpload = {
  readonly state: (typeof UPLOAD_STATES)[number];
  /** Bytes that are there. */
  readonly sentBytes: number;
  /** Why the last attempt failed, in the words of the store or the system. */
  readonly detail?: string;
};

/** One file. Times are milliseconds since the Unix epoch. */
export type RecordingFile = RecordingKey & {
  readonly container: RecordingContainer;
  readonly startTime: number;
  /** Absent while it is being written. */
  readonly end?: { readonly reason: RecordingEnd; readonly time: number };
  readonly durationMs: number;
  readonly bytes: number;
  readonly tracks: readonly RecordedTrack[];
  /** Absent where recordings are not uploaded. */
  readonly upload?: RecordingUpload;
};
