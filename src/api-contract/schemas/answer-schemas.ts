import { z } from "zod";
import { WEEKDAYS } from "../../base/calendar/timing.ts";
import { SILENT_AUDIO, SOURCE_KINDS } from "../../thread-protocol/channel-spec.ts";
import { DELAY_STATES } from "../../thread-protocol/delays/delay.ts";
import {
  RECORDING_CONTAINERS,
  RECORDING_ENDS,
  RECORDING_PROBLEMS,
  UPLOAD_STATES,
} from "../../thread-protocol/recordings/recordings.ts";
import { OWNER_STATES } from "../../thread-protocol/targets/owner-states.ts";
import { TARGET_WARNING_CODES } from "../../thread-protocol/targets/target-status.ts";
import { CHANNEL_STATUSES } from "../channel-status.ts";
import { contactSchemas } from "../contacts/contact-answer-schemas.ts";
import { HEALTH_STATES, NEXT_STEPS } from "../health-words.ts";
import { PLATFORM_NAMES } from "../platform-names.ts";
import { eventSchemas } from "./event-answer-schemas.ts";
import { sourceSchemas } from "./source-answer-schemas.ts";
import { targetError } from "./target-error-schema.ts";

/**
 * The answers of all calls, as published at `/openapi.json`. Strict: an answer with a key that is missing here fails
 * the tests, so no answer has an unpublished field.
 */

/** Milliseconds since 1970-01-01 UTC. */
const time = z.int().min(0);
const count = z.int().min(0);
const dropsByCause = z.strictObject({ overTime: count, overBytes: count, untilKeyframe: count });

const inputNote = z.strictObject({
  field: z.enum(["rtmpUrl", "streamKey"]),
  code: z.enum([
    "INVISIBLE_REMOVED",
    "ADDRESS_REMOVED",
    "ADDRESS_IGNORED",
    "PREFIX_REMOVED",
    "SLASHES_REMOVED",
    "BLANK_INSIDE",
    "SAME_KEY",
  ]),
  message: z.string(),
  messageKo: z.string(),
  platId: z.int().min(1).optional(),
});

const platformSettings = {
  platId: z.int().min(1),
  targetName: z.enum(PLATFORM_NAMES),
  rtmpUrl: z.string(),
  streamKey: z.string(),
  id: z.string().optional(),
  password: z.string().optional(),
  enabled: z.boolean(),
  bufferPolicy: z.enum(["drop", "disconnect"]),
  tracks: z.strictObject({ video: z.int(), audio: z.int() }).optional(),
  timedData: z.boolean().optional(),
  silentAudio: z.enum(SILENT_AUDIO).optional(),
  delaySeconds: count.optional(),
  windows: z
    .strictObject({
      open: z.array(z.strictObject({ days: z.array(z.enum(WEEKDAYS)), startAt: z.string(), endAt: z.string() })),
      timeZone: z.string(),
    })
    .optional(),
  windowState: z.enum(["OPEN", "CLOSED", "OPENED"]).optional(),
  tls: z.strictObject({ ca: z.string().optional(), fingerprint: z.string().optional() }).optional(),
  label: z.string().optional(),
  notes: z.array(inputNote).optional(),
};

const delay = z.strictObject({
  state: z.enum(DELAY_STATES),
  currentSeconds: count,
  bufferedSeconds: count,
  bufferedBytes: count,
  diskBytes: count,
  problem: z.strictObject({ message: z.string(), messageKo: z.string() }).optional(),
});

const platform = {
  ...platformSettings,
  connectStatus: z.enum(["READY", "CONNECTING", "PUBLISHING", "FAIL"]),
  connectStatusTime: time.optional(),
  ownerState: z.enum(OWNER_STATES).optional(),
  statusAge: count.optional(),
  onAirSeconds: count.optional(),
  bytesPerSecond: count,
  bytesTotalTrans: count,
  totalBytesPerSecond: count,
  totalPlaySecond: count,
  totalRetryCount: count,
  nextRetryTime: time.optional(),
  retryAttempt: count.optional(),
  lastError: targetError.optional(),
  warning: z
    .strictObject({ code: z.enum(TARGET_WARNING_CODES), message: z.string(), messageKo: z.string() })
    .optional(),
  stability: z.enum(["stable", "unstable"]).optional(),
  silenceAdded: z.boolean().optional(),
  delay: delay.optional(),
  droppedFrames: count.optional(),
  droppedFramesByCause: dropsByCause.optional(),
  queueMilliseconds: count.optional(),
  unackedBytes: count.optional(),
  bytesAcknowledged: count.optional(),
};

