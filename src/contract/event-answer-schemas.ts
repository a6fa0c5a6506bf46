import { z } from "zod";

const time = z.int().min(0);

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
