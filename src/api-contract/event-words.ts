import { INGEST_ENDS } from "../thread-protocol/facts.ts";
import { RECORDING_PROBLEMS } from "../thread-protocol/recordings/recordings.ts";
import { TARGET_ERROR_CODES } from "../thread-protocol/targets/target-status.ts";

/**
 * The closed lists of words in events, reports and deliveries, as published. The server's types are derived from them,
 * and the dashboard has a text for each word in every language.
 */

/** What an event can be about. */
export const EVENT_CODES = [
  /** A channel was created. */
  "STREAM_RESERVE",
  /** A channel's or a target's settings changed. */
  "STREAM_UPDATE",
  "PUBLISH_START",
  "PUBLISH_END",
  /** A target settled in another status. */
  "SIMULCAST_STATUS_CHANGE",
  "RTMP_MAIN_STREAM_ENABLED",
  "RTMP_BACKUP_STREAM_ENABLED",
  "BACKUP_SESSION_STREAMING_CONNECTED",
  /** The encoder sends more than a target accepts. */
  "PUBLISH_OVER_THRESHOLD",
  // The codes from here on are ours: the original ends a broadcast when its encoder is lost.
  /** The encoder was lost; targets are held. */
  "INGEST_HELD",
  /** Viewers see the channel's slate in the hold, instead of the last frame. */
  "SLATE_SHOWN",
  /** The channel's slate does not fit its stream, or could not be made: viewers would see the last frame in a hold. */
  "SLATE_FAILED",
  /** A person extended the hold. */
  "HOLD_EXTENDED",
  /** Media flows again. */
  "INGEST_RESUMED",
  /** The broadcast goes on at another server. */
  "BROADCAST_MOVED",
  "VIDEO_FROZEN",
  "VIDEO_RESUMED",
  /** The audio has been digital silence for 20 s; it has sound again. */
  "AUDIO_SILENT",
  "AUDIO_RETURNED",
  /** Two encoders with the same key replace each other. */
  "ENCODERS_FIGHT",
  /** Another encoder with the same key took its place. */
  "ENCODER_REPLACED",
  /** An encoder took over from the test pattern. */
  "TEST_PATTERN_ENDED",
  /** A person tested a platform. */
  "PLATFORM_TESTED",
  /** The backup encoder differs from the one on air. */
  "BACKUP_DIFFERS",
  /** An encoder without the channel's login, or with a wrong one, was rejected. */
  "AUTH_FAILED",
  /** An encoder with the key of a channel that is turned off was rejected. */
  "ENCODER_REFUSED",
  "SERVER_OVERLOADED",
  /** A source of the channel plays: files of this server. */
  "SOURCE_STARTED",
  /** It has ended, was stopped, or an encoder took over. */
  "SOURCE_ENDED",
  /** It cannot be played. */
  "SOURCE_FAILED",
  /** Files began to play by schedule. */
  "SCHEDULE_STARTED",
  /** A start of a schedule was missed. */
  "SCHEDULE_MISSED",
  /** A channel is recorded from now on. */
  "RECORDING_START",
  /** Its recording ended as intended. */
  "RECORDING_END",
  /** A channel on air is not recorded, although it should be. */
  "RECORDING_FAIL",
  /** A recording was uploaded. */
  "VOD_UPLOAD_END",
  /** A recording could not be uploaded; it is tried again. */
  "VOD_UPLOAD_FAIL",
  /** Settings of the server as a whole changed: access keys, the password, the default webhook. Only for webhooks. */
  "SERVER_CHANGED",
] as const;
export type EventCode = (typeof EVENT_CODES)[number];

export const EVENT_LEVELS = ["INFO", "WARN", "ERROR"] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];

/** How a broadcast ended; `server-lost`: the process ended without being able to say so. */
export const BROADCAST_ENDS = [...INGEST_ENDS, "server-lost"] as const;
export type BroadcastEnd = (typeof BROADCAST_ENDS)[number];

/** The rate that stays above a platform's limit: the reasons of PUBLISH_OVER_THRESHOLD. */
export const RATE_REASONS = ["VIDEO_BITRATE_HIGH", "AUDIO_BITRATE_HIGH"] as const;
export type RateReason = (typeof RATE_REASONS)[number];

/** Why a start of a schedule was missed: the reasons of SCHEDULE_MISSED. */
export const MISSED_REASONS = [
  /** The server was down or stood still, or it died in the middle of the start. */
  "server-down",
  /** The server's clock was set past it, or the machine slept. */
  "clock-jumped",
  /** The database took no record of it. */
  "database-unavailable",
  /** A source never interrupts an encoder. */
  "encoder-on-air",
  "channel-off",
  "server-overloaded",
  "ffmpeg-missing",
  /** None of its files is on the server that should play them, checked and ready. */
  "files-missing",
  /** Another schedule of the channel started at the same moment. */
  "conflict",
  /** A mistake of this program. */
  "internal",
] as const;
export type MissedReason = (typeof MISSED_REASONS)[number];

/** What happens to a start that was missed: it is only reported, or joined where it would be now. */
export const CATCH_UPS = ["none", "join"] as const;
export type CatchUp = (typeof CATCH_UPS)[number];

/** What was changed: the reasons of STREAM_UPDATE. */
export const CHANGE_REASONS = [
  "deleted",
  "settings-changed",
  "renamed",
  "labels-changed",
  "end-requested",
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
  "window-opened",
  "window-closed",
  "test-pattern-started",
  "test-pattern-stopped",
  "source-changed",
  "source-started",
  "source-stopped",
  "schedule-changed",
  "schedule-removed",
  "recording-deleted",
  "slate-changed",
  "curtain-closed",
  "curtain-opened",
] as const;
export type ChangeReason = (typeof CHANGE_REASONS)[number];

/** A change by a use case, of a channel or of one of its targets. The first three have an event code of their own. */
export type ChannelChange = "created" | "hold-extended" | "target-tested" | ChangeReason;

/** Why something happened, or what was changed. */
export const EVENT_REASONS = [
  ...TARGET_ERROR_CODES,
  ...BROADCAST_ENDS,
  ...RATE_REASONS,
  ...CHANGE_REASONS,
  ...RECORDING_PROBLEMS,
  ...MISSED_REASONS,
] as const;
export type EventReason = (typeof EVENT_REASONS)[number];

/** `CANCELLED`: the endpoint was removed, or it is gone. */
export const DELIVERY_STATES = ["WAITING", "DELIVERED", "FAILED", "CANCELLED"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why an attempt at a delivery got no answer. */
export const DELIVERY_PROBLEMS = [
  /** This server may not connect to the address. */
  "ADDRESS_FORBIDDEN",
  "DNS_FAILED",
  "CONNECTION_FAILED",
  "SERVER_TROUBLE",
  "TLS_FAILED",
  "TIMEOUT",
  /** The answer is not HTTP. */
  "ANSWER_UNREADABLE",
] as const;
export type DeliveryProblem = (typeof DELIVERY_PROBLEMS)[number];
