import type { RecordingProblem } from "../../base/model.ts";

export const enRecordings = {
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
    SERVER_UPGRADED: "The server was upgraded. The file up to then is saved, and the next broadcast is recorded again.",
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
