import type { ChannelChange, EventCode, EventLevel } from "../../api-contract/event-words.ts";
import { unreachable } from "../../base/unreachable.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { Fact, IngestEnd } from "../../thread-protocol/facts.ts";
import { type RecordingProblem, recordingSentence } from "../../thread-protocol/recordings/recordings.ts";
import type { ConnectStatus, TargetError } from "../../thread-protocol/targets/target-status.ts";
import type { PullStatus, SourceReason } from "../channels/source.ts";
import type {
  BroadcastLost,
  ChannelChanged,
  OverThreshold,
  RecordingUploaded,
  ScheduleRan,
  SilenceChanged,
  SlateFailed,
  SourceChanged,
} from "../facts/server-fact.ts";
import type { EventDraft } from "./events.ts";

type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;
type Moment = { readonly time: number; readonly channelId: ChannelId };

/** Ends of a broadcast that somebody intended. */
const WANTED_ENDS: readonly IngestEnd[] = ["clean", "ended", "removed", "replaced", "test-pattern-over"];

/** Ends of a source that somebody intended. */
const WANTED_SOURCE_ENDS: readonly SourceReason[] = ["finished", "stopped-by-person", "replaced", "schedule-over"];

function draft({ time, channelId }: Moment, code: EventCode, text: string, level: EventLevel = "INFO"): EventDraft {
  return { time, channelId, code, level, text: () => text };
}

