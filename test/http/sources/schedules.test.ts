import { expect, test } from "vitest";
import { Api, CHANNEL, CHANNELS, VIEWER } from "../api.ts";

const SHOW = {
  ...{ scheduleName: " Evening show ", fileIds: ["mf-a"], timeZone: "Europe/Berlin", repeat: "daily" },
  ...{ startAt: "20:00", endAt: "22:00" },
};

async function open() {
  const api = await Api.open();
  const { body } = await api.post(CHANNELS, CHANNEL);
  const channelId: string = body.content.channelId;
  api.files.add("mf-a");
  api.files.add("mf-b");
  api.clock.wallMs = Date.parse("2026-07-01T12:00:00Z");
  const url = `${CHANNELS}/${channelId}/schedules`;
  return { api, channelId, url, source: `${CHANNELS}/${channelId}/source` };
}

const at = (text: string): number => Date.parse(text);

test("a schedule is made, listed, changed, paused and deleted", async () => {
  const { api, url, channelId } = await open();
  const made = await api.content("POST", url, SHOW);
  expect(made).toEqual({
    ...{ scheduleId: expect.stringMatching(/^sc-[0-9a-f]{12}$/), scheduleName: "Evening show", fileIds: ["mf-a"] },
    ...{ loop: false, timeZone: "Europe/Berlin", repeat: "daily", startAt: "20:00", endAt: "22:00", catchUp: "none" },
    ...{ paused: false, createdTime: api.clock.wallMs, overlapsWith: [] },
    nextTimes: [1, 2, 3, 4, 5].map((day) => at(`2026-07-0${day}T18:00:00Z`)),
  });
  const one = `${url}/${made.scheduleId}`;
  expect(await api.content("GET", one)).toEqual(made);
  expect(await api.content("GET", url)).toEqual([made]);
  expect((await api.get(url, VIEWER)).body.content).toEqual([made]);
  const changed = await api.content("PUT", one, {
    ...{ repeat: "weekly", days: ["SUN", "MON", "SUN"], startAt: "07:30:15", endAfterSeconds: 90, catchUp: "join" },
  });
  expect(changed).toMatchObject({ days: ["MON", "SUN"], startAt: "07:30:15", endAfterSeconds: 90, catchUp: "join" });
  expect(changed).not.toHaveProperty("endAt");
  expect(changed.nextTimes.slice(0, 3)).toEqual(
    ["2026-07-05", "2026-07-06", "2026-07-12"].map((day) => at(`${day}T05:30:15Z`)),
  );
  expect(await api.content("PUT", one, { endAt: null, paused: true })).toMatchObject({ paused: true, nextTimes: [] });
  expect(await api.content("GET", one)).not.toHaveProperty("endAfterSeconds");
  expect((await api.delete(one)).status).toBe(200);
  expect((await api.get(one)).body.error.message).toBe("Schedule not found.");
  const events = (await api.get(`${CHANNELS}/${channelId}/events`)).body.content;
  expect(events.slice(0, 4).map(({ reason }: { reason: string }) => reason)).toEqual([
    ...["schedule-removed", "schedule-changed", "schedule-changed", "schedule-changed"],
  ]);
  await api.close();
});

test.each([
  {
    name: "a date that is over",
    change: { repeat: "once", onDate: "2026-07-01", startAt: "13:59" },
    said: "onDate: expected a start that is still to come.",
  },
  { name: "once without a date", change: { repeat: "once" }, said: "onDate: expected with this repeat." },
  { name: "weekly without days", change: { repeat: "weekly" }, said: "days: expected with this repeat." },
  { name: "two ends", change: { endAfterSeconds: 5 }, said: "endAfterSeconds: expected without endAt." },
  { name: "a file that is not there", change: { fileIds: ["mf-x"] }, said: undefined },
])("a schedule is refused: $name", async ({ change, said }) => {
  const { api, url } = await open();
  const { status, body } = await api.post(url, { ...SHOW, ...change });
  expect([status >= 400 && status < 500, body.error.details]).toEqual([true, said]);
  expect(await api.content("GET", url)).toEqual([]);
  await api.close();
});

