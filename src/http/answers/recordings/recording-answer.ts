import type { ChannelSummary } from "../../../control/use-cases/details.ts";
import { type RecordingFile, recordingSentence } from "../../../thread-protocol/recordings/recordings.ts";

/** Whether a channel is recorded, and how that stands; part of the channel object. */
export function recordingStatusAnswer({ isRecorded, recording }: ChannelSummary) {
  if (isRecorded !== true) return { enabled: false, status: "OFF" as const };
  if (recording?.status !== "FAIL")
    return { enabled: true, status: recording?.status === "RECORDING" ? recording.status : "READY" } as const;
  const { problem } = recording;
  return { enabled: true, status: "FAIL" as const, reason: { code: problem, ...recordingSentence(problem) } };
}

/** One recording: a file. */
export function recordingAnswer(file: RecordingFile) {
  const { channelId, recordingId, container, startTime, durationMs, bytes, tracks, end, upload } = file;
  return {
    ...{ channelId, recordingId, fileName: fileNameOf(file), container, startTime },
    ...(end === undefined ? {} : { endTime: end.time, endReason: end.reason }),
    ...{ state: end === undefined ? "RECORDING" : "FINISHED", durationMilliseconds: durationMs, bytes, tracks },
    ...(upload === undefined ? {} : { upload }),
  };
}

/** The name under which a browser stores it: ids have neither quotes nor slashes. */
export function fileNameOf({ channelId, recordingId, container }: RecordingFile): string {
  return `${channelId}-${recordingId}.${container}`;
}
