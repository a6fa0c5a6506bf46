import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { contactSteps, contactStepText, exportedContact } from "../../../src/cli/api/apply/apply-contacts.ts";
import { readApplyFile } from "../../../src/cli/api/apply/apply-file.ts";
import { disturbs, type Present, planOf, stepText } from "../../../src/cli/api/apply/apply-plan.ts";
import { exportedSchedule, FileNames } from "../../../src/cli/api/apply/apply-schedules.ts";
import { presentOf } from "./present.ts";

function fileOf(text: string, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-apply-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "channels.yaml");
  writeFileSync(path, text);
  return readApplyFile(path, env);
}

const NAMES = new FileNames([
  { fileId: "mf-1", fileName: "show.mp4" },
  { fileId: "mf-2", fileName: "twice.mp4" },
  { fileId: "mf-3", fileName: "twice.mp4" },
]);
const EVENING = {
  ...{ scheduleId: "sc-1", scheduleName: "Evening", fileIds: ["mf-1", "mf-2"], loop: false, timeZone: "Asia/Seoul" },
  ...{ repeat: "weekly", days: ["MON", "FRI"], startAt: "20:00", endAfterSeconds: 3_600, catchUp: "none" },
  ...{ paused: false, createdTime: 1, nextTimes: [2], overlapsWith: [] },
} as const;
const OVER = {
  ...EVENING,
  scheduleId: "sc-2",
  scheduleName: "Then",
  repeat: "once",
  onDate: "2020-01-01",
  nextTimes: [],
};

const RESTREAM = '[{ targetName: CUSTOM, rtmpUrl: "rtmp://a.example/live", streamKey: key }]';
function present(schedules: readonly object[]): Present {
  const platforms = [{ platId: 1, targetName: "CUSTOM", rtmpUrl: "rtmp://a.example/live", streamKey: "key" }];
  return presentOf({ isPublishing: true }, platforms, { schedules });
}

function scheduleFile(schedules: string) {
  return fileOf(`channels:\n  - { channelName: show, restream: ${RESTREAM}, schedules: ${schedules} }\n`).channels;
}

const WANTED =
  'scheduleName: Evening, files: [show.mp4, mf-2], timeZone: Asia/Seoul, repeat: weekly, days: [FRI, MON], startAt: "20:00:00"';

test("schedules are compared by their names, their files by name or id, and only what differs is changed", () => {
  const steps = (schedules: string, isPruning = false) =>
    planOf(scheduleFile(schedules), [present([EVENING, OVER])], isPruning, NAMES);
  expect(steps(`[{ ${WANTED} }]`, true)).toEqual([]);
  expect(steps(`[{ ${WANTED}, endAfterSeconds: 60, paused: true }]`).map(stepText)).toEqual([
    "~ schedule Evening of show: endAfterSeconds 3600 → 60, paused false → true",
  ]);
  const other = steps(`[{ ${WANTED.replace("Evening", "Late")} }]`, true);
  expect(other.map(stepText)).toEqual(["+ schedule Late of show", "- schedule Evening of show"]);
  expect(other.some(disturbs)).toBe(false);
  // A file without the list says nothing about schedules; an empty list says that there are none.
  expect(steps("null", true)).toEqual([]);
  expect(steps("[]", true).map(stepText)).toEqual(["- schedule Evening of show"]);
  expect(steps("[]")).toEqual([]);
});

test("a file's name that a Mac took apart (NFD) is found as it is typed, and is no difference", () => {
  const typed = "저녁 방송.mp4";
  const files = new FileNames([{ fileId: "mf-1", fileName: typed.normalize("NFD") }]);
  const schedules = scheduleFile(`[{ ${WANTED.replace("show.mp4, mf-2", typed)} }]`);
  expect(planOf(schedules, [present([{ ...EVENING, fileIds: ["mf-1"] }])], false, files)).toEqual([]);
  // Where both spellings are there, each name means the file that has exactly it.
  const both = new FileNames([
    { fileId: "mf-1", fileName: typed.normalize("NFD") },
    { fileId: "mf-2", fileName: typed },
  ]);
  expect(both.idsOf([typed, typed.normalize("NFD")])).toEqual(["mf-2", "mf-1"]);
});

