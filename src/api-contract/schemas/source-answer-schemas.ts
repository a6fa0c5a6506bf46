import { z } from "zod";
import { SOURCE_KINDS } from "../../thread-protocol/channel-spec.ts";
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
    refusedFor: z.string().optional(),
    fileKind: z.enum(["video", "picture"]).optional(),
    durationSeconds: z.number().optional(),
    videoCodec: z.string().optional(),
    width: z.int().optional(),
    height: z.int().optional(),
    frameRate: z.number().optional(),
    audioCodec: z.string().optional(),
    sampleRate: z.int().optional(),
    channels: z.int().optional(),
  }),
  MediaSpace: z.strictObject({ ffmpegFound: z.boolean(), usedBytes: count, quotaBytes: count }),
  Slate: z.strictObject({
    fileId: z.string().optional(),
    slateState: z.enum(["none", "waiting", "making", "ready", "other-codec", "failed"]),
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
        lastError: targetError.optional(),
        retryAttempt: count.optional(),
        nextRetryTime: time.optional(),
      })
      .optional(),
    sourceState: z.enum(["stopped", "starting", "playing", "failed"]),
    sinceTime: time,
    position: count.optional(),
    fileId: z.string().optional(),
    sourceReason: z.string().optional(),
    message: z.string().optional(),
    messageKo: z.string().optional(),
    ffmpegFound: z.boolean(),
  }),
} as const;
