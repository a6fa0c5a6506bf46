import { unreachable } from "../../base/unreachable.ts";
import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { TargetName } from "../channels/channel.ts";
import type { ChannelNotice } from "../channels/channel-notice.ts";
import type { EventBody, EventCode, EventLevel, EventSubject, NewEvent } from "./events.ts";
import type { Occurrence } from "./events-tracker.ts";

/** Ends of a broadcast that somebody wanted. */
const WANTED_ENDS: readonly IngestEnd[] = ["clean", "ended", "removed", "replaced"];

function noticeText({ kind, target }: ChannelNotice): string {
  const platform = target === undefined ? "platform" : `platform ${platformName(target, target.targetId)}`;
  switch (kind) {
    case "created":
      return "has been created";
    case "deleted":
      return "has been deleted";
    case "settings-changed":
      return "settings have been changed";
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
    default:
      return unreachable(kind);
  }
}

function platformName(name: TargetName | undefined, targetId: TargetId): string {
  return name === undefined ? `(${targetId})` : `${name.targetName} (${targetId})`;
}

/** The target an event is about, under the name of then. */
function about(targetId: TargetId, name?: TargetName): Pick<EventBody, "targetId" | "targetName" | "targetLabel"> {
  if (name === undefined) return { targetId };
  const { targetName, label } = name;
  return { targetId, targetName, ...(label === undefined ? {} : { targetLabel: label }) };
}

type Told = Omit<EventBody, "channelId" | "time" | "description"> & { readonly text: string };

