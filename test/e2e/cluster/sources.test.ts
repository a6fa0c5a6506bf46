import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
/** More than the headers and the first frame of a clip. */
const MEDIA_BYTES = 50_000;
const ZONE = "Asia/Seoul";

const sourceAnswer = z.looseObject({ sourceState: z.string(), sourceReason: z.string().optional() });
const filesAnswer = z.array(z.looseObject({ fileId: z.string(), fileState: z.string() }));
const channelAnswer = z.looseObject({
  health: z.looseObject({ state: z.string(), reason: z.looseObject({ code: z.string() }).optional() }),
});
const eventsAnswer = z.array(z.looseObject({ eventCode: z.string() }));

const urlOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}`;

/** A pull that finds nobody is told by both nodes, and stopped from the one where it does not play. */
async function failsEverywhere([first, second]: readonly [ApiClient, ApiClient]): Promise<void> {
  const nobody = `rtmp://127.0.0.1:${await freePort()}/live/nobody`;
  const channel = await first.createChannel("nobody", [{ rtmpUrl: nobody, streamKey: uniqueKey("nobody") }]);
  const source = `${urlOf(channel)}/source`;
  await second.request("PUT", source, { pull: { url: nobody } });
  await first.request("POST", `${source}/start`);
  const verdicts = async () =>
    Promise.all(
      [first, second].map(async (api) => channelAnswer.parse(await api.request("GET", urlOf(channel))).health),
    );
  const broken = { state: "broken", reason: { code: "TCP_REFUSED" } };
  await expect.poll(verdicts, { timeout: DEADLINE_MS }).toMatchObject([broken, broken]);
  await second.request("POST", `${source}/stop`);
  await expect.poll(verdicts, { timeout: DEADLINE_MS }).toMatchObject([{ state: "waiting" }, { state: "waiting" }]);
  expect(sourceAnswer.parse(await first.request("GET", source))).toMatchObject({ sourceReason: "stopped-by-person" });
}

/** A start so many milliseconds from now. */
function startIn(ms: number) {
  const time = new Date(Math.ceil((Date.now() + ms) / 1_000) * 1_000);
  const [onDate = "", startAt = ""] = time.toLocaleString("sv-SE", { timeZone: ZONE }).split(" ");
  return { timeZone: ZONE, repeat: "once", onDate, startAt };
}

test("a schedule starts once on two nodes; files and a pull whose node is killed play on at the other", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const watched = join(stage.folder, "watched");
  await mkdir(watched);
  const clip = await makeFile(stage.folder, "clip.mp4", { seconds: 10 });
  const nginx = await stage.nginx();
  const [pulledTo, playedTo, loopedTo] = [await stage.target(), await stage.target(), await stage.target()];
  const cluster = await StageCluster.open(stage);
  const watching = { FANFARE_WATCH_FOLDER: watched };
  const [a, b] = [await cluster.node("a", watching), await cluster.node("b", watching)];
  const logs = () => cluster.output;
  const media = (target: typeof pulledTo, connection: number) =>
    waitFor(
      `media on connection ${connection}`,
      DEADLINE_MS,
      () => (target.connections[connection]?.report.mediaBytes ?? 0) > MEDIA_BYTES || undefined,
      logs,
    );
  await copyFile(clip, join(watched, "show.mp4"));
  const key = uniqueKey("camera");
  stage.keepSecret(key);
  await stage.ffmpeg({ path: clip }, `${nginx.url}/${key}`, { loops: true });
  const pulled = await a.api.createChannel("pulled", [{ rtmpUrl: pulledTo.url, streamKey: uniqueKey("pulled") }]);
  const played = await a.api.createChannel("played", [{ rtmpUrl: playedTo.url, streamKey: uniqueKey("played") }]);
  const source = `${urlOf(pulled)}/source`;
  await a.api.request("PUT", source, { pull: { url: `${nginx.url}/${key}` } });
  await a.api.request("POST", `${source}/start`);
  await media(pulledTo, 0);
  const read = async (api: ApiClient) => sourceAnswer.parse(await api.request("GET", source));
  await expect.poll(() => read(b.api), { timeout: DEADLINE_MS }).toMatchObject({ sourceState: "playing" });
  await expect(b.api.request("POST", `${source}/start`)).rejects.toThrow("plays already");
  await failsEverywhere([a.api, b.api]);

  const fileOf = async (api: ApiClient) =>
    filesAnswer.parse(await api.request("GET", "/api/v2/media-files")).find(({ fileState }) => fileState === "ready")
      ?.fileId;
  const fileIds = await Promise.all(
    [a, b].map(({ api }) => waitFor("the watched file", DEADLINE_MS, () => fileOf(api), logs)),
  );
  expect(fileIds[0]).toBe(fileIds[1]);
  // A file that plays at the node which is killed below.
  const looped = await a.api.createChannel("looped", [{ rtmpUrl: loopedTo.url, streamKey: uniqueKey("looped") }]);
  const loop = `${urlOf(looped)}/source`;
  await a.api.request("PUT", loop, { fileIds: fileIds.slice(0, 1), loop: true });
  await a.api.request("POST", `${loop}/start`);
  await media(loopedTo, 0);
  const show = { scheduleName: "show", fileIds: fileIds.slice(0, 1), loop: true, ...startIn(7_000) };
  await a.api.request("POST", `${urlOf(played)}/schedules`, show);
  await media(playedTo, 0);
  const started = async () =>
    eventsAnswer
      .parse(await b.api.request("GET", `${urlOf(played)}/events`))
      .filter(({ eventCode }) => eventCode.startsWith("SCHEDULE_"))
      .map(({ eventCode }) => eventCode);
  await expect.poll(started, { timeout: DEADLINE_MS }).toEqual(["SCHEDULE_STARTED"]);

  // Each node that carries a source is killed; only the pull's is known beforehand.
  const before = pulledTo.connections.length;
  expect(before).toBe(1);
  await a.fanfare.kill();
  await media(pulledTo, 1);
  expect(await read(b.api)).toMatchObject({ sourceState: "playing" });
  await media(loopedTo, 1);
  const loops = z.looseObject({ sourceState: z.string(), fileId: z.string() }).parse(await b.api.request("GET", loop));
  expect(loops).toMatchObject({ sourceState: "playing", fileId: fileIds[0] });
  const hasPlayed = async () => {
    const answer = await b.api.request("GET", `${urlOf(played)}/source`);
    return sourceAnswer.parse(answer).sourceState;
  };
  await expect.poll(hasPlayed, { timeout: DEADLINE_MS }).toBe("playing");
  const last = playedTo.connections.length - 1;
  await media(playedTo, last);
  expect([pulledTo.connections.length, await started()]).toEqual([2, ["SCHEDULE_STARTED"]]);
});
