import { z } from "zod";

const time = z.int().min(0);
const count = z.int().min(0);

/** A broadcast's interruptions, of the encoder or of one platform: the first fifty, and how many there were. */
const interruptions = {
  interruptions: z.array(z.strictObject({ time, durationSeconds: count, reason: z.string() })),
  interruptionCount: count,
};

/** What the calls about events and webhooks answer. */
export const eventSchemas = {
  Event: z.strictObject({
    logLevel: z.enum(["INFO", "WARN", "ERROR"]),
    eventCode: z.string(),
    description: z.string(),
    timestamp: time,
    channelId: z.string(),
    id: z.int().min(1),
    platId: z.int().min(1).optional(),
    from: z.string().optional(),
    to: z.string().optional(),
    reason: z.string().optional(),
  }),
  Report: z.strictObject({
    channelId: z.string(),
    startTime: time,
    endTime: time,
    durationSeconds: count,
    reason: z.string(),
    ...interruptions,
    platforms: z.array(
      z.strictObject({
        platId: z.int().min(1),
        targetName: z.string().optional(),
        onAirSeconds: count,
        bytesSent: count,
        retryCount: count,
        droppedFrames: count,
        droppedFramesByCause: z.strictObject({ overTime: count, overBytes: count, untilKeyframe: count }),
        ...interruptions,
      }),
    ),
  }),
  CallbackEndpoint: z.strictObject({
    callbackUrl: z.string().optional(),
    updateTime: time.optional(),
    goneTime: time.optional(),
    webhookSecret: z.string().optional(),
  }),
  Delivery: z.strictObject({
    id: z.int().min(1),
    channelId: z.string(),
    event: z.string(),
    timestamp: time,
    url: z.string(),
    attempts: z.int().min(0),
    state: z.string(),
    lastStatus: z.int().optional(),
    lastProblem: z.string().optional(),
    nextTime: time.optional(),
  }),
} as const;
