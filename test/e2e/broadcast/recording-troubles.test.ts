import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { SmallDisk } from "../../support/processes/small-disk.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { codecClip } from "../../support/streams/codec-clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { makeFile } from "../../support/streams/made-files.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 30_000;
const RECORDINGS = "/api/v2/re-stream/recordings";
const recording = z.looseObject({
  recordingId: z.string(),
  container: z.string(),
  endReason: z.string().optional(),
  durationMilliseconds: z.int(),
});
const channelAnswer = z.looseObject({
  recording: z.looseObject({ status: z.string(), reason: z.looseObject({ code: z.string() }).optional() }),
});

async function newest(api: ApiClient, { channelId }: Channel) {
  const [found] = z.array(recording).parse(await api.request("GET", `${RECORDINGS}?channelId=${channelId}`));
  return found;
}

const record = ({ channelId }: Channel, api: ApiClient) =>
  api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { recording: { enabled: true } });

test.concurrent("a disk that is full ends the recording with a reason; the platform gets its stream, and the file plays", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const disk = await SmallDisk.mount(join(stage.folder, "disk"), onTestFinished);
  const recordings = join(disk.folder, "files");
  const target = await stage.target();
  const environment = { FANFARE_RECORDING_FOLDER: recordings, FANFARE_RECORDING_KEEP_FREE_MB: "0" };
  const { api } = await stage.server({ environment });
  const channel = await api.createChannel("full", [{ rtmpUrl: target.url, streamKey: uniqueKey("full") }]);
  await record(channel, api);
  await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  await waitFor("a second of a recording", DEADLINE_MS, async () =>
    ((await newest(api, channel))?.durationMilliseconds ?? 0) > 1_000 ? true : undefined,
  );
  disk.fill();
  const status = async () =>
    channelAnswer.parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}`)).recording;
  const failed = await waitFor("the recording to fail", DEADLINE_MS, async () => {
    const now = await status();
    return now.status === "FAIL" ? now : undefined;
  });
  expect(failed.reason?.code).toBe("DISK_FULL");
  const file = await newest(api, channel);
  expect(file?.endReason).toBe("DISK_FULL");
  await moreMedia(() => [target.connections[0]?.report.mediaBytes ?? 0], 200_000);
  expect(target.connections).toHaveLength(1);
  const path = join(recordings, channel.channelId, `${file?.recordingId}.mp4`);
  expect(await decodingErrors(path)).toBe("");
});

test.concurrent("HEVC is recorded as MP4, and plays", async ({ onTestFinished }) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api } = await stage.server();
  const channel = await api.createChannel("hevc", [{ rtmpUrl: target.url, streamKey: uniqueKey("hevc") }]);
  await record(channel, api);
  const encoder = stage.kitEncoder(channel, { clip: await codecClip(stage.folder, "hevc") });
  await waitFor("two seconds of a recording", DEADLINE_MS, async () =>
    ((await newest(api, channel))?.durationMilliseconds ?? 0) > 2_000 ? true : undefined,
  );
  await encoder.stop("clean");
  const file = await waitFor("the end of the recording", DEADLINE_MS, async () => {
    const found = await newest(api, channel);
    return found?.endReason === undefined ? undefined : found;
  });
  expect(file).toMatchObject({ container: "mp4", endReason: "BROADCAST_ENDED" });
  const path = join(stage.folder, "data", "recordings", channel.channelId, `${file.recordingId}.mp4`);
  const codec = ["-select_streams", "v", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", path];
  expect((await runToEnd("ffprobe", ["-v", "error", ...codec])).trim()).toMatch(/^hevc,\d+$/);
  expect(await decodingErrors(path)).toBe("");
});

test.concurrent("a file without its end is refused with a reason, or plays as far as it goes", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("cut", [{ rtmpUrl: target.url, streamKey: uniqueKey("cut") }]);
  const cut = async (name: string) => {
    const whole = await readFile(await makeFile(stage.folder, `whole-${name}`, { seconds: 6 }));
    const path = join(stage.folder, name);
    await writeFile(path, whole.subarray(0, Math.floor(whole.length / 2)));
    return await upload(api, path);
  };
  // The index of an MP4 file is at its end.
  const mp4 = await cut("cut.mp4");
  expect(mp4.fileState).toBe("refused");
  expect(mp4.refusedFor).toBeDefined();
  const mkv = await cut("cut.mkv");
  expect(mkv.fileState).toBe("ready");
  const source = `/api/v2/re-stream/channels/${channel.channelId}/source`;
  await api.request("PUT", source, { fileIds: [mkv.fileId] });
  await api.request("POST", `${source}/start`);
  const state = z.looseObject({ sourceState: z.string(), sourceReason: z.string().optional() });
  const over = await waitFor("the file to end", DEADLINE_MS, async () => {
    const now = state.parse(await api.request("GET", source));
    return now.sourceState === "stopped" || now.sourceState === "failed" ? now : undefined;
  });
  expect(over.sourceState).toBe("stopped");
  const [connection] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  const [path = ""] = connection?.report.recordings ?? [];
  expect(await decodingErrors(path)).toBe("");
});
