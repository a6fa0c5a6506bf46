import type { Channel } from "../channels.ts";
import type { Platform } from "../platforms.ts";
import { counted } from "../table.ts";
import { changesOf, changesText, type FieldChange } from "./apply-changes.ts";
import { type ContactStep, contactStepText } from "./apply-contacts.ts";
import type { WantedChannel, WantedPlatform } from "./apply-file.ts";
import { type PresentPull, type PullChange, pullChange, pullText } from "./apply-pull.ts";
import {
  FileNames,
  type PresentSchedule,
  type ScheduleStep,
  scheduleSteps,
  scheduleStepText,
} from "./apply-schedules.ts";

/** What a server has. */
export type Present = {
  readonly channel: Channel;
  readonly platforms: readonly Platform[];
  /** Absent where nobody asked for it. */
  readonly pull?: PresentPull;
  readonly schedules?: readonly PresentSchedule[];
};

export type Step =
  | ScheduleStep
  | ContactStep
  | { readonly kind: "create-channel"; readonly wanted: WantedChannel }
  | {
      readonly kind: "change-channel";
      readonly channel: Channel;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly changes: readonly FieldChange[];
    }
  | {
      readonly kind: "set-pull";
      readonly channel: Channel;
      readonly change: PullChange;
      readonly isRunning: boolean;
    }
  | { readonly kind: "delete-channel"; readonly channel: Channel }
  | { readonly kind: "add-platform"; readonly channel: Channel; readonly wanted: WantedPlatform }
  | {
      readonly kind: "change-platform";
      readonly channel: Channel;
      readonly platform: Platform;
      readonly wanted: WantedPlatform;
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: "remove-platform"; readonly channel: Channel; readonly platform: Platform };

/** The fields that a file of channels may set, beside names; `fanfare export` writes the same. */
export const CHANNEL_FIELDS = [
  "planType",
  "envType",
  "labels",
  "hold",
  "backup",
  "latency",
  "freeze",
  "ingestAuth",
  "srtPassphrase",
  "alertOn",
  "alertOptions",
  "recording",
] as const;
export const PLATFORM_FIELDS = [
  "rtmpUrl",
  "streamKey",
  "id",
  "password",
  "enabled",
  "label",
  "bufferPolicy",
  "tracks",
  "timedData",
  "silentAudio",
  "delaySeconds",
  "windows",
  "tls",
] as const;
/** A change of these needs no new connection. */
const HARMLESS = new Set([
  "label",
  "windows",
  "planType",
  "envType",
  "labels",
  "hold",
  "alertOn",
  "alertOptions",
  "recording",
  "srtPassphrase",
]);

const NO_FILES = new FileNames([]);

/**
 * The steps from what is there to what is wanted, and nothing else: fields and, unless `isPruning`, channels and platforms that the
 * file does not name stay. Channels are known by their names, platforms by their labels, or by platform and place.
 * `names`: the server's files, which schedules name.
 */
export function planOf(
  wanted: readonly WantedChannel[],
  present: readonly Present[],
  isPruning: boolean,
  names = NO_FILES,
): readonly Step[] {
  const steps: Step[] = [];
  for (const one of wanted) {
    const found = present.find(({ channel }) => channel.channelName === one.channelName);
    if (found === undefined) {
      for (const { files } of one.schedules ?? []) names.idsOf(files);
      steps.push({ kind: "create-channel", wanted: one });
    } else {
      steps.push(...channelSteps(one, found, isPruning));
      steps.push(...scheduleSteps(found.channel, one.schedules, found.schedules ?? [], names, isPruning));
    }
  }
  if (!isPruning) return steps;
  const wantedNames = new Set(wanted.map(({ channelName }) => channelName));
  for (const { channel } of present) {
    if (!wantedNames.has(channel.channelName)) steps.push({ kind: "delete-channel", channel });
  }
  return steps;
}

