import { join } from "node:path";
import {
  RECORDING_CONTAINERS,
  type RecordingContainer,
  type RecordingFile,
  type RecordingKey,
} from "../../thread-protocol/recordings/recordings.ts";

/** A channel's id, which is its folder's name. */
const CHANNEL_ID = /^ls-[0-9]{14}-[A-Za-z0-9]{5}$/;
/** The time of the start in UTC, and a number among those of that second. */
const RECORDING_ID = /^[0-9]{14}-[0-9]{3}$/;
const NUMBERS = 1_000;

export function isChannelFolder(name: string): boolean {
  return CHANNEL_ID.test(name);
}

/** A new id; undefined where all of this second are taken. */
export function newRecordingId(startTime: number, isTaken: (id: string) => boolean): string | undefined {
  const digits = new Date(startTime).toISOString().replace(/[^0-9]/g, "");
  const second = digits.slice(0, 14);
  for (let number = 1; number < NUMBERS; number += 1) {
    const id = `${second}-${String(number).padStart(3, "0")}`;
    if (!isTaken(id)) return id;
  }
  return undefined;
}

/** The start in an id, milliseconds since the Unix epoch; 0 where it is no time. */
export function startTimeOf(recordingId: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(recordingId) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) || 0;
}

/** What a name in a channel's folder is; undefined for anything that this server did not make. */
export function readName(
  name: string,
): { readonly recordingId: string; readonly what: RecordingContainer | "notes" | "upload" } | undefined {
  const dot = name.indexOf(".");
  const [recordingId, ending] = [name.slice(0, dot), name.slice(dot + 1)];
  if (dot < 0 || !RECORDING_ID.test(recordingId)) return undefined;
  const what = [...RECORDING_CONTAINERS, "notes" as const, "upload" as const].find((each) => ENDINGS[each] === ending);
  return what === undefined ? undefined : { recordingId, what };
}

const ENDINGS = { mp4: "mp4", flv: "flv", notes: "json", upload: "upload.json" } as const;

/** One string for a file of any channel. */
export function keyOf({ channelId, recordingId }: RecordingKey): string {
  return `${channelId}/${recordingId}`;
}

export function mediaPath(
  folder: string,
  { channelId, recordingId, container }: Pick<RecordingFile, "channelId" | "recordingId" | "container">,
): string {
  return join(folder, channelId, `${recordingId}.${ENDINGS[container]}`);
}

/** The file beside it that says what it is. */
export function notesPath(folder: string, { channelId, recordingId }: RecordingKey): string {
  return join(folder, channelId, `${recordingId}.${ENDINGS.notes}`);
}

/** The file beside it that says how far its upload is. */
export function uploadNotesPath(folder: string, { channelId, recordingId }: RecordingKey): string {
  return join(folder, channelId, `${recordingId}.${ENDINGS.upload}`);
}
