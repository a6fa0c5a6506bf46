import { unreachable } from "../../base/unreachable.ts";
import type { EventDraft, EventSubject, NewEvent } from "./events.ts";

/**
 * The event as stored: with the names of its channel and target, as in `channel001 channel publishing has ended.`, and
 * whether the channel's webhook gets it.
 */
export function completeEvent(event: EventDraft, subject: EventSubject): NewEvent {
  const { text, channelName = subject.name, target, ...body } = event;
  const { targetId } = body;
  const name = target ?? (targetId === undefined ? undefined : subject.targets.get(targetId));
  const platform = name === undefined ? `(${targetId})` : `${name.targetName} (${targetId})`;
  return {
    ...body,
    ...(name === undefined ? {} : { targetName: name.targetName }),
    ...(name?.label === undefined ? {} : { targetLabel: name.label }),
    description: `${channelName} channel ${text(`platform ${platform}`)}.`,
    isForWebhook: isForWebhook(event, subject.alerts),
  };
}

/**
 * A channel whose alerts were never set gets webhooks of everything; another gets the chosen kinds. Changes of settings
 * are always sent.
 */
function isForWebhook(
  { code, from, to }: EventDraft,
  { isOn, ofChannelStatus, ofTargetFailures, ofVodUploads }: EventSubject["alerts"],
) {
  if (!isOn) return true;
  switch (code) {
    case "STREAM_RESERVE":
    case "STREAM_UPDATE":
    case "SERVER_CHANGED":
      return true;
    case "SIMULCAST_STATUS_CHANGE":
      // A failure began or ended.
      return ofTargetFailures && (from === "FAIL" || to === "FAIL");
    case "RECORDING_FAIL":
    case "VOD_UPLOAD_FAIL":
      return ofVodUploads;
    case "PUBLISH_START":
    case "PUBLISH_END":
    case "RTMP_MAIN_STREAM_ENABLED":
    case "RTMP_BACKUP_STREAM_ENABLED":
    case "BACKUP_SESSION_STREAMING_CONNECTED":
    case "PUBLISH_OVER_THRESHOLD":
    case "INGEST_HELD":
    case "HOLD_EXTENDED":
    case "INGEST_RESUMED":
    case "SLATE_SHOWN":
    case "SLATE_FAILED":
    case "BROADCAST_MOVED":
    case "VIDEO_FROZEN":
    case "VIDEO_RESUMED":
    case "AUDIO_SILENT":
    case "AUDIO_RETURNED":
    case "ENCODERS_FIGHT":
    case "ENCODER_REPLACED":
    case "TEST_PATTERN_ENDED":
    case "PLATFORM_TESTED":
    case "BACKUP_DIFFERS":
    case "AUTH_FAILED":
    case "ENCODER_REFUSED":
    case "SERVER_OVERLOADED":
    case "SOURCE_STARTED":
    case "SOURCE_ENDED":
    case "SOURCE_FAILED":
    case "SCHEDULE_STARTED":
    case "SCHEDULE_MISSED":
    case "RECORDING_START":
    case "RECORDING_END":
    case "VOD_UPLOAD_END":
      return ofChannelStatus;
    default:
      return unreachable(code);
  }
}
