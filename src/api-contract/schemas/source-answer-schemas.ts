import { z } from "zod";
import { WEEKDAYS } from "../../base/calendar/timing.ts";
import { SOURCE_KINDS } from "../../thread-protocol/channel-spec.ts";
import { CATCH_UPS, MISSED_REASONS } from "../event-words.ts";
import { SCHEDULE_REPEATS } from "./schedule-schemas.ts";
import { targetError } from "./target-error-schema.ts";

const time = z.int().min(0);
const count = z.int().min(0);

/** The answers about media files and sources. */
export const sourceSchemas = {
  MediaFile: z.strictObject({
    fileId: z.string(),
    fileName: z.string(),
    fileState: z.enum(["uploading", "checking", "ready", "refused"]),
    bytes: count,
    receivedBytes: count,
    createdTime: time,
    fileFingerprint: z.string().optional(),
    refusedFor: z.string().optional(),
    refusedForKo: z.string().optional(),
    watched: z.boolean().optional(),
    fileKind: z.enum(["video", "picture"]).optional(),
    durationSeconds: z.number().optional(),
    videoCodec: z.string().optional(),
    width: z.int().optional(),
    height: z.int().optional(),
    hdr: z.enum(["PQ", "HLG"]).optional(),
    notice: z.string().optional(),
    noticeKo: z.string().optional(),
    frameRate: z.number().optional(),
    audioCodec: z.string().optional(),
    sampleRate: z.int().optional(),
    channels: z.int().optional(),
  }),
  MediaSpace: z.strictObject({ ffmpegFound: z.boolean(), usedBytes: count, quotaBytes: count }),
  Slate: z.strictObject({
    fileId: z.string().optional(),
    slateState: z.enum(["none", "waiting", "making", "ready", "other-codec", "unfit", "failed"]),
    message: z.string().optional(),
    messageKo: z.string().optional(),
    curtainClosed: z.boolean(),
    slateShown: z.boolean(),
  }),
  Source: z.strictObject({
    sourceKind: z.enum(SOURCE_KINDS).optional(),
    fileIds: z.array(z.string()).optional(),
    loop: z.boolean().optional(),
    pull: z
      .strictObject({
        url: z.string(),
        connectStatus: z.enum(["READY", "CONNECTING", "PUBLISHING", "FAIL"]),
        stability: z.enum(["stable", "unstable"]).optional(),
        variant: z
          .strictObject({
            bitRate: count,
            width: z.int().optional(),
            height: z.int().optional(),
            codecs: z.string().optional(),
          })
          .optional(),
        lastError: targetError.optional(),
        retryAttempt: count.optional(),
        nextRetryTime: time.optional(),
      })
      .optional(),
    sourceState: z.enum(["stopped", "starting", "playing", "failed"]),
    sinceTime: time,
    position: count.optional(),
    fileId: z.string().optional(),
    scheduleId: z.string().optional(),
    sourceReason: z.string().optional(),
    message: z.string().optional(),
    messageKo: z.string().optional(),
    ffmpegFound: z.boolean(),
  }),
  Schedule: z.strictObject({
    scheduleId: z.string(),
    scheduleName: z.string(),
    fileIds: z.array(z.string()),
    loop: z.boolean(),
    timeZone: z.string(),
    repeat: z.enum(SCHEDULE_REPEATS),
    onDate: z.string().optional(),
    days: z.array(z.enum(WEEKDAYS)).optional(),
    startAt: z.string(),
    endAt: z.string().optional(),
    endAfterSeconds: z.int().optional(),
    catchUp: z.enum(CATCH_UPS),
    paused: z.boolean(),
    createdTime: time,
    nextTimes: z.array(time),
    overlapsWith: z.array(z.string()),
    lastRun: z
      .strictObject({
        time,
        result: z.enum(["BEGUN", "STARTED", "MISSED"]),
        missedReason: z.enum(MISSED_REASONS).optional(),
        message: z.string().optional(),
        messageKo: z.string().optional(),
      })
      .optional(),
  }),
} as const;
