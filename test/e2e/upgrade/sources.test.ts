import { test } from "vitest";
import { z } from "zod";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeFile } from "../../support/streams/made-files.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 60_000;
const MEDIA_BYTES = 100_000;

test.concurrent("a file and a pull go on after an upgrade as what they are: what follows them is let in, over one connection", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const target = await stage.target();
  const { api, fanfare } = await stage.server();
  const open = async (name: string) => {
    const channel = await api.createChannel(name, [{ rtmpUrl: target.url, streamKey: uniqueKey(name) }]);
    return { channel, url: `/api/v2/re-stream/channels/${channel.channelId}` };
  };
  const clip = await makeFile(stage.folder, "clip.mp4", { seconds: 10 });
  const cameras = [uniqueKey("first"), uniqueKey("second")].map((key) => `${nginx.url}/${key}`);
  for (const camera of cameras) await stage.ffmpeg({ path: clip }, camera, { loops: true });
  const [file, other] = [
    await upload(api, clip),
    await upload(api, await makeFile(stage.folder, "b.mp4", { seconds: 5 })),
  ];
  const [files, pull] = [await open("files"), await open("pull")];
  await api.request("PUT", `${files.url}/source`, { fileIds: [file.fileId], loop: true });
  await api.request("PUT", `${pull.url}/source`, { pull: { url: cameras[0] } });
  for (const { url } of [files, pull]) await api.request("POST", `${url}/source/start`);
  const media = () => target.connections.map(({ report }) => report.mediaBytes);
  const more = () => moreMedia(media, MEDIA_BYTES, () => fanfare.output);
  await expect.poll(media).toHaveLength(2);
  await more();

  const older = await fanfare.upgrade();
  const kinds = async () => {
    const channels = [await api.channel(files.channel.channelId), await api.channel(pull.channel.channelId)];
    const isLive = channels.every(({ ingest }) => ingest?.state === "LIVE");
    return isLive ? channels.map(({ ingest }) => ingest?.sourceKind) : undefined;
  };
  expect(await waitFor("both to play on", DEADLINE_MS, kinds)).toEqual(["files", "pull"]);
  // What a running source gives way to: another address, and the start of a schedule.
  await api.request("PUT", `${pull.url}/source`, { pull: { url: cameras[1] } });
  const at = new Date(Math.ceil((Date.now() + 2_000) / 1_000) * 1_000).toISOString();
  const once = { repeat: "once", timeZone: "Etc/UTC", onDate: at.slice(0, 10), startAt: at.slice(11, 19) };
  const show = { scheduleName: "show", fileIds: [other.fileId], loop: true, ...once };
  await api.request("POST", `${files.url}/schedules`, show);
  const ran = await waitFor("the schedule to start", DEADLINE_MS, async () => {
    const listed = z.array(z.looseObject({ lastRun: z.looseObject({ result: z.string() }).optional() }));
    return listed.parse(await api.request("GET", `${files.url}/schedules`))[0]?.lastRun;
  });
  expect(ran).toMatchObject({ result: "STARTED" });
  const isPulled = async () => {
    const pulled = z.looseObject({ connectStatus: z.string(), url: z.string() });
    const source = z.looseObject({ sourceState: z.string(), pull: pulled });
    const { sourceState, pull: now } = source.parse(await api.request("GET", `${pull.url}/source`));
    return sourceState === "playing" && now.connectStatus === "PUBLISHING" && now.url === cameras[1] ? true : undefined;
  };
  await waitFor("the other address to be pulled", DEADLINE_MS, isPulled, () => fanfare.output);
  await more();
  expect(target.connections.map(({ report }) => report.state)).toEqual(["open", "open"]);
  for (const { url } of [files, pull])
    await api.request("POST", `${url}/source/stop`).catch(() => api.request("POST", `${url}/end`));
  expect(await older.exited).toEqual({ code: 0, signal: null });
});
