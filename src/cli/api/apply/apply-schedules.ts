import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { createScheduleRequest, timeText } from "../../../api-contract/schemas/schedule-schemas.ts";
import { FILES_MAX } from "../../../api-contract/schemas/source-schemas.ts";
import { secondsOfDay } from "../../../base/calendar/time-text.ts";
import { nextStart } from "../../../base/calendar/timing.ts";
import type { components } from "../../../client/api-types.ts";
import type { FanfareClient } from "../../../client/client.ts";
import { ApiFailure, contentOf, EXIT } from "../exit-codes.ts";
import { changesOf, changesText, type FieldChange, picked } from "./apply-changes.ts";

export type PresentSchedule = components["schemas"]["Schedule"];
export type PresentFile = Pick<components["schemas"]["MediaFile"], "fileId" | "fileName">;

const FILES_RULE = `a list of 1 to ${FILES_MAX} names or ids of files`;

/** A schedule as a file wants it: the body of the call that creates one, with its files by their names. */
export const wantedSchedule = createScheduleRequest.omit({ fileIds: true }).extend({
  files: z
    .array(z.string({ error: FILES_RULE }), { error: FILES_RULE })
    .min(1, { error: FILES_RULE })
    .max(FILES_MAX, { error: FILES_RULE }),
  startAt: timeText,
  endAt: timeText.nullish(),
});
export type WantedSchedule = z.output<typeof wantedSchedule>;

export type ScheduleStep = { readonly channel: { readonly channelId: string; readonly channelName: string } } & (
  | { readonly kind: "add-schedule"; readonly wanted: WantedSchedule }
  | {
      readonly kind: "change-schedule";
      readonly schedule: PresentSchedule;
      readonly wanted: WantedSchedule;
      readonly changes: readonly FieldChange[];
    }
  | { readonly kind: "remove-schedule"; readonly schedule: PresentSchedule }
);

/** The fields beside the name, by which a schedule is known. */
const FIELDS = [
  "files",
  "loop",
  "timeZone",
  "repeat",
  "onDate",
  "days",
  "startAt",
  "endAt",
  "endAfterSeconds",
  "catchUp",
  "paused",
] as const;

/** The library's files by name. Throws ApiFailure where a name means none, or more than one. */
export class FileNames {
  readonly #files: readonly PresentFile[];

  constructor(files: readonly PresentFile[]) {
    this.#files = files;
  }

  /** The names of these files; the id of one whose name another file has too, and of one that is gone. */
  namesOf(fileIds: readonly string[]): readonly string[] {
    return fileIds.map((fileId) => {
      const name = this.#files.find((file) => file.fileId === fileId)?.fileName;
      return name !== undefined && this.#named(name).length === 1 ? name : fileId;
    });
  }

  /** The ids of files that are named by their names or ids. */
  idsOf(words: readonly string[]): readonly string[] {
    return words.map((word) => {
      const [file, other] = this.#named(word);
      if (file === undefined)
        throw new ApiFailure(EXIT.notFound, `the server has no file ${JSON.stringify(word)}; upload it first.`);
      if (other === undefined) return file.fileId;
      throw new ApiFailure(EXIT.refused, `several files are named ${JSON.stringify(word)}: name one by its id.`);
    });
  }

  #named(word: string): readonly PresentFile[] {
    const byId = this.#files.filter(({ fileId }) => fileId === word);
    if (byId.length > 0) return byId;
    const byName = this.#files.filter(({ fileName }) => fileName === word);
    if (byName.length > 0) return byName;
    // A Mac names files in letters that are taken apart (NFD), which look the same and are typed composed.
    return this.#files.filter(({ fileName }) => fileName.normalize() === word.normalize());
  }
}

/**
 * The steps from a channel's schedules to those that a file wants; none where the file has no list of them. Schedules
 * are known by their names. What is over is history: it is not removed.
 */
