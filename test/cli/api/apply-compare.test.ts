import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readApplyFile, type WantedChannel } from "../../../src/cli/api/apply/apply-file.ts";
import { disturbs, type Present, planOf, stepText } from "../../../src/cli/api/apply/apply-plan.ts";
import { FileNames, scheduleSteps } from "../../../src/cli/api/apply/apply-schedules.ts";
import { presentOf } from "./present.ts";

const SECRET = { PASSWORD: "hunter22" };

function fileOf(value: object): readonly WantedChannel[] {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-apply-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "channels.json");
  writeFileSync(path, JSON.stringify(value));
  return readApplyFile(path, SECRET).channels;
}

const KEYED = { rtmpUrl: "rtmp://live.example.com/app", streamKey: "key" };
const wantedOf = (channel: object, ...restream: readonly object[]) =>
  fileOf({ channels: [{ channelName: "show", restream: restream.length === 0 ? [custom()] : restream, ...channel }] });
const custom = (more: object = {}) => ({ targetName: "CUSTOM", ...KEYED, ...more });

/** As a server answers: it leaves out what has its default, and masks passwords. */
function present(channel: object = {}, ...platforms: readonly object[]): Present {
  const rest = { connectStatus: "READY", enabled: true, bufferPolicy: "drop" };
  const list = platforms.length === 0 ? [custom()] : platforms;
  const numbered = list.map((one, index) => ({ ...rest, platId: index + 1, ...one }));
  return presentOf({ alertOn: false, ...channel }, numbered);
}
const plan = (wanted: readonly WantedChannel[], has: Present, isPruning = false) => planOf(wanted, [has], isPruning);
const texts = (wanted: readonly WantedChannel[], has: Present, isPruning = false) =>
  plan(wanted, has, isPruning).map(stepText);

test.each([
  { name: "defaults", file: { timedData: true, silentAudio: "auto", delaySeconds: 0, label: "" }, has: {} },
  { name: "empty objects", file: { tls: {}, tracks: {}, windows: { open: [] } }, has: {} },
  { name: "one track", file: { tracks: { video: 1 } }, has: { tracks: { video: 1, audio: 0 } } },
  { name: "a login", file: { id: "me", passwordFrom: "PASSWORD" }, has: { id: "me", password: "h*******" } },
  {
    name: "its other names",
    file: { streamId: "me", streamPassword: "hunter22" },
    has: { id: "me", password: "h*******" },
  },
  { name: "a masked password", file: { id: "me", password: "h*******" }, has: { id: "me", password: "h*******" } },
  { name: "a pasted address", file: { rtmpUrl: " rtmp://live.example.com/app ", streamKey: "/key " }, has: {} },
])("a platform is as a file wants it: $name", ({ file, has }) => {
  expect(texts(wantedOf({}, custom(file)), present({}, custom(has)))).toEqual([]);
});

test.each([
  { name: "no labels", file: { labels: [] }, has: {} },
  { name: "no login", file: { ingestAuth: { id: "", password: "" } }, has: {} },
  {
    name: "a login",
    file: { ingestAuth: { id: "cam", passwordFrom: "PASSWORD" } },
    has: { ingestAuth: { id: "cam", password: "h*******" } },
  },
  { name: "alerts that are off", file: { alertOn: false, alertOptions: { alertReStreamFail: true } }, has: {} },
  { name: "the plan that it does not name", file: {}, has: { planType: "UNLIMITED" } },
  {
    name: "a name that only the dashboard gives",
    file: { channelName: "일요일 예배 (live) 🎥" },
    has: { channelName: "일요일 예배 (live) 🎥" },
  },
])("a channel is as a file wants it: $name", ({ file, has }) => {
  expect(texts(wantedOf(file), present(has))).toEqual([]);
});

test("what differs from a default or from a mask is a change, and the call has only that", () => {
  const wanted = wantedOf(
    { ingestAuth: { id: "cam", password: "longer-than-before" } },
    custom({ streamPassword: "longer-than-before", timedData: true, tracks: {}, windows: { open: [] } }),
  );
  const windows = { open: [{ days: ["SUN"], startAt: "18:00", endAt: "23:00" }], timeZone: "UTC" };
  const has = { id: "me", password: "h*******", timedData: false, tracks: { video: 1, audio: 0 }, windows };
  const steps = plan(wanted, present({ ingestAuth: { id: "cam", password: "h*******" } }, custom(has)));
  expect(steps).toMatchObject([
    { kind: "change-channel", changes: [{ field: "ingestAuth" }] },
    {
      kind: "change-platform",
      changes: [{ field: "password" }, { field: "tracks" }, { field: "timedData" }, { field: "windows" }],
    },
  ]);
  const [, step] = steps;
  expect(step !== undefined && "fields" in step && step.fields).toEqual({
    ...KEYED,
    password: "longer-than-before",
    ...{ tracks: {}, timedData: true, windows: { open: [], timeZone: "UTC" } },
  });
});

test("a password as another server shows it is refused, wherever it would be stored", () => {
  const masked = { id: "me", password: "h*******" };
  const rule = /must be written in full, not as h\*{7}\.$/;
  const platform = wantedOf({}, custom(masked));
  for (const has of [[], [present({}, { ...custom(), targetName: "TWITCH" })], [present()]])
    expect(() => planOf(platform, has, false)).toThrow(rule);
  const login = wantedOf({ ingestAuth: masked });
  for (const has of [[], [present()]]) expect(() => planOf(login, has, false)).toThrow(rule);
});

