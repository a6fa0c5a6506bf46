import { strict as assert } from "node:assert";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { upload } from "../support/dashboard/media-uploads.ts";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { decodingErrors } from "../support/streams/decoding.ts";
import { makeFile } from "../support/streams/made-files.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";

// Run by scripts/try-compose.sh: a broadcast through a server that runs elsewhere, from FFmpeg to nginx, with a recording and
// a slate. Ends with 1 where something of it does not work.

const DEADLINE_MS = 30_000;
const NGINX_PORT = 11_935;
const KEY = "container";
const STOP_MS = 3_000;
/** Of a frame of two by two pixels of three colours. */
const FRAME_BYTES = 12;
const CHANNELS = "/api/v2/re-stream/channels";
const RECORDINGS = "/api/v2/re-stream/recordings";

const slate = z.looseObject({ slateState: z.string(), slateShown: z.boolean() });
const recordings = z.array(z.looseObject({ recordingId: z.string(), state: z.string(), bytes: z.int() }));

const [host = "", accessKey = "", secretKey = "", folder = ""] = process.argv.slice(2);
const origin = `http://${host}:8080`;
const api = new ApiClient(origin, { accessKey, secretKey }, () => undefined);
const say = (text: string) => process.stdout.write(`${text}\n`);

await mkdir(folder, { recursive: true });
const nginx = await NginxTarget.start(join(folder, "nginx"), { host, port: NGINX_PORT });
const { channelId, streamKey } = await api.createChannel("container", [{ rtmpUrl: nginx.url, streamKey: KEY }]);
const url = `${CHANNELS}/${channelId}`;
await api.request("PUT", url, { recording: { enabled: true } });
const picture = join(folder, "red.png");
await runToEnd("ffmpeg", [
  ...["-v", "error", "-y", "-f", "lavfi", "-i", "color=red:size=640x360", "-frames:v", "1", picture],
]);
const { fileId, fileState } = await upload(api, picture);
assert.equal(fileState, "ready");
await api.request("PUT", `${url}/slate`, { fileId });

const clip = await makeFile(folder, "clip.mp4", { seconds: 4 });
const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy"];
const encoder = await startChild("ffmpeg", [...input, "-f", "flv", `rtmp://${host}:1935/relay/${streamKey}`]);
const isShown = (isWanted: (found: z.infer<typeof slate>) => boolean) =>
  waitFor("the slate", DEADLINE_MS, async () =>
    isWanted(slate.parse(await api.request("GET", `${url}/slate`))) ? true : undefined,
  );
await isShown(({ slateState }) => slateState === "ready");
await api.request("POST", `${url}/curtain`);
await isShown(({ slateShown }) => slateShown);
const { tags } = await nginx.waitForRecording(KEY, ({ length }) => length > 0, DEADLINE_MS);
await nginx.waitForRecording(KEY, ({ length }) => length > tags.length + 100, DEADLINE_MS);
await api.request("DELETE", `${url}/curtain`);
await isShown(({ slateShown }) => !slateShown);
await api.request("POST", `${url}/end`);
await encoder.stop("SIGKILL", STOP_MS);

const [kept] = await waitFor("the recording", DEADLINE_MS, async () => {
  const found = recordings.parse(await api.request("GET", `${RECORDINGS}?channelId=${channelId}`));
  return found.length > 0 && found.every(({ state }) => state === "FINISHED") ? found : undefined;
});
const path = `${RECORDINGS}/${channelId}/${kept?.recordingId}/file`;
const answer = await fetch(`${origin}${path}`, { headers: api.signedHeaders("GET", path) });
const recording = join(folder, "recording.mp4");
await writeFile(recording, Buffer.from(await answer.arrayBuffer()));
assert.equal(await decodingErrors(recording), "");
await nginx.stop();
const [published = { path: "", tags: [] }, ...others] = await nginx.recordings(KEY);
assert.equal(others.length, 0);
assert.equal(await decodingErrors(published.path), "");
assert.equal(await hasRedFrame(published.path), true);
say(`${published.tags.length} tags at nginx over one connection, ${kept?.bytes} bytes recorded; both decode`);

/** Whether the slate is among the frames: one that is red in all its corners. */
async function hasRedFrame(file: string): Promise<boolean> {
  const frames = join(folder, "frames.rgb");
  const output = ["-an", "-vf", "scale=2:2,format=rgb24", "-f", "rawvideo", frames];
  await runToEnd("ffmpeg", ["-v", "error", "-y", "-i", file, ...output]);
  const bytes = await readFile(frames);
  const starts = Array.from({ length: Math.floor(bytes.length / FRAME_BYTES) }, (_, index) => index * FRAME_BYTES);
  return starts.some((start) =>
    bytes.subarray(start, start + FRAME_BYTES).every((value, index) => (index % 3 === 0 ? value > 200 : value < 60)),
  );
}