test("two that start together are refused, and overlaps are named", async () => {
  const { api, url } = await open();
  const { scheduleId } = await api.content("POST", url, { ...SHOW, loop: true });
  const together = { ...SHOW, timeZone: "Asia/Seoul", startAt: "03:00", endAt: "03:30" };
  const refused = await api.post(url, together);
  expect([refused.status, refused.body.error.details]).toEqual([
    409,
    "Another schedule of the channel starts at the same moment.",
  ]);
  const during = { ...SHOW, repeat: "once", onDate: "2026-12-24", startAt: "21:00", endAt: null };
  const special = await api.content("POST", url, during);
  expect(special.overlapsWith).toEqual([scheduleId]);
  expect((await api.content("POST", url, { ...SHOW, startAt: "22:00", endAt: "23:00" })).overlapsWith).toEqual([]);
  // A file of 5 s is over by then.
  expect((await api.content("POST", url, { ...SHOW, startAt: "19:59", endAt: null })).overlapsWith).toEqual([]);
  const looped = await api.content("POST", url, { ...SHOW, startAt: "19:58", endAt: null, loop: true });
  expect(looped.overlapsWith).toHaveLength(4);
  await api.close();
});

test("a start plays its files in place of the channel's own, and the end stops it", async () => {
  const { api, url, source, channelId } = await open();
  await api.content("PUT", source, { fileIds: ["mf-b"], loop: true });
  await api.content("POST", `${source}/start`);
  const updates = api.player.updates.length;
  const { scheduleId } = await api.content("POST", url, SHOW);
  await api.scheduleRunner.start();
  api.clock.wallMs = at("2026-07-01T18:00:00Z");
  api.clock.advance(1_000);
  await expect.poll(() => api.player.starts.length).toBe(2);
  expect(api.player.starts[1]).toMatchObject({ channelId, position: 0, source: { fileIds: ["mf-a"] } });
  api.player.become(channelId, { state: "playing", sinceTime: 1, position: 0, fileId: "mf-a" });
  await expect.poll(() => api.content("GET", `${url}/${scheduleId}`)).toMatchObject({ lastRun: { result: "STARTED" } });
  expect(await api.content("GET", source)).toMatchObject({ scheduleId, fileIds: ["mf-b"], sourceState: "playing" });
  const used = await api.delete("/api/v2/media-files/mf-a");
  expect([used.status, used.body.error.errorCode]).toEqual([409, 250005]);
  // A new list of its own leaves the schedule's alone.
  await api.content("PUT", source, { fileIds: ["mf-b", "mf-b"] });
  expect(api.player.updates).toHaveLength(updates);
  api.clock.wallMs = at("2026-07-01T20:00:00Z");
  api.clock.advance(1_000);
  await expect.poll(() => api.content("GET", source)).toMatchObject({ sourceReason: "schedule-over" });
  expect(await api.content("GET", source)).not.toHaveProperty("scheduleId");
  api.scheduleRunner.stop();
  const events = (await api.get(`${CHANNELS}/${channelId}/events`)).body.content;
  expect(events.map(({ eventCode }: { eventCode: string }) => eventCode)).toContain("SCHEDULE_STARTED");
  await api.close();
});

test("an encoder on air is never interrupted: the start is missed, with an event and its reason", async () => {
  const { api, url, channelId } = await open();
  const { scheduleId } = await api.content("POST", url, SHOW);
  api.runtime.start(channelId, api.clock.wallMs);
  await api.scheduleRunner.start();
  api.clock.wallMs = at("2026-07-01T18:00:00Z");
  api.clock.advance(1_000);
  await expect
    .poll(() => api.content("GET", `${url}/${scheduleId}`))
    .toMatchObject({
      lastRun: { time: at("2026-07-01T18:00:00Z"), result: "MISSED", missedReason: "encoder-on-air" },
    });
  api.scheduleRunner.stop();
  const [event] = (await api.get(`${CHANNELS}/${channelId}/events`)).body.content;
  expect(event).toMatchObject({ eventCode: "SCHEDULE_MISSED", logLevel: "ERROR", reason: "encoder-on-air" });
  await api.close();
});

test("a run that another server plays stays that server's: nothing is stored, and this one ends nothing", async () => {
  const { api, channelId, source } = await open();
  const run = { scheduleId: "sc-1", source: { kind: "files", fileIds: ["mf-a"], isLooped: true } } as const;
  await api.sources.playScheduled(channelId, run, { position: 0, offsetMs: 0 });
  api.player.become(channelId, { state: "stopped", sinceTime: 1, reason: "elsewhere" });
  expect([api.sources.scheduledRuns, (await api.content("GET", source)).sourceReason]).toEqual([[], "elsewhere"]);
  // The stored run is what the other server would go on with.
  await api.sources.resume();
  expect(api.sources.scheduledRuns).toEqual([[channelId, run]]);
  await api.close();
});
