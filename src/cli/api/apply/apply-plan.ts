import { isDeepStrictEqual } from "node:util";
import type { Channel } from "../channels.ts";
import { ApiFailure, EXIT } from "../exit-codes.ts";
import type { Platform } from "../platforms.ts";
import { counted, printable } from "../table.ts";
import { changesText, type FieldChange } from "./apply-changes.ts";
import {
  channelChange,
  pairedPlatforms,
  platformChange,
  refuseMaskedPlatform,
  refuseToCreate,
} from "./apply-compare.ts";
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
      /** The body of the call that changes it. */
      readonly fields: Readonly<Record<string, unknown>>;
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: "remove-platform"; readonly channel: Channel; readonly platform: Platform };

/** A change of these needs no new connection. */
const HARMLESS = new Set([
  "label",
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
 * file does not name stay. Channels are known by their names, platforms by their labels, or by platform, address and place.
 * `names`: the server's files, which schedules name. Throws ApiFailure where a name means several channels, and
 * ConfigError for a password that is masked.
 */
export function planOf(
  wanted: readonly WantedChannel[],
  present: readonly Present[],
  isPruning: boolean,
  names = NO_FILES,
): readonly Step[] {
  const steps: Step[] = [];
  for (const one of wanted) {
    const [found, other] = present.filter(({ channel }) => channel.channelName === one.channelName);
    if (other !== undefined) {
      const name = JSON.stringify(one.channelName);
      throw new ApiFailure(
        EXIT.refused,
        `several channels are named ${name}: rename all but one. Nothing was changed.`,
      );
    }
    if (found === undefined) {
      refuseToCreate(one);
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
  const { pairs, left } = pairedPlatforms(wanted.restream, platforms);
  const steps: Step[] = [];
  // First: the plan may have no place for another platform, and a smaller one none for those that are there.
  if (isPruning) steps.push(...left.map((platform) => ({ kind: "remove-platform", channel, platform }) as const));
  const { changes, fields } = channelChange(wanted, channel);
  if (changes.length > 0) steps.push({ kind: "change-channel", channel, fields, changes });
  const change = pullChange(channel.channelName, wanted.pull, pull);
  if (change !== undefined) steps.push({ kind: "set-pull", channel, change, isRunning: pull.isRunning });
  for (const one of wanted.restream) {
    const platform = pairs.get(one);
    if (platform === undefined) {
      refuseMaskedPlatform(channel.channelName, one);
      steps.push({ kind: "add-platform", channel, wanted: one });
      continue;
    }
    const edit = platformChange(channel.channelName, one, platform);
    if (edit.changes.length === 0) continue;
    const { rtmpUrl, streamKey } = one;
    steps.push({
      kind: "change-platform",
      channel,
      platform,
      fields: { rtmpUrl, streamKey, ...edit.fields },
      changes: edit.changes,
    });
  }
  return steps;
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
      return (
        step.channel.isPublishing &&
        step.changes.some(({ field }) => !HARMLESS.has(field) || (field === "hold" && isHeld(step.channel)))
      );
    case "delete-channel":
      return step.channel.isPublishing;
    case "set-pull":
      return step.isRunning && step.channel.isPublishing;
    case "change-platform":
      return isSending(step.platform) && step.changes.some(({ field, to }) => !HARMLESS.has(field) && !isAlways(to));
    case "remove-platform":
      return isSending(step.platform);
  }
}

/** Another time for the hold counts for the one that lasts: it may be over then. */
function isHeld({ hold }: Channel): boolean {
  return hold.endTime !== undefined;
}

/** Windows of a platform that is always on. Others may close it now. */
function isAlways(windows: unknown): boolean {
  return typeof windows === "object" && windows !== null && "open" in windows && isDeepStrictEqual(windows.open, []);
}

function isSending({ connectStatus }: Platform): boolean {
  return connectStatus === "PUBLISHING" || connectStatus === "CONNECTING";
}

/** One step as a line for people: `~ platform TWITCH of show: bufferPolicy "drop" → "disconnect"`. */
export function stepText(step: Step): string {
  return printable(lineOf(step));
}

function lineOf(step: Step): string {
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
