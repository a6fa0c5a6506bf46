import { z } from "zod";
import { INGEST_ENDS } from "../../thread-protocol/facts.ts";
import { TARGET_ERROR_CODES } from "../../thread-protocol/targets/target-status.ts";
import { AUDIT_ACTIONS, AUDIT_ACTORS, AUDIT_CLIENTS } from "../audit/audit-actions.ts";
import {
  BROADCAST_ENDS,
  DELIVERY_PROBLEMS,
  DELIVERY_STATES,
  EVENT_CODES,
  EVENT_LEVELS,
  EVENT_REASONS,
} from "../event-words.ts";

const time = z.int().min(0);
const count = z.int().min(0);
const status = z.enum(["READY", "CONNECTING", "PUBLISHING", "FAIL"]);

/** A broadcast's interruptions, of the encoder or of one platform: the first fifty, and how many there were. */
const interruptions = {
  interruptions: z.array(
    z.strictObject({ time, durationSeconds: count, reason: z.enum([...TARGET_ERROR_CODES, ...INGEST_ENDS]) }),
  ),
  interruptionCount: count,
};

const event = z.strictObject({
  logLevel: z.enum(EVENT_LEVELS),
  eventCode: z.enum(EVENT_CODES),
  description: z.string(),
  timestamp: time,
  channelId: z.string(),
  id: z.int().min(1),
  platId: z.int().min(1).optional(),
  targetName: z.string().optional(),
  label: z.string().optional(),
  from: status.optional(),
  to: status.optional(),
  reason: z.enum(EVENT_REASONS).optional(),
  remoteAddress: z.string().optional(),
  by: z.string().optional(),
});

const refusedEncoder = z.strictObject({
  remoteAddress: z.string(),
  reason: z.enum(["unknown-key", "auth-failed", "channel-off", "too-many-guesses", "encoders-fight", "overloaded"]),
  channelId: z.string().optional(),
  firstTime: time,
  lastTime: time,
  count: z.int().min(1),
});

const report = {
  channelId: z.string(),
  startTime: time,
  endTime: time,
  durationSeconds: count,
  reason: z.enum(BROADCAST_ENDS),
  testPattern: z.literal(true).optional(),
  ...interruptions,
  platforms: z.array(
    z.strictObject({
      platId: z.int().min(1),
      targetName: z.string().optional(),
      label: z.string().optional(),
      onAirSeconds: count,
      bytesSent: count,
      retryCount: count,
      droppedFrames: count,
      droppedFramesByCause: z.strictObject({ overTime: count, overBytes: count, untilKeyframe: count }),
      ...interruptions,
    }),
  ),
  refusedEncoders: z.array(refusedEncoder).optional(),
};

const points = z.array(count.nullable());
const history = z.strictObject({
  channelId: z.string(),
  fromTime: time,
  toTime: time,
  stepSeconds: z.int().min(1),
  ingest: z.strictObject({ bytesPerSecond: points }),
  platforms: z.array(
    z.strictObject({
      platId: z.int().min(1),
      bytesPerSecond: points,
      queueMilliseconds: points,
      droppedFrames: points,
      retryCount: points,
    }),
  ),
});

const auditValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const audit = z.strictObject({
  id: z.int().min(1),
  timestamp: time,
  action: z.enum(AUDIT_ACTIONS),
  description: z.string(),
  actor: z.enum(AUDIT_ACTORS),
  actorId: z.string().optional(),
  actorName: z.string().optional(),
  client: z.enum(AUDIT_CLIENTS),
  remoteAddress: z.string().optional(),
  userAgent: z.string().optional(),
  traceId: z.string(),
  channelId: z.string().optional(),
  channelName: z.string().optional(),
  platId: z.int().min(1).optional(),
  subject: z.string().optional(),
  changes: z.array(z.strictObject({ field: z.string(), before: auditValue.optional(), after: auditValue.optional() })),
});

/** The answers of the calls about events and webhooks. */
export const eventSchemas = {
  Event: event,
  Report: z.strictObject(report),
  ReportWithHistory: z.strictObject({ ...report, events: z.array(event), history }),
  History: history,
  WebhookTest: z.strictObject({
    ok: z.boolean(),
    url: z.string(),
    lastStatus: z.int().optional(),
    lastProblem: z.enum(DELIVERY_PROBLEMS).optional(),
    milliseconds: count,
  }),
  RefusedEncoder: refusedEncoder,
  AuditRecord: audit,
  CallbackEndpoint: z.strictObject({
    callbackUrl: z.string().optional(),
    updateTime: time.optional(),
    goneTime: time.optional(),
    webhookSecret: z.string().optional(),
  }),
  Delivery: z.strictObject({
    id: z.int().min(1),
    channelId: z.string().optional(),
    event: z.enum(EVENT_CODES),
    timestamp: time,
    platId: z.int().min(1).optional(),
    targetName: z.string().optional(),
    label: z.string().optional(),
    url: z.string(),
    attempts: z.int().min(0),
    state: z.enum(DELIVERY_STATES),
    lastStatus: z.int().optional(),
    lastProblem: z.enum(DELIVERY_PROBLEMS).optional(),
    nextTime: time.optional(),
  }),
} as const;

export type EventAnswer = z.output<(typeof eventSchemas)["Event"]>;
export type ReportAnswer = z.output<(typeof eventSchemas)["Report"]>;
export type AuditAnswer = z.output<(typeof eventSchemas)["AuditRecord"]>;
export type DeliveryAnswer = z.output<(typeof eventSchemas)["Delivery"]>;