/** Descriptions end with a dot of their own. */
function withoutDot(sentence: string): string {
  return sentence.replace(/\.(?=$| \()/, "");
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function changeText(fact: ChannelChanged, platform: string): string {
  const { change, nameBefore, labels = [], error } = fact;
  switch (change) {
    case "created":
      return "has been created";
    case "deleted":
      return "has been deleted";
    case "settings-changed":
      return "settings have been changed";
    case "renamed":
      return `has been renamed, it was ${nameBefore ?? "another"}`;
    case "labels-changed":
      return labels.length === 0 ? "has no labels any more" : `has other labels: ${labels.join(", ")}`;
    case "end-requested":
      return "broadcast has been ended by a person";
    case "target-tested":
      return error === undefined ? `${platform} has passed a test` : `${platform} has failed a test: ${error.code}`;
    case "blocked":
      return "has been turned off";
    case "unblocked":
      return "has been turned on";
    case "stream-key-renewed":
      return "has a new stream key";
    case "backup-key-renewed":
      return "has a new backup stream key";
    case "callback-changed":
      return "callback endpoint has been changed";
    case "hold-extended":
      return "hold has been extended by 60 seconds";
    case "target-added":
      return `${platform} has been added`;
    case "target-edited":
      return `${platform} has been changed`;
    case "target-removed":
      return `${platform} has been removed`;
    case "target-turned-on":
      return `${platform} has been turned on`;
    case "target-turned-off":
      return `${platform} has been turned off`;
    case "window-opened":
      return `${platform} is on: its window has opened`;
    case "window-closed":
      return `${platform} is off: its window has closed`;
    case "test-pattern-started":
      return "test pattern has been started by a person";
    case "test-pattern-stopped":
      return "test pattern has been stopped by a person";
    case "source-changed":
      return "has another source";
    case "source-started":
      return "source has been started by a person";
    case "source-stopped":
      return "source has been stopped by a person";
    case "schedule-changed":
      return "has another schedule";
    case "schedule-removed":
      return "schedule has been removed";
    case "recording-deleted":
      return `recording ${fact.recordingId ?? ""} has been deleted`;
    case "slate-changed":
      return "has another slate";
    case "curtain-closed":
      return "slate has been put in front of the encoder by a person";
    case "curtain-opened":
      return "encoder is shown again";
    default:
      return unreachable(change);
  }
}

function codeOf(change: ChannelChange): Pick<EventDraft, "code" | "reason"> {
  if (change === "created") return { code: "STREAM_RESERVE" };
  if (change === "hold-extended") return { code: "HOLD_EXTENDED" };
  if (change === "target-tested") return { code: "PLATFORM_TESTED" };
  return { code: "STREAM_UPDATE", reason: change };
}

/** A change has the names of its time: the channel may be renamed and the target gone when it is stored. */
export function changed(fact: ChannelChanged): EventDraft {
  const { change, target, channelName, time, channelId, by, error } = fact;
  return {
    ...{ time, channelId, channelName, level: error === undefined ? "INFO" : "WARN" },
    text: (platform) => changeText(fact, platform),
    ...codeOf(change),
    ...(error === undefined ? {} : { reason: error.code }),
    ...(by === undefined ? {} : { by }),
    ...(target === undefined ? {} : { targetId: target.targetId, target }),
  };
}

export function publishStarted(fact: FactOf<"ingest-started">): EventDraft {
  const isTest = fact.testPatternEndTime !== undefined;
  return draft(fact, "PUBLISH_START", `publishing has started${isTest ? " with the test pattern" : ""}`);
}

export function publishEnded(fact: FactOf<"ingest-ended">): EventDraft {
  const level = WANTED_ENDS.includes(fact.end) ? "INFO" : "WARN";
  return { ...draft(fact, "PUBLISH_END", "publishing has ended", level), reason: fact.end };
}

export function broadcastLost(fact: BroadcastLost): EventDraft {
  const text = "publishing has ended, because the server stopped unexpectedly";
  return { ...draft(fact, "PUBLISH_END", text, "ERROR"), reason: "server-lost" };
}

/** Another node goes on with the broadcast. */
export function broadcastMoved(moment: Moment): EventDraft {
  return draft(moment, "BROADCAST_MOVED", "broadcast goes on at another server");
}

/** Media now comes from the channel's other encoder. */
export function slotEnabled(moment: Moment, slot: IngestSlot): EventDraft {
  return slot === "main"
    ? draft(moment, "RTMP_MAIN_STREAM_ENABLED", "main stream has been enabled")
    : draft(moment, "RTMP_BACKUP_STREAM_ENABLED", "backup stream has been enabled", "WARN");
}

export function backupConnected(moment: Moment): EventDraft {
  return draft(moment, "BACKUP_SESSION_STREAMING_CONNECTED", "backup encoder has been connected");
}

export function encoderReplaced(fact: FactOf<"ingest-ended">): EventDraft {
  return draft(fact, "ENCODER_REPLACED", `${fact.slot} encoder has been replaced by another with the same key`);
}

export function testPatternEnded(fact: FactOf<"ingest-ended">): EventDraft {
  return draft(fact, "TEST_PATTERN_ENDED", "test pattern has ended because an encoder took over");
}

export function held(fact: FactOf<"ingest-held">): EventDraft {
  const text = `${fact.slot} encoder has been lost, the broadcast is held for up to ${fact.holdSeconds} seconds`;
  return { ...draft(fact, "INGEST_HELD", text, "WARN"), reason: fact.end };
}

/** Viewers see the slate in a hold. */
export function slateShown(moment: Moment): EventDraft {
  return draft(moment, "SLATE_SHOWN", "slate is shown until the encoder comes back or the hold ends");
}

/** Viewers see the last frame in a hold, although the channel has a slate. */
export function slateFailed(fact: SlateFailed): EventDraft {
  return draft(fact, "SLATE_FAILED", `slate cannot be shown: ${withoutDot(fact.sentence)}`, "WARN");
}

export function resumed(fact: FactOf<"publisher-active">): EventDraft {
  const text = `broadcast goes on with the ${fact.slot} encoder after ${seconds(fact.heldMs)} seconds of hold`;
  return draft(fact, "INGEST_RESUMED", text);
}

export function videoFrozen(fact: FactOf<"video-stopped">): EventDraft {
  const text = `${fact.slot} encoder has sent audio and no video for ${seconds(fact.silentMs)} seconds`;
  return draft(fact, "VIDEO_FROZEN", text, "WARN");
}

export function videoResumed(fact: FactOf<"video-back">): EventDraft {
  return draft(fact, "VIDEO_RESUMED", `video is back after ${seconds(fact.awayMs)} seconds`);
}

export function encodersFight(fact: FactOf<"encoders-fight">): EventDraft {
  return draft(fact, "ENCODERS_FIGHT", `has two encoders with the same ${fact.slot} stream key`, "ERROR");
}

export function backupDiffers(fact: FactOf<"standby-differs">): EventDraft {
  return draft(fact, "BACKUP_DIFFERS", `backup and main encoder differ: ${fact.detail}`, "WARN");
}

/** An encoder of this channel was refused. Of two encoders that fight for a key another fact says more. */
export function encoderRefused(fact: FactOf<"ingest-refused">, channelId: ChannelId): EventDraft {
  const { time, remoteAddress, reason } = fact;
  const encoder = `has rejected an encoder from ${remoteAddress}`;
  const moment = { time, channelId };
  const from = { remoteAddress };
  if (reason === "overloaded") {
    return { ...draft(moment, "SERVER_OVERLOADED", `${encoder}, because the server cannot keep up`, "ERROR"), ...from };
  }
  if (reason === "channel-off") {
    return { ...draft(moment, "ENCODER_REFUSED", `${encoder}, because it is turned off`, "WARN"), ...from };
  }
  return {
    ...draft(moment, "AUTH_FAILED", `${encoder} without the right login`, "WARN"),
    reason: "AUTH_FAILED",
    ...from,
  };
}

export function silenceChanged(fact: SilenceChanged): EventDraft {
  return fact.isOver
    ? draft(fact, "AUDIO_RETURNED", `audio is back after ${fact.seconds} seconds of silence`)
    : draft(fact, "AUDIO_SILENT", `audio has been silent for ${fact.seconds} seconds`, "WARN");
}

/** Nothing for a status that is no news: the next file of a list. */
export function sourceChanged(fact: SourceChanged): EventDraft | undefined {
  const { from, status } = fact;
  if (status.state === from) return undefined;
  if (status.state === "playing") return draft(fact, "SOURCE_STARTED", "source plays");
  if (status.state === "failed" && status.link !== undefined) return pullFailed(fact, status.link);
  if (status.state === "starting" || status.reason === undefined || status.reason === "elsewhere") return undefined;
  const detail = status.detail === undefined ? "" : ` (${status.detail})`;
  if (WANTED_SOURCE_ENDS.includes(status.reason))
    return draft(fact, "SOURCE_ENDED", `source has ended: ${status.reason}${detail}`);
  const text =
    status.state === "failed" ? "source cannot be played now, and is tried again" : "source cannot be played";
  return draft(fact, "SOURCE_FAILED", `${text}: ${status.reason}${detail}`, "ERROR");
}

/** Once for each loss: the attempts after it are no news. */
function pullFailed(fact: SourceChanged, { lastError, retryAttempt }: PullStatus): EventDraft | undefined {
  if (lastError === undefined || (fact.from !== "playing" && retryAttempt !== 1)) return undefined;
  const failed = draft(fact, "SOURCE_FAILED", `source cannot be fetched: ${lastError.message}`, "ERROR");
  return { ...failed, reason: lastError.code };
}

export function scheduleRan(fact: ScheduleRan): EventDraft {
  const { name, scheduleId, dueTime, reason } = fact;
  const which = `schedule ${name === "" ? scheduleId : name} of ${new Date(dueTime).toISOString()}`;
  if (reason === undefined) return draft(fact, "SCHEDULE_STARTED", `${which} has started`);
  return { ...draft(fact, "SCHEDULE_MISSED", `${which} has been missed: ${reason}`, "ERROR"), reason };
}

export function recordingStarted(moment: Moment): EventDraft {
  return draft(moment, "RECORDING_START", "recording has started");
}

export function recordingEnded(moment: Moment): EventDraft {
  return draft(moment, "RECORDING_END", "recording has ended");
}

export function recordingFailed(moment: Moment, problem: RecordingProblem): EventDraft {
  return {
    ...draft(moment, "RECORDING_FAIL", `is not recorded: ${recordingSentence(problem).message}`, "ERROR"),
    reason: problem,
  };
}

/** The words of the store say what is wrong; they hold no secret. */
export function uploadChanged({ time, channelId, recordingId, upload }: RecordingUploaded): EventDraft {
  const moment = { time, channelId };
  if (upload.state === "UPLOADED") return draft(moment, "VOD_UPLOAD_END", `recording ${recordingId} has been uploaded`);
  const text = `recording ${recordingId} could not be uploaded and is tried again: ${upload.detail ?? "unknown"}`;
  return draft(moment, "VOD_UPLOAD_FAIL", text, "ERROR");
}

/** Rates are in kilobits, as in encoders' settings. */
export function overThreshold({ targetId, reason, bytesPerSecond, limit, time, channelId }: OverThreshold): EventDraft {
  const what = reason === "VIDEO_BITRATE_HIGH" ? "video" : "audio";
  const [rate, most] = [bytesPerSecond, limit].map((bytes) => Math.round((bytes * 8) / 1_000));
  return {
    ...{ time, channelId, code: "PUBLISH_OVER_THRESHOLD", level: "WARN", targetId, reason },
    text: (platform) => `${what} of ${rate} kbit/s stays above the ${most} kbit/s of ${platform}`,
  };
}

/** A target settled in `to`; `from` is where it had settled before. */
export function targetSettled(
  { time, channelId, targetId }: FactOf<"target-status">,
  from: ConnectStatus,
  to: ConnectStatus,
  error: TargetError | undefined,
): EventDraft {
  const cause = error === undefined ? "" : `: ${error.code}`;
  const level = error === undefined ? "INFO" : error.severity === "fatal" ? "ERROR" : "WARN";
  return {
    ...{ time, channelId, code: "SIMULCAST_STATUS_CHANGE", level, targetId, from, to },
    text: (platform) => `${platform} status has been changed from ${from} to ${to}${cause}`,
    ...(error === undefined ? {} : { reason: error.code }),
  };
}