function channelSteps(
  wanted: WantedChannel,
  { channel, platforms, pull = { isRunning: false } }: Present,
  isPruning: boolean,
): readonly Step[] {
  const steps: Step[] = [];
  const changes = changesOf(CHANNEL_FIELDS, wanted, channel);
  if (changes.length > 0) {
    const fields = Object.fromEntries(changes.map(({ field }) => [field, wanted[field as keyof WantedChannel]]));
    steps.push({ kind: "change-channel", channel, fields, changes });
  }
  const change = pullChange(wanted.pull, pull);
  if (change !== undefined) steps.push({ kind: "set-pull", channel, change, isRunning: pull.isRunning });
  const left = [...platforms];
  for (const one of wanted.restream) {
    const index = left.findIndex((platform) => isSame(one, platform));
    const [platform] = index < 0 ? [] : left.splice(index, 1);
    if (platform === undefined) {
      steps.push({ kind: "add-platform", channel, wanted: one });
      continue;
    }
    const edits = changesOf(PLATFORM_FIELDS, one, platform);
    if (edits.length > 0) steps.push({ kind: "change-platform", channel, platform, wanted: one, changes: edits });
  }
  if (isPruning) steps.push(...left.map((platform) => ({ kind: "remove-platform", channel, platform }) as const));
  return steps;
}

function isSame(wanted: WantedPlatform, platform: Platform): boolean {
  if (wanted.targetName !== platform.targetName) return false;
  return (wanted.label ?? undefined) === platform.label || platform.label === undefined || wanted.label == null;
}

/** True where the step ends or restarts something that is on air. */
export function disturbs(step: Step): boolean {
  switch (step.kind) {
    case "create-channel":
    case "add-platform":
    // What plays of a schedule plays on.
    case "add-schedule":
    case "change-schedule":
    case "remove-schedule":
    case "create-contact":
    case "change-contact":
    case "remove-contact":
      return false;
    case "change-channel":
      return step.channel.isPublishing && step.changes.some(({ field }) => !HARMLESS.has(field));
    case "delete-channel":
      return step.channel.isPublishing;
    case "set-pull":
      return step.isRunning && step.channel.isPublishing;
    case "change-platform":
      return isSending(step.platform) && step.changes.some(({ field }) => !HARMLESS.has(field));
    case "remove-platform":
      return isSending(step.platform);
  }
}

function isSending({ connectStatus }: Platform): boolean {
  return connectStatus === "PUBLISHING" || connectStatus === "CONNECTING";
}

/** One step as a line for people: `~ platform TWITCH of show: bufferPolicy "drop" → "disconnect"`. */
export function stepText(step: Step): string {
  const note = disturbs(step) ? "  (on air)" : "";
  switch (step.kind) {
    case "create-channel":
      return `+ channel ${step.wanted.channelName} with ${counted(step.wanted.restream.length, "platform")}`;
    case "change-channel":
      return `~ channel ${step.channel.channelName}: ${changesText(step.changes)}${note}`;
    case "set-pull":
      return `~ source of ${step.channel.channelName}: ${pullText(step.change)}${note}`;
    case "delete-channel":
      return `- channel ${step.channel.channelName}${note}`;
    case "add-platform":
      return `+ platform ${nameOf(step.wanted)} of ${step.channel.channelName}`;
    case "change-platform":
      return `~ platform ${nameOf(step.platform)} of ${step.channel.channelName}: ${changesText(step.changes)}${note}`;
    case "remove-platform":
      return `- platform ${nameOf(step.platform)} of ${step.channel.channelName}${note}`;
    case "add-schedule":
    case "change-schedule":
    case "remove-schedule":
      return scheduleStepText(step);
    default:
      return contactStepText(step);
  }
}

function nameOf({
  targetName,
  label,
}: {
  readonly targetName: string;
  readonly label?: string | null | undefined;
}): string {
  return label == null || label === "" ? targetName : `${targetName} (${label})`;
}