const ingest = z.strictObject({
  state: z.enum(["LIVE", "HELD", "ENDED"]),
  source: z.enum(["main", "backup"]),
  remoteAddress: z.string(),
  encoder: z.string(),
  startTime: time,
  testPattern: z.strictObject({ endTime: time, platIds: z.array(z.int()).optional() }).optional(),
  sourceKind: z.enum(SOURCE_KINDS).optional(),
  curtainClosed: z.boolean().optional(),
  slateShown: z.boolean().optional(),
  videoCodec: z.string().optional(),
  width: count.optional(),
  height: count.optional(),
  frameRate: z.number().min(0).optional(),
  keyframeIntervalSeconds: z.number().min(0).optional(),
  audioCodec: z.string().optional(),
  sampleRate: count.optional(),
  channels: count.optional(),
  secondsWithoutVideo: count.optional(),
  droppedData: count.optional(),
  srt: z
    .strictObject({
      roundTripMs: z.number().min(0).optional(),
      latencyMs: count,
      encrypted: z.boolean(),
      bytesPerSecond: count,
      lossPercent: z.number().min(0).max(100),
      packets: count,
      lost: count,
      retransmitted: count,
      dropped: count,
      belated: count,
      undecrypted: count,
    })
    .optional(),
  bytesPerSecond: count,
  bytesTotal: count,
  checkState: z.enum(["checking", "done"]).optional(),
  warnings: z.array(
    z.strictObject({
      code: z.string(),
      severity: z.string(),
      message: z.string(),
      messageKo: z.string(),
      platId: z.int().min(1).optional(),
    }),
  ),
});

const health = z.strictObject({
  state: z.enum(HEALTH_STATES),
  reason: z
    .strictObject({ code: z.string(), message: z.string(), messageKo: z.string(), platId: z.int().min(1).optional() })
    .optional(),
  nextStep: z.strictObject({ code: z.enum(NEXT_STEPS), message: z.string(), messageKo: z.string() }).optional(),
  reasonCount: count,
});

const recordingStatus = z.strictObject({
  enabled: z.boolean(),
  status: z.enum(["OFF", "READY", "RECORDING", "FAIL"]),
  reason: z.strictObject({ code: z.enum(RECORDING_PROBLEMS), message: z.string(), messageKo: z.string() }).optional(),
});

const recording = {
  channelId: z.string(),
  recordingId: z.string(),
  fileName: z.string(),
  container: z.enum(RECORDING_CONTAINERS),
  state: z.enum(["RECORDING", "FINISHED"]),
  startTime: time,
  endTime: time.optional(),
  endReason: z.enum(RECORDING_ENDS).optional(),
  durationMilliseconds: count,
  bytes: count,
  upload: z.strictObject({ state: z.enum(UPLOAD_STATES), sentBytes: count, detail: z.string().optional() }).optional(),
  tracks: z.array(
    z.strictObject({
      kind: z.enum(["audio", "video"]),
      codec: z.string(),
      width: count.optional(),
      height: count.optional(),
      sampleRate: count.optional(),
      channels: count.optional(),
    }),
  ),
};

const channel = {
  channelId: z.string(),
  channelName: z.string(),
  labels: z.array(z.string()).optional(),
  envType: z.enum(["REAL", "DEV", "STAGE"]),
  planType: z.enum(["STANDARD", "PROFESSIONAL", "UNLIMITED"]),
  instanceNo: z.int().min(1),
  channelStatus: z.enum(CHANNEL_STATUSES),
  isPublishing: z.boolean(),
  ownerState: z.enum(OWNER_STATES).optional(),
  statusAge: count.optional(),
  health,
  createdTime: time,
  publishUrl: z.string(),
  globalPublishUrl: z.string(),
  securePublishUrl: z.string().optional(),
  srtUrl: z.string().optional(),
  streamKey: z.string(),
  hold: z.strictObject({ seconds: count, endTime: time.optional(), limitTime: time.optional() }),
  backup: z.strictObject({ enabled: z.boolean() }),
  latency: z.enum(["efficient", "low"]),
  freeze: z.strictObject({ mediaSeconds: count, videoSeconds: count }),
  recording: recordingStatus,
  backupStreamKey: z.string().optional(),
  ingestAuth: z.strictObject({ id: z.string(), password: z.string() }).optional(),
  srtPassphrase: z.string().optional(),
  platformCount: count,
  totalPublishSeconds: count,
  recentPublishStartTime: time.optional(),
  recentPublishTime: time.optional(),
  alertOn: z.boolean(),
  alertOptions: z
    .strictObject({ alertChangeStatus: z.boolean(), alertVodUploadFail: z.boolean(), alertReStreamFail: z.boolean() })
    .optional(),
  callbackEndpoint: z.string().optional(),
  ingest: ingest.optional(),
};

const accessKey = {
  accessKey: z.string(),
  role: z.enum(["manager", "viewer"]),
  name: z.string().optional(),
  createdTime: time,
  lastUsedTime: time.optional(),
};

const preset = {
  targetName: z.enum(PLATFORM_NAMES),
  displayName: z.string(),
  displayNameKo: z.string(),
  rtmpUrls: z.array(z.string()),
  backupRtmpUrls: z.array(z.string()),
  urlHelp: z.string().optional(),
  urlHelpKo: z.string().optional(),
  keyHelp: z.string(),
  keyHelpKo: z.string(),
  failureHelp: z.string().optional(),
  failureHelpKo: z.string().optional(),
  keyPageUrl: z.string().optional(),
  livePageUrl: z.string().optional(),
  limits: z.strictObject({
    videoCodecs: z.array(z.string()).optional(),
    audioCodecs: z.array(z.string()).optional(),
    videoBytesPerSecondMax: count.optional(),
    audioBytesPerSecondMax: count.optional(),
    keyframeSecondsAdvised: count.optional(),
    keyframeSecondsMax: count.optional(),
    frameRateMax: count.optional(),
    heightMax: count.optional(),
    bFramesMax: count.optional(),
    sampleRates: z.array(count).optional(),
    audioChannelsMax: count.optional(),
    tracksNeeded: z.array(z.enum(["audio", "video"])).optional(),
    unknown: z.array(z.string()),
  }),
  confidence: z.enum(["documented", "reported", "unknown"]),
  sources: z.array(z.string()),
};

