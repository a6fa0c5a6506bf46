import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isVideo, stepsBack } from "../../support/streams/flv-file.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const ZONE = "Asia/Seoul";

const schedules = z.array(
  z.looseObject({
    scheduleName: z.string(),
    lastRun: z.looseObject({ result: z.string(), time: z.int() }).optional(),
  }),
);
const sourceAnswer = z.looseObject({ sourceState: z.string() });

/** The date and time of day that clocks in the zone show, so many milliseconds from now. */
function clockIn(ms: number) {
  const time = new Date(Math.ceil((Date.now() + ms) / 1_000) * 1_000);
  const [onDate = "", startAt = ""] = time.toLocaleString("sv-SE", { timeZone: ZONE }).split(" ");
  return { timeZone: ZONE, repeat: "once", onDate, startAt };
}

test.concurrent("two schedules start on time, the second takes over within one connection, and its end ends the broadcast", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api } = await stage.server();
  const key = uniqueKey("schedule");
  const channel = await api.createChannel("schedule", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const first = await upload(api, await makeFile(stage.folder, "first.mp4", { seconds: 4 }));
  const second = await upload(api, await makeFile(stage.folder, "second.mp4", { seconds: 4 }));
  const url = `/api/v2/re-stream/channels/${channel.channelId}`;
  const film = { scheduleName: "film", fileIds: [first.fileId], loop: true, ...clockIn(3_000) };
  await api.request("POST", `${url}/schedules`, film);
  const show = { scheduleName: "show", fileIds: [second.fileId], loop: true, ...clockIn(8_000), endAfterSeconds: 5 };
  await api.request("POST", `${url}/schedules`, show);
  const over = await waitFor("the end of the show", DEADLINE_MS, async () => {
    const source = z.looseObject({ sourceState: z.string() }).parse(await api.request("GET", `${url}/source`));
    return source.sourceState === "stopped" && source["sourceReason"] !== undefined ? source : undefined;
  });
  expect(over).toMatchObject({ sourceReason: "schedule-over" });
  const listed = schedules.parse(await api.request("GET", `${url}/schedules`));
  expect(listed).toMatchObject([
    { scheduleName: "film", lastRun: { result: "STARTED" } },
    { scheduleName: "show", lastRun: { result: "STARTED" } },
  ]);
  // One connection, and so one recording, has both.
  const { path } = await nginx.waitForRecording(key, (tags) => tags.filter(isVideo).length > 150, DEADLINE_MS);
  const tags = readFlv(await readFile(path));
  expect(stepsBack(tags)).toEqual([]);
  expect(tags.filter(isVideo).at(-1)?.timestamp).toBeGreaterThan(7_000);
  expect(await decodingErrors(path)).toBe("");
});

test.concurrent("a schedule takes over from a pull within its connection and leaves a live encoder alone", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await stage.server();
  const channel = await api.createChannel("pull", [{ rtmpUrl: target.url, streamKey: uniqueKey("schedule") }]);
  const url = `/api/v2/re-stream/channels/${channel.channelId}`;
  const clip = await makeFile(stage.folder, "clip.mp4", { seconds: 4 });
  const file = await upload(api, clip);
  const key = uniqueKey("camera");
  stage.keepSecret(key);
  const publish = (address: string) => stage.ffmpeg({ path: clip }, address, { loops: true });
  const read = async () => sourceAnswer.parse(await api.request("GET", `${url}/source`));
  const plan = (scheduleName: string, inMs: number, endAfterSeconds: number) => {
    const show = { scheduleName, fileIds: [file.fileId], loop: true, endAfterSeconds };
    return api.request("POST", `${url}/schedules`, { ...show, ...clockIn(inMs) });
  };
  await publish(`${nginx.url}/${key}`);
  await api.request("PUT", `${url}/source`, { pull: { url: `${nginx.url}/${key}` } });
  await api.request("POST", `${url}/source/start`);
  await expect.poll(read, { timeout: DEADLINE_MS }).toMatchObject({ sourceState: "playing" });
  // On a busy machine the file begins late, and somebody who looks must see it play.
  await plan("over the pull", 2_000, 15);
  await expect
    .poll(read, { timeout: DEADLINE_MS })
    .toMatchObject({ sourceState: "playing", scheduleId: expect.any(String) });
  await expect
    .poll(read, { timeout: DEADLINE_MS })
    .toMatchObject({ sourceState: "stopped", sourceReason: "schedule-over" });
  const [connection, ...others] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  expect(others).toEqual([]);
  const [recording = ""] = connection?.report.recordings ?? [];
  expect(stepsBack(readFlv(await readFile(recording)))).toEqual([]);
  expect(await decodingErrors(recording)).toBe("");

  // The pull does not come back by itself, and an encoder that is on air is not interrupted.
  const encoder = await publish(publishUrl(channel));
  await waitFor("the encoder", DEADLINE_MS, () => (target.connections.length > 1 ? true : undefined));
  await plan("over the encoder", 1_000, 60);
  const missed = async () => schedules.parse(await api.request("GET", `${url}/schedules`)).at(-1)?.lastRun;
  await expect
    .poll(missed, { timeout: DEADLINE_MS })
    .toMatchObject({ result: "MISSED", missedReason: "encoder-on-air" });
  expect(encoder.isRunning()).toBe(true);
  expect(target.connections.length).toBe(2);
});

test.concurrent("a file that a schedule plays can be deleted once the schedule's channel is", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api } = await stage.server();
  const target = { rtmpUrl: "rtmp://live.example.com/app", streamKey: uniqueKey("forgotten") };
  const { channelId } = await api.createChannel("forgotten", [target]);
  const { fileId } = await upload(api, await makeFile(stage.folder, "film.mp4", { seconds: 1 }));
  const url = `/api/v2/re-stream/channels/${channelId}`;
  await api.request("POST", `${url}/schedules`, { scheduleName: "film", fileIds: [fileId], ...clockIn(3_600_000) });
  await expect(api.request("DELETE", `/api/v2/media-files/${fileId}`)).rejects.toThrow("A channel has the file");
  await api.request("DELETE", url);
  await api.request("DELETE", `/api/v2/media-files/${fileId}`);
});

test.concurrent("the first platform with windows, and one whose windows change, are turned off and on by them", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api } = await stage.server();
  const platform = { rtmpUrl: "rtmp://live.example.com/app", streamKey: uniqueKey("windows") };
  const { channelId } = await api.createChannel("windows", [platform]);
  const url = `/api/v2/re-stream/channels/${channelId}/platforms`;
  const between = (startMs: number, endMs: number) => ({
    open: [{ startAt: clockIn(startMs).startAt, endAt: clockIn(endMs).startAt }],
    timeZone: ZONE,
  });
  const [first] = await api.platforms(channelId);
  const states = async () => (await api.platforms(channelId)).map((each) => each["windowState"]);
  expect(await states()).toEqual([undefined]);
  await api.addPlatform(channelId, { ...platform, windows: between(-60_000, 3_000) });
  await expect.poll(states, { timeout: DEADLINE_MS }).toEqual([undefined, "CLOSED"]);
  await api.request("PUT", `${url}/${first?.platId}`, { ...platform, windows: between(3_000, 3_600_000) });
  await expect.poll(states, { timeout: DEADLINE_MS }).toEqual(["OPEN", "CLOSED"]);
});