function told(code: EventCode, text: string, level: EventLevel = "INFO"): Told {
  return { code, level, text };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function settledText(
  { from, to, targetId, error }: Extract<Occurrence, { kind: "target-settled" }>,
  name?: TargetName,
): Told {
  const cause = error === undefined ? "" : `: ${error.code}`;
  const level = error === undefined ? "INFO" : error.severity === "fatal" ? "ERROR" : "WARN";
  return {
    ...told(
      "SIMULCAST_STATUS_CHANGE",
      `platform ${platformName(name, targetId)} status has been changed from ${from} to ${to}${cause}`,
      level,
    ),
    ...about(targetId, name),
    from,
    to,
    ...(error === undefined ? {} : { reason: error.code }),
  };
}

/** In kilobits, as encoders' settings have it. */
function overText(
  { targetId, cause, bytesPerSecond, limit }: Extract<Occurrence, { kind: "over-threshold" }>,
  name?: TargetName,
): Told {
  const what = cause === "VIDEO_BITRATE_HIGH" ? "video" : "audio";
  const [rate, most] = [bytesPerSecond, limit].map((bytes) => Math.round((bytes * 8) / 1_000));
  const text = `${what} of ${rate} kbit/s stays above the ${most} kbit/s of platform ${platformName(name, targetId)}`;
  return { ...told("PUBLISH_OVER_THRESHOLD", text, "WARN"), ...about(targetId, name), reason: cause };
}

function tell(occurrence: Occurrence, targets: EventSubject["targets"]): Told {
  switch (occurrence.kind) {
    case "notice": {
      const { notice } = occurrence;
      const { kind, target } = notice;
      if (kind === "hold-extended") return told("HOLD_EXTENDED", noticeText(notice));
      const code = kind === "created" ? "STREAM_RESERVE" : "STREAM_UPDATE";
      return {
        ...told(code, noticeText(notice)),
        ...(target === undefined ? {} : about(target.targetId, target)),
        ...(kind === "created" ? {} : { reason: kind }),
      };
    }
    case "publish-started":
      return told("PUBLISH_START", "publishing has started");
    case "publish-ended": {
      const { end } = occurrence;
      return {
        ...told("PUBLISH_END", "publishing has ended", WANTED_ENDS.includes(end) ? "INFO" : "WARN"),
        reason: end,
      };
    }
    case "slot-enabled":
      return occurrence.slot === "main"
        ? told("RTMP_MAIN_STREAM_ENABLED", "main stream has been enabled")
        : told("RTMP_BACKUP_STREAM_ENABLED", "backup stream has been enabled", "WARN");
    case "backup-connected":
      return told("BACKUP_SESSION_STREAMING_CONNECTED", "backup encoder has been connected");
    case "held": {
      const { slot, end, holdSeconds } = occurrence;
      const text = `${slot} encoder has been lost, the broadcast is held for up to ${holdSeconds} seconds`;
      return { ...told("INGEST_HELD", text, "WARN"), reason: end };
    }
    case "resumed": {
      const { slot, heldMs } = occurrence;
      return told(
        "INGEST_RESUMED",
        `broadcast goes on with the ${slot} encoder after ${seconds(heldMs)} seconds of hold`,
      );
    }
    case "video-frozen": {
      const { slot, awayMs } = occurrence;
      const text = `${slot} encoder has sent sound and no video for ${seconds(awayMs)} seconds`;
      return told("VIDEO_FROZEN", text, "WARN");
    }
    case "video-resumed":
      return told("VIDEO_RESUMED", `video is back after ${seconds(occurrence.awayMs)} seconds`);
    case "encoders-fight":
      return told("ENCODERS_FIGHT", `has two encoders with the same ${occurrence.slot} stream key`, "ERROR");
    case "backup-differs":
      return told("BACKUP_DIFFERS", `backup and main encoder differ: ${occurrence.detail}`, "WARN");
    case "overload-refused":
      return told("SERVER_OVERLOADED", "has refused an encoder because the server cannot keep up", "ERROR");
    case "auth-failed":
      return {
        ...told("AUTH_FAILED", "has refused an encoder without the right login", "WARN"),
        reason: "AUTH_FAILED",
      };
    case "over-threshold":
      return overText(occurrence, targets.get(occurrence.targetId));
    case "target-settled":
      return settledText(occurrence, targets.get(occurrence.targetId));
    default:
      return unreachable(occurrence);
  }
}

/**
 * Whether a webhook is to hear of it. Who never asked for alerts gets everything; who did gets the kinds they ask for.
 * Changes of settings always go out.
 */
function isForWebhook({ code, from, to }: Told, { isOn, ofChannelStatus, ofTargetFailures }: EventSubject["alerts"]) {
  if (!isOn) return true;
  switch (code) {
    case "STREAM_RESERVE":
    case "STREAM_UPDATE":
      return true;
    case "SIMULCAST_STATUS_CHANGE":
      // A failure, or that it is over.
      return ofTargetFailures && (from === "FAIL" || to === "FAIL");
    case "PUBLISH_START":
    case "PUBLISH_END":
    case "RTMP_MAIN_STREAM_ENABLED":
    case "RTMP_BACKUP_STREAM_ENABLED":
    case "BACKUP_SESSION_STREAMING_CONNECTED":
    case "PUBLISH_OVER_THRESHOLD":
    case "INGEST_HELD":
    case "HOLD_EXTENDED":
    case "INGEST_RESUMED":
    case "VIDEO_FROZEN":
    case "VIDEO_RESUMED":
    case "ENCODERS_FIGHT":
    case "BACKUP_DIFFERS":
    case "AUTH_FAILED":
    case "SERVER_OVERLOADED":
      return ofChannelStatus;
    default:
      return unreachable(code);
  }
}

/** What happened as an event in the original's words: `channel001 channel publishing has ended.` */
export function describeOccurrence(occurrence: Occurrence, subject: EventSubject): NewEvent {
  const toldBody = tell(occurrence, subject.targets);
  const { text, ...rest } = toldBody;
  // The name as it was then: the channel may have been renamed since.
  const name = occurrence.kind === "notice" ? occurrence.notice.channelName : subject.name;
  return {
    ...rest,
    channelId: occurrence.channelId,
    time: occurrence.time,
    description: `${name} channel ${text}.`,
    isForWebhook: isForWebhook(toldBody, subject.alerts),
  };
}