export function scheduleSteps(
  channel: ScheduleStep["channel"],
  wanted: readonly WantedSchedule[] | null | undefined,
  present: readonly PresentSchedule[],
  names: FileNames,
  isPruning: boolean,
): readonly ScheduleStep[] {
  if (wanted == null) return [];
  const left = [...present];
  const steps = wanted.flatMap((one): readonly ScheduleStep[] => {
    const index = left.findIndex(({ scheduleName }) => scheduleName === (one.scheduleName ?? ""));
    const [schedule] = index < 0 ? [] : left.splice(index, 1);
    const has = schedule === undefined ? [] : names.namesOf(schedule.fileIds);
    // What names no file is told before anything is changed. A schedule may have outlived its files.
    const files = isDeepStrictEqual(one.files, has) ? has : names.namesOf(names.idsOf(one.files));
    if (schedule === undefined) return isPast(one) ? [] : [{ kind: "add-schedule", channel, wanted: one }];
    const changes = changesOf(FIELDS, { ...one, files }, { ...schedule, files: has });
    return changes.length === 0 ? [] : [{ kind: "change-schedule", channel, schedule, wanted: one, changes }];
  });
  const unwanted = isPruning ? left.filter((schedule) => !isOver(schedule)) : [];
  return [...steps, ...unwanted.map((schedule) => ({ kind: "remove-schedule", channel, schedule }) as const)];
}

export async function takeScheduleStep(client: FanfareClient, step: ScheduleStep, names: FileNames): Promise<void> {
  const { channelId } = step.channel;
  if (step.kind === "add-schedule") return addSchedule(client, channelId, step.wanted, names);
  const path = { params: { path: { channelId, scheduleId: step.schedule.scheduleId } } };
  const SCHEDULE = "/re-stream/channels/{channelId}/schedules/{scheduleId}";
  if (step.kind === "remove-schedule") await contentOf(client.DELETE(SCHEDULE, path));
  else await contentOf(client.PUT(SCHEDULE, { ...path, body: bodyOf(step.wanted, names) }));
}

export async function addSchedule(
  client: FanfareClient,
  channelId: string,
  wanted: WantedSchedule,
  names: FileNames,
): Promise<void> {
  const body = bodyOf(wanted, names);
  await contentOf(client.POST("/re-stream/channels/{channelId}/schedules", { params: { path: { channelId } }, body }));
}

/** Absent and null are the same to the server. */
function bodyOf({ files, ...wanted }: WantedSchedule, names: FileNames) {
  return { ...wanted, fileIds: [...names.idsOf(files)] } as never;
}

/** A schedule as `fanfare export` writes it; undefined for one that is over. */
export function exportedSchedule(schedule: PresentSchedule, names: FileNames): object | undefined {
  if (isOver(schedule)) return undefined;
  return picked({ ...schedule, files: names.namesOf(schedule.fileIds) }, ["scheduleName", ...FIELDS]);
}

/** True for one start that has passed: the server creates no such schedule, as `fanfare export` writes none. */
export function isPast({ repeat, onDate, startAt, timeZone: zone, paused }: WantedSchedule): boolean {
  if (repeat !== "once" || onDate == null || paused === true) return false;
  const timing = { timeZone: zone, atSeconds: secondsOfDay(startAt), repeat: { kind: "once", date: onDate } } as const;
  return nextStart(timing, Date.now()) === undefined;
}

function isOver({ paused, nextTimes }: PresentSchedule): boolean {
  return !paused && nextTimes.length === 0;
}

/** One step as a line for people. */
export function scheduleStepText(step: ScheduleStep): string {
  const of = `of ${step.channel.channelName}`;
  switch (step.kind) {
    case "add-schedule":
      return `+ schedule ${nameOf(step.wanted)} ${of}`;
    case "change-schedule":
      return `~ schedule ${nameOf(step.schedule)} ${of}: ${changesText(step.changes)}`;
    case "remove-schedule":
      return `- schedule ${nameOf(step.schedule)} ${of}`;
  }
}

function nameOf({ scheduleName, startAt }: { readonly scheduleName?: string | null | undefined; startAt: string }) {
  return scheduleName == null || scheduleName === "" ? `at ${startAt}` : scheduleName;
}
