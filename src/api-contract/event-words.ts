/**
 * The closed lists that events, reports and deliveries choose their words from, as published. The dashboard has a text for each in
 * every language; a word of the server that is missing here does not compile.
 */

/** `lastError.code`. */
export const TARGET_ERROR_CODES = [
  "DNS_FAILED",
  "TCP_REFUSED",
  "TCP_TIMEOUT",
  "TCP_RESET",
  "TLS_FAILED",
  "HANDSHAKE_FAILED",
  "CONNECT_REJECTED",
  "AUTH_FAILED",
  "PUBLISH_REJECTED",
  "STREAM_KEY_IN_USE",
  "REMOTE_CLOSED",
  "STALLED",
  "TARGET_FORBIDDEN",
  "CODEC_UNSUPPORTED",
  "SERVER_TROUBLE",
] as const;

/** What may not be as it should with a platform that is PUBLISHING. */
export const TARGET_WARNING_CODES = ["SLOW", "WAITS_FOR_KEYFRAME", "WAITS_FOR_MEDIA"] as const;

export const EVENT_CODES = [
  "STREAM_RESERVE",
  "STREAM_UPDATE",
  "PUBLISH_START",
  "PUBLISH_END",
  "SIMULCAST_STATUS_CHANGE",
  "RTMP_MAIN_STREAM_ENABLED",
  "RTMP_BACKUP_STREAM_ENABLED",
  "BACKUP_SESSION_STREAMING_CONNECTED",
  "PUBLISH_OVER_THRESHOLD",
  "INGEST_HELD",
  "HOLD_EXTENDED",
  "INGEST_RESUMED",
  "VIDEO_FROZEN",
  "VIDEO_RESUMED",
  "ENCODERS_FIGHT",
  "BACKUP_DIFFERS",
  "AUTH_FAILED",
  "SERVER_OVERLOADED",
] as const;

/** How an encoder left: of PUBLISH_END and INGEST_HELD, and of the encoder's interruptions in a report. */
export const INGEST_ENDS = [
  "clean",
  "connection-lost",
  "frozen",
  "timed-out",
  "protocol-error",
  "too-many-messages",
  "replaced",
  "removed",
  "ended",
  "hold-expired",
  "shutdown",
] as const;

/** How a broadcast ended. */
export const BROADCAST_ENDS = [...INGEST_ENDS, "server-lost"] as const;

/** Which rate stays above a platform's limit: of PUBLISH_OVER_THRESHOLD. */
const RATE_REASONS = ["VIDEO_BITRATE_HIGH", "AUDIO_BITRATE_HIGH"] as const;

/** What was changed: of STREAM_UPDATE. */
const CHANGE_REASONS = [
  "deleted",
  "settings-changed",
  "blocked",
  "unblocked",
  "stream-key-renewed",
  "backup-key-renewed",
  "callback-changed",
  "target-added",
  "target-edited",
  "target-removed",
  "target-turned-on",
  "target-turned-off",
] as const;

export const EVENT_REASONS = [...TARGET_ERROR_CODES, ...INGEST_ENDS, ...RATE_REASONS, ...CHANGE_REASONS] as const;

export type EventCodeWord = (typeof EVENT_CODES)[number];
export type BroadcastEndWord = (typeof BROADCAST_ENDS)[number];
export type RateReasonWord = (typeof RATE_REASONS)[number];
export type ChangeReasonWord = (typeof CHANGE_REASONS)[number];

export const DELIVERY_STATES = ["WAITING", "DELIVERED", "FAILED", "CANCELLED"] as const;

/** Why an attempt at a delivery brought no answer. */
export const DELIVERY_PROBLEMS = [
  "ADDRESS_FORBIDDEN",
  "DNS_FAILED",
  "CONNECTION_FAILED",
  "SERVER_TROUBLE",
  "TLS_FAILED",
  "TIMEOUT",
  "ANSWER_UNREADABLE",
] as const;