test.each([
  { name: "of the file", file: { channel: [] }, place: "channel" },
  {
    name: "of a channel",
    file: { channels: [{ channelName: "show", latncy: "low", restream: [custom()] }] },
    place: "channels.0.latncy",
  },
  {
    name: "inside",
    file: { channels: [{ channelName: "show", hold: { second: 5 }, restream: [custom()] }] },
    place: "channels.0.hold.second",
  },
  {
    name: "of a platform",
    file: { channels: [{ channelName: "show", restream: [custom(), custom({ lable: "b" })] }] },
    place: "channels.0.restream.1.lable",
  },
  {
    name: "of a contact",
    file: { contacts: [{ contactName: "a", contactKind: "slack", webhookUrl: "https://a.example/…", scope: "all" }] },
    place: "contacts.0.scope",
  },
])("a field that does not exist is told with its place: $name", ({ file, place }) => {
  expect(() => fileOf({ channels: [], ...file })).toThrow(`: there is no field ${place}.`);
});

test("a file may keep YAML's anchors below x-", () => {
  expect(fileOf({ "x-hold": { seconds: 5 }, channels: [] })).toEqual([]);
});

test("platforms without a label are known by their addresses, not by their order", () => {
  const [archive, plain] = [custom({ label: "archive", rtmpUrl: "rtmp://b.example/app" }), custom()];
  expect(texts(wantedOf({}, archive, plain), present({}, plain, archive))).toEqual([]);
  const [first, second] = [custom({ streamKey: "one" }), custom({ streamKey: "two" })];
  expect(texts(wantedOf({}, second, first), present({}, first, second))).toEqual([]);
  const moved = custom({ rtmpUrl: "rtmp://c.example/app", streamKey: "two" });
  expect(texts(wantedOf({}, moved, first), present({}, first, second))).toEqual([
    `~ platform CUSTOM of show: rtmpUrl "${KEYED.rtmpUrl}" → "rtmp://c.example/app"`,
  ]);
});

test("a channel that lost its platforms is as wanted; a new one needs a platform", () => {
  const [wanted] = fileOf({ channels: [{ channelName: "show", restream: [] }] });
  if (wanted === undefined) throw new Error("nothing was read");
  const bare = { ...present(), platforms: [] };
  expect(planOf([wanted], [bare], true)).toEqual([]);
  expect(() => planOf([wanted], [], true)).toThrow("channel show: a new channel needs at least one platform.");
});

test("what goes makes place for what comes: a full plan is no obstacle", () => {
  const has = present({ planType: "PROFESSIONAL" }, custom({ label: "old" }), custom({ label: "kept" }));
  const wanted = wantedOf({ planType: "STANDARD" }, custom({ label: "new" }), custom({ label: "kept" }));
  expect(texts(wanted, has, true)).toEqual([
    "- platform CUSTOM (old) of show",
    '~ channel show: planType "PROFESSIONAL" → "STANDARD"',
    "+ platform CUSTOM (new) of show",
  ]);
});

test("a name that several channels have is refused", () => {
  expect(() => planOf(wantedOf({}), [present(), present({ channelId: "ls-2" })], false)).toThrow(
    'several channels are named "show": rename all but one. Nothing was changed.',
  );
});

test("windows may close a platform that is on air; without any it is always on", () => {
  const open = [{ days: ["SUN"], startAt: "18:00", endAt: "18:01" }];
  const sending = { connectStatus: "PUBLISHING" };
  const closing = plan(wantedOf({}, custom({ windows: { open } })), present({}, custom(sending)));
  expect(closing.map(disturbs)).toEqual([true]);
  const has = custom({ ...sending, windows: { open, timeZone: "UTC" } });
  expect(plan(wantedOf({}, custom({ windows: { open: [] } })), present({}, has)).map(disturbs)).toEqual([false]);
});

test("a schedule that outlived its file is as the export has it", () => {
  const evening = { timeZone: "Asia/Seoul", repeat: "daily", startAt: "20:00" };
  const [channel] = wantedOf({ schedules: [{ files: ["mf-gone"], ...evening }] });
  const has = { ...evening, scheduleId: "sc-1", scheduleName: "", fileIds: ["mf-gone"], nextTimes: [1], paused: false };
  const steps = scheduleSteps(
    { channelId: "ls-1", channelName: "show" },
    channel?.schedules,
    [has as never],
    new FileNames([]),
    true,
  );
  expect(steps).toEqual([]);
});

test("a start that has passed is not planned again: an old export is applied as far as it can be", () => {
  const schedule = { files: ["f"], timeZone: "Asia/Seoul", repeat: "once", onDate: "2020-01-01", startAt: "20:00" };
  const [channel] = wantedOf({ schedules: [schedule, { ...schedule, onDate: "2999-01-01" }] });
  const files = new FileNames([{ fileId: "mf-1", fileName: "f" }]);
  const steps = scheduleSteps({ channelId: "ls-1", channelName: "show" }, channel?.schedules, [], files, true);
  expect(steps).toMatchObject([{ kind: "add-schedule", wanted: { onDate: "2999-01-01" } }]);
});
