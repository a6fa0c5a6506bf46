import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { parseAvcConfig } from "../../../src/protocol/flv/video/avc-config.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isAudio, isCodedMedia, isVideo, stepsBack } from "../../support/streams/flv-file.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
/** An event loop that was more than 2 s late could not keep up. */
const STOPPED_MS = 3_000;

const sourceOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}/source`;
const sourceAnswer = z.looseObject({
  sourceState: z.string(),
  sourceReason: z.string().optional(),
  position: z.int().optional(),
});
const mediaFiles = z.array(z.looseObject({ fileId: z.string(), fileState: z.string() }));
const read = async (api: ApiClient, channel: Channel) =>
  sourceAnswer.parse(await api.request("GET", sourceOf(channel)));

/** The greatest distance between two frames of a kind, and where each kind ends, in milliseconds. */
function timing(tags: ReturnType<typeof readFlv>) {
  const coded = tags.filter(isCodedMedia);
  const [video = [], audio = []] = [isVideo, isAudio].map((kind) =>
    coded.filter(kind).map(({ timestamp }) => timestamp),
  );
  const widest = (times: readonly number[]) =>
    Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? time)));
  return { videoGapMs: widest(video), audioGapMs: widest(audio), endsMs: [video.at(-1) ?? 0, audio.at(-1) ?? 0] };
}

/** On a busy machine a target connects late, and FFmpeg begins late with a file. No file is as short as this. */
const LENGTH_SLACK_MS = 2_500;

test.concurrent("two files of different forms play without a gap over one connection, and the broadcast ends with the last", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await stage.server({ environment: { FANFARE_MEDIA_THREADS: "2" } });
  const channel = await api.createChannel("files", [{ rtmpUrl: target.url, streamKey: uniqueKey("files") }]);
  // FFmpeg begins with the second file while the first plays. It gives way to all else, so a busy machine needs long.
  const copied = await upload(api, await makeFile(stage.folder, "copied.mp4", { seconds: 10 }));
  const other = { seconds: 5, size: "320x240", frameRate: 25, videoCodec: "mpeg4", audio: ["-ac", "1"] };
  const transcoded = await upload(api, await makeFile(stage.folder, "transcoded.mkv", other));
  const silent = await upload(api, await makeFile(stage.folder, "silent.mp4", { seconds: 5, audio: "none" }));
  expect([copied, transcoded, silent]).toMatchObject([
    { fileState: "ready", videoCodec: "h264", width: 640, height: 360, audioCodec: "aac", durationSeconds: 10 },
    { fileState: "ready", videoCodec: "mpeg4", width: 320, channels: 1 },
    { fileState: "ready", durationSeconds: 5 },
  ]);
  await api.request("PUT", sourceOf(channel), { fileIds: [copied, transcoded, silent].map(({ fileId }) => fileId) });
  await api.request("POST", `${sourceOf(channel)}/start`);
  await expect(api.request("POST", `${sourceOf(channel)}/start`)).rejects.toThrow("plays already");
  const over = await waitFor("the last file to end", DEADLINE_MS, async () => {
    const source = await read(api, channel);
    return source.sourceState === "stopped" ? source : undefined;
  });
  expect(over.sourceReason).toBe("finished");
  const [connection, ...others] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  expect(others).toEqual([]);
  const [recording = ""] = connection?.report.recordings ?? [];
  const tags = readFlv(await readFile(recording));
  expect(stepsBack(tags)).toEqual([]);
  const { videoGapMs, audioGapMs, endsMs } = timing(tags);
  expect(videoGapMs).toBeLessThan(200);
  expect(audioGapMs).toBeLessThan(200);
  for (const endMs of endsMs) expect(Math.abs(endMs - 20_000)).toBeLessThan(LENGTH_SLACK_MS);
  expect(await decodingErrors(recording)).toBe("");
});

test.concurrent("a joined recording changes its size within one connection, each part behind its own sequence header", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await stage.server();
  const channel = await api.createChannel("joined", [{ rtmpUrl: target.url, streamKey: uniqueKey("joined") }]);
  const parts = ["320x180", "640x360"].map((size, index) =>
    makeFile(stage.folder, `${index}.ts`, { seconds: 4, size }),
  );
  const path = join(stage.folder, "joined.ts");
  await writeFile(path, Buffer.concat(await Promise.all((await Promise.all(parts)).map((part) => readFile(part)))));
  const { fileId } = await upload(api, path);
  await api.request("PUT", sourceOf(channel), { fileIds: [fileId] });
  await api.request("POST", `${sourceOf(channel)}/start`);
  await waitFor("the file to end", DEADLINE_MS, async () =>
    (await read(api, channel)).sourceReason === "finished" ? true : undefined,
  );
  const [connection, ...others] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  expect(others).toEqual([]);
  const [recording = ""] = connection?.report.recordings ?? [];
  const tags = readFlv(await readFile(recording));
  const headers = tags.filter((tag) => isVideo(tag) && tag.payload[1] === 0);
  expect(headers.map(({ payload }) => parseAvcConfig(payload.subarray(5))?.format?.width)).toEqual([320, 640]);
  const [, second] = headers;
  expect(
    tags.filter((tag) => isVideo(tag) && isCodedMedia(tag) && tag.timestamp >= (second?.timestamp ?? 0)),
  ).toHaveLength(120);
  expect(stepsBack(tags)).toEqual([]);
  for (const endMs of timing(tags).endsMs) expect(Math.abs(endMs - 8_000)).toBeLessThan(LENGTH_SLACK_MS);
});

test.concurrent("a loop whose folder goes away plays on over the same connection once the folder is back", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({});
  const watchFolder = join(stage.folder, "watched");
  await mkdir(watchFolder);
  const { api } = await stage.server({ environment: { FANFARE_WATCH_FOLDER: watchFolder } });
  const channel = await api.createChannel("away", [{ rtmpUrl: target.url, streamKey: uniqueKey("away") }]);
  await makeFile(watchFolder, "loop.mp4", { seconds: 2 });
  const fileId = await waitFor("the file to be checked", DEADLINE_MS, async () => {
    const files = mediaFiles.parse(await api.request("GET", "/api/v2/media-files"));
    return files.find(({ fileState }) => fileState === "ready")?.fileId;
  });
  const becomes = (what: string, isSo: (source: z.output<typeof sourceAnswer>) => boolean) =>
    waitFor(`the source to be ${what}`, DEADLINE_MS, async () => {
      const source = await read(api, channel);
      return isSo(source) ? source : undefined;
    });
  await api.request("PUT", sourceOf(channel), { fileIds: [fileId], loop: true });
  await api.request("POST", `${sourceOf(channel)}/start`);
  const media = () => target.connections[0]?.report.mediaBytes ?? 0;
  await waitFor("the target to get the file", DEADLINE_MS, () => media() > 0 || undefined);
  await rename(watchFolder, `${watchFolder}-away`);
  const away = await becomes("failed", ({ sourceState }) => sourceState === "failed");
  expect(away.sourceReason).toBe("files-away");
  await rename(`${watchFolder}-away`, watchFolder);
  await becomes("playing", ({ sourceState }) => sourceState === "playing");
  expect(target.connections).toHaveLength(1);
  await api.request("POST", `${sourceOf(channel)}/stop`);
});

test.concurrent("a server that cannot keep up starts no file, and starts it once it can", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api, fanfare } = await stage.server();
  const target = { rtmpUrl: "rtmp://live.example.com/app", streamKey: uniqueKey("busy") };
  const channel = await api.createChannel("busy", [target]);
  const { fileId } = await upload(api, await makeFile(stage.folder, "film.mp4", { seconds: 1 }));
  await api.request("PUT", sourceOf(channel), { fileIds: [fileId] });
  const isOverloaded = async () => {
    const answer = await fetch(`${fanfare.origin}/readyz`);
    return (await answer.text()).includes("This server cannot keep up");
  };
  process.kill(fanfare.pid, "SIGSTOP");
  await pass(STOPPED_MS);
  process.kill(fanfare.pid, "SIGCONT");
  await expect.poll(isOverloaded, { timeout: DEADLINE_MS }).toBe(true);
  await expect(api.request("POST", `${sourceOf(channel)}/start`)).rejects.toThrow("cannot keep up");
  await expect.poll(isOverloaded, { timeout: DEADLINE_MS }).toBe(false);
  await api.request("POST", `${sourceOf(channel)}/start`);
});