test("a schedule's file that is missing, or whose name means two, is told before anything is changed", () => {
  const plan = (name: string, channels: readonly Present[]) =>
    planOf(scheduleFile(`[{ ${WANTED.replace("mf-2", name)} }]`), channels, false, NAMES);
  for (const channels of [[], [present([])], [present([EVENING])]]) {
    expect(() => plan("gone.mp4", channels)).toThrow('the server has no file "gone.mp4"; upload it first.');
    expect(() => plan("twice.mp4", channels)).toThrow('several files are named "twice.mp4": name one by its id.');
  }
});

test("what is wrong with a schedule or a contact is told with its place", () => {
  expect(() => scheduleFile(`[{ ${WANTED.replace("20:00:00", "24:00")} }]`)).toThrow(
    /: channels\.0\.schedules\.0\.startAt must be a time of day such as 20:00 or 20:00:30\.$/,
  );
  expect(() => fileOf("channels: []\ncontacts: [{ contactName: a, contactKind: pigeon }]")).toThrow(
    /: contacts\.0\.contactKind must be one of /,
  );
});

test("schedules are exported with their files' names where these are clear, and without those that are over", () => {
  expect(exportedSchedule(EVENING as never, NAMES)).toEqual({
    ...{ scheduleName: "Evening", files: ["show.mp4", "mf-2"], loop: false, timeZone: "Asia/Seoul", repeat: "weekly" },
    ...{ days: ["MON", "FRI"], startAt: "20:00", endAfterSeconds: 3_600, catchUp: "none", paused: false },
  });
  expect(exportedSchedule(OVER as never, NAMES)).toBeUndefined();
});

const CHANNELS = [
  { channelId: "ls-1", channelName: "show" },
  { channelId: "ls-2", channelName: "other" },
] as never;
const CREW = {
  ...{ contactId: "ct-1", contactName: "crew", contactKind: "slack", webhookUrl: "https://hooks.slack.com/…" },
  ...{ eventScope: "all", channelIds: ["ls-2", "ls-1"], language: "ko", enabled: true, waitingCount: 0 },
  ...{ createdTime: 1, updateTime: 1 },
} as const;

function contactFile(contacts: string, env: Readonly<Record<string, string>> = {}) {
  return fileOf(`channels: []\ncontacts: ${contacts}\n`, env).contacts;
}

test("contacts are exported as the server shows them, and such a file changes nothing on that server", () => {
  const exported = exportedContact(CREW as never, CHANNELS);
  expect(exported).toEqual({
    ...{ contactName: "crew", contactKind: "slack", webhookUrl: "https://hooks.slack.com/…", eventScope: "all" },
    ...{ channels: ["other", "show"], language: "ko", enabled: true },
  });
  const wanted = contactFile(`[${JSON.stringify(exported)}]`);
  expect(contactSteps(wanted, [CREW] as never, CHANNELS, true)).toEqual([]);
  // Another server does not have the secret.
  expect(() => contactSteps(wanted, [], CHANNELS, true)).toThrow(
    "contact crew: webhookUrl must be written in full, not as https://hooks.slack.com/….",
  );
});

test("a contact's secret comes from the environment, and no step shows it", () => {
  const url = "https://hooks.slack.com/services/T000/B000/secret";
  const steps = (contacts: string, isPruning = false, contact: object = CREW) =>
    contactSteps(contactFile(contacts, { HOOK: url }), [contact] as never, CHANNELS, isPruning);
  expect(steps("[{ contactName: crew, contactKind: slack, webhookUrlFrom: HOOK, channels: [show, ls-2] }]")).toEqual(
    [],
  );
  const moved = { ...CREW, webhookUrl: "https://elsewhere.example/…" };
  const changed = steps(
    "[{ contactName: crew, contactKind: slack, webhookUrlFrom: HOOK, language: en }]",
    false,
    moved,
  );
  expect(changed.map(contactStepText)).toEqual(['~ contact crew: webhookUrl changes, language "ko" → "en"']);
  const others = steps("[{ contactName: crew, contactKind: email, mailTo: [a@example.com] }]", true);
  expect(others.map(contactStepText)).toEqual(["+ contact crew (email)", "- contact crew"]);
  expect(contactSteps(undefined, [CREW] as never, CHANNELS, true)).toEqual([]);
});