const encoderSetting = z.enum([
  ...["videoCodec", "height", "frameRate", "videoBytesPerSecond", "keyframeSeconds", "bFrames"],
  ...["audioCodec", "audioBytesPerSecond", "sampleRate", "audioChannels"],
] as const);

const node = {
  incarnation: z.int().min(1),
  nodeId: z.string(),
  version: z.string(),
  nodeState: z.enum(OWNER_STATES),
  isSelf: z.boolean(),
  heardSecondsAgo: count.optional(),
  channelCount: count.optional(),
  egressBitsPerSecond: count.optional(),
  capacityBitsPerSecond: count.optional(),
  loopDelayMilliseconds: count.optional(),
  relayedCount: count.optional(),
  drainEndTime: time.optional(),
};

/** The objects of answers and of the live stream, by their names in the published document. */
export const ANSWER_SCHEMAS = {
  Channel: z.strictObject(channel),
  ChannelWithPlatforms: z.strictObject({ ...channel, restream: z.array(z.strictObject(platformSettings)) }),
  ChannelWithWebhookSecret: z.strictObject({ ...channel, webhookSecret: z.string().optional() }),
  PlatformSettings: z.strictObject(platformSettings),
  Platform: z.strictObject(platform),
  PlatformTest: z.strictObject({
    ok: z.boolean(),
    stage: z.enum(["resolve", "connect", "tls", "handshake", "login", "publish"]),
    lastError: targetError.optional(),
    milliseconds: z.number().min(0),
  }),
  PreviewToken: z.strictObject({ url: z.string(), expiresTime: time }),
  Preset: z.strictObject(preset),
  RecommendedSettings: z.strictObject({
    settings: z.array(
      z.strictObject({ setting: encoderSetting, value: z.union([z.string(), z.number()]), platIds: z.array(z.int()) }),
    ),
    refusedCodecs: z.array(z.strictObject({ codec: z.string(), platIds: z.array(z.int()) })),
    conflicts: z.array(z.strictObject({ setting: encoderSetting, platIds: z.array(z.int()) })),
  }),
  Recording: z.strictObject(recording),
  AccessKey: z.strictObject(accessKey),
  NewAccessKey: z.strictObject({ ...accessKey, secretKey: z.string() }),
  ...eventSchemas,
  ...contactSchemas,
  ...sourceSchemas,
  LiveSnapshot: z.strictObject({
    time: z.int(),
    channels: z.array(z.strictObject({ ...channel, platforms: z.array(z.strictObject(platform)) })),
  }),
  LiveChannel: z.union([
    z.strictObject({ ...channel, platforms: z.array(z.strictObject(platform)) }),
    z.strictObject({ channelId: z.string(), channelStatus: z.literal("DELETED") }),
  ]),
  LivePlatform: z.strictObject({ channelId: z.string(), ...platform }),
  Node: z.strictObject(node),
  MovedNode: z.strictObject({
    ...node,
    movingCount: count.optional(),
    staying: z
      .array(
        z.strictObject({
          channelId: z.string(),
          stayReason: z.enum(["SOURCE", "TEST_PATTERN", "ENCODER_LOST"]),
          message: z.string(),
          messageKo: z.string(),
        }),
      )
      .optional(),
  }),
  LiveServer: z.strictObject({
    troubles: z.array(
      z.strictObject({ trouble: z.string(), sinceTime: time, message: z.string(), messageKo: z.string() }),
    ),
  }),
  LiveSample: z.strictObject({
    channelId: z.string(),
    time,
    ingest: z.strictObject({ bytesPerSecond: count }),
    platforms: z.array(
      z.strictObject({
        platId: z.int(),
        bytesPerSecond: count,
        queueMilliseconds: count,
        droppedFrames: count,
        droppedFramesByCause: dropsByCause.optional(),
        stability: z.enum(["stable", "unstable"]),
        delay: delay.optional(),
      }),
    ),
  }),
} as const;

export type AnswerName = keyof typeof ANSWER_SCHEMAS;

/** The two forms of an error answer. */
export const ERROR_SCHEMAS = {
  GatewayError: z.strictObject({
    error: z.strictObject({ errorCode: z.string(), message: z.string(), details: z.string() }),
  }),
  ServiceError: z.strictObject({
    error: z.strictObject({
      errorCode: z.int(),
      message: z.string(),
      errorName: z.string(),
      details: z.string().optional(),
      hint: z.string().optional(),
      hintKo: z.string().optional(),
    }),
  }),
} as const;
