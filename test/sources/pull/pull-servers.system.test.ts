import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttps } from "node:https";
import { connect, type Server } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createServer as createTls } from "node:tls";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { FlvReader } from "../../../src/protocol/flv/flv-reader.ts";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { parseAvcConfig } from "../../../src/protocol/flv/video/avc-config.ts";
import { classifyVideo } from "../../../src/protocol/flv/video/video-tag.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { type Clip, syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { runToEnd, startChild } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { certificate } from "../../support/stages/certificates.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { makeFile } from "../../support/streams/made-files.ts";
import { NginxTarget } from "../../support/targets/nginx-target.ts";
import { pullMedia } from "../../support/targets/pulled-media.ts";

const DEADLINE_MS = 60_000;
const CLIP_SECONDS = 8;
const FRAMES = 30;
/** Debian's, which has the bindings. */
const PYTHON = "/usr/bin/python3";
const RTSP_SERVER = join(import.meta.dirname, "..", "..", "support", "targets", "rtsp-server.py");
const AUTHORITY = certificate("Test authority", { isAuthority: true });
const PAIR = certificate("127.0.0.1", { by: AUTHORITY });

let folder = "";
let clip = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-pulls-"));
  clip = await makeFile(folder, "clip.mp4", { seconds: CLIP_SECONDS, size: "320x180" });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function listen(server: Server, host: string): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Plays the source until a second of it has come, which must decode without a message. */
async function plays(url: string): Promise<void> {
  const pulled = pullMedia(url, { extraCa: AUTHORITY.cert });
  onTestFinished(() => pulled.close());
  await waitFor(
    "media of the source",
    DEADLINE_MS,
    () => (pulled.count("video") >= FRAMES && pulled.count("audio") >= FRAMES ? true : undefined),
    () => JSON.stringify(pulled.statuses),
  );
  const path = join(await mkdtemp(join(folder, "got-")), "got.flv");
  await writeFile(path, pulled.flv());
  expect(await decodingErrors(path)).toBe("");
}

/** The clip as HLS, with these options of FFmpeg's muxer; returns what serves it. */
async function hls(name: string, ...options: readonly string[]): Promise<RequestListener> {
  const place = join(folder, name);
  await mkdir(place);
  const output = ["-f", "hls", "-hls_time", "2", "-hls_list_size", "0", ...options, join(place, "index.m3u8")];
  await runToEnd("ffmpeg", ["-v", "error", "-i", clip, "-c", "copy", ...output]);
  return (request, response) => {
    readFile(join(place, basename(request.url ?? "")))
      .then((bytes) => response.end(bytes))
      .catch(() => response.writeHead(404).end());
  };
}

/** A transport stream of these codecs as one segment of HLS; returns its address. */
async function transportStream(name: string, ...codecs: readonly string[]): Promise<string> {
  const path = join(folder, `${name}.ts`);
  await runToEnd("ffmpeg", ["-v", "error", "-stream_loop", "3", "-i", clip, ...codecs, "-f", "mpegts", path]);
  const server = createServer((request, response) => {
    if (request.url === "/a.ts") return void readFile(path).then((bytes) => response.end(bytes));
    response.end(["#EXTM3U", "#EXT-X-TARGETDURATION:32", "#EXTINF:32,", "a.ts", "#EXT-X-ENDLIST"].join("\n"));
  });
  onTestFinished(() => void server.closeAllConnections());
  return `http://127.0.0.1:${await listen(server, "127.0.0.1")}/live.m3u8`;
}

test("the sound of television (MP2) becomes AAC", async () => {
  await plays(await transportStream("television", "-c:v", "copy", "-c:a", "mp2"));
});

test("video that does not fit is named, also where FFmpeg left in the middle of a segment", async () => {
  const url = await transportStream("mpeg2", "-c:v", "mpeg2video", "-b:v", "8M", "-minrate", "8M", "-c:a", "aac");
  const pulled = pullMedia(url, { extraCa: AUTHORITY.cert });
  onTestFinished(() => pulled.close());
  const failed = await waitFor("the refusal", DEADLINE_MS, () =>
    pulled.statuses.find(({ state }) => state === "failed"),
  );
  expect(failed).toMatchObject({
    link: { lastError: { code: "CODEC_UNSUPPORTED", message: expect.stringContaining("(mpeg2video)") } },
  });
});

test("HLS with fragmented MP4 over HTTPS, by a certificate of an own authority", async () => {
  const serve = await hls("fmp4", "-hls_segment_type", "fmp4");
  const server = createHttps({ key: PAIR.key, cert: PAIR.cert }, serve);
  const url = `https://127.0.0.1:${await listen(server, "127.0.0.1")}/index.m3u8`;
  onTestFinished(() => void server.closeAllConnections());
  await plays(url);
  const stranger = pullMedia(url);
  onTestFinished(() => stranger.close());
  const failed = await waitFor("the refusal", DEADLINE_MS, () =>
    stranger.statuses.find(({ state }) => state === "failed"),
  );
  expect(failed).toMatchObject({ link: { lastError: { code: "TLS_FAILED" } } });
});

test("HLS whose size changes at a joint has a new sequence header there, and the best variant of H.264 is fetched", async () => {
  const [one, other] = [await hls("one"), await hls("other", "-vf", "scale=640:360", "-c:v", "libx264", "-g", "30")];
  const lists = ["one", "other"].map((name) => readFile(join(folder, name, "index.m3u8"), "utf8"));
  const segments = (await Promise.all(lists)).map((text, index) =>
    (/#EXTINF.*\n.*/.exec(text)?.[0] ?? "").replace("index", `${["one", "other"][index]}/index`),
  );
  const [before = "", after = ""] = segments;
  const media = ["#EXTM3U", "#EXT-X-TARGETDURATION:3", before, "#EXT-X-DISCONTINUITY", after, "#EXT-X-ENDLIST"];
  const master = [
    ...["#EXTM3U", '#EXT-X-STREAM-INF:BANDWIDTH=9000000,CODECS="hvc1.1.6.L93.B0,mp4a.40.2"', "h265.m3u8"],
    ...['#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=320x180,CODECS="avc1.4d401f,mp4a.40.2"', "h264.m3u8"],
  ];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (url === "/index.m3u8") return void response.end(master.join("\n"));
    if (url === "/h264.m3u8") return void response.end(media.join("\n"));
    return (url.startsWith("/one/") ? one : other)(request, response);
  });
  onTestFinished(() => void server.closeAllConnections());
  const pulled = pullMedia(`http://127.0.0.1:${await listen(server, "127.0.0.1")}/index.m3u8`);
  onTestFinished(() => pulled.close());
  const sizes = await waitFor("both sizes", DEADLINE_MS, () => {
    const headers = new FlvReader().push(pulled.flv()).filter(({ type, payload }) => type === 9 && payload[1] === 0);
    const widths = headers.map(({ payload }) => parseAvcConfig(payload.subarray(5))?.format?.width);
    return widths.includes(640) ? widths : undefined;
  });
  expect(sizes).toEqual([320, 640]);
  expect(pulled.statuses.find(({ state }) => state === "playing")).toMatchObject({
    link: { variant: { bitRate: 800_000, width: 320, height: 180, codecs: "avc1.4d401f,mp4a.40.2" } },
  });
});

/** The clip in two sizes as fragmented MP4: head and lines of both, and what serves all but the playlist. */
async function twoForms() {
  const forms = [
    { name: "small", options: ["-c:v", "copy"] },
    { name: "large", options: ["-vf", "scale=640:360", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30"] },
  ];
  for (const { name, options } of forms) {
    await rm(join(folder, name), { recursive: true, force: true });
    await hls(name, ...options, "-hls_segment_type", "fmp4");
  }
  const lists = forms.map(async ({ name }) => {
    const text = await readFile(join(folder, name, "index.m3u8"), "utf8");
    return text.match(/#EXT-X-MAP.*|#EXTINF.*\n.*/g)?.map((line) => line.replace(/(?=init|index)/, `/${name}/`)) ?? [];
  });
  const [small = [], large = []] = await Promise.all(lists);
  const serve = async (playlist: (url: string) => readonly string[]): Promise<string> => {
    const server = createServer((request, response) => {
      const { url = "" } = request;
      const head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:3"];
      const lines = playlist(url);
      if (url.endsWith(".m3u8")) response.end([...head, ...lines].join("\n"));
      else
        readFile(join(folder, url.slice(1))).then(
          (bytes) => response.end(bytes),
          () => response.destroy(),
        );
    });
    onTestFinished(() => void server.closeAllConnections());
    return `http://127.0.0.1:${await listen(server, "127.0.0.1")}/index.m3u8`;
  };
  return { small, large, serve };
}

/** The widths that the first sequence headers of the video say, in their order, once there are so many. */
async function widthsOf(pulled: ReturnType<typeof pullMedia>, count: number): Promise<readonly (number | undefined)[]> {
  return await waitFor("other sizes", DEADLINE_MS, () => {
    const headers = new FlvReader().push(pulled.flv()).filter(({ type, payload }) => type === 9 && payload[1] === 0);
    const widths = headers.map(({ payload }) => parseAvcConfig(payload.subarray(5))?.format?.width);
    return widths.length >= count ? widths.slice(0, count) : undefined;
  });
}

test("audio of HLS that goes on with another sample rate keeps its pitch: it is encoded from then on", async () => {
  const names = ["usual", "advertisement"];
  const [usual, advertisement] = [
    await hls("usual"),
    await hls("advertisement", "-c:v", "copy", "-c:a", "aac", "-ar", "44100"),
  ];
  const lists = names.map(async (name) => {
    const text = await readFile(join(folder, name, "index.m3u8"), "utf8");
    return text.match(/#EXTINF.*\n.*/g)?.map((line) => line.replace("index", `/${name}/index`)) ?? [];
  });
  const [before = [], after = []] = await Promise.all(lists);
  const media = ["#EXTM3U", "#EXT-X-TARGETDURATION:3", ...before.slice(0, 1), "#EXT-X-DISCONTINUITY", ...after];
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (url === "/index.m3u8") return void response.end([...media, "#EXT-X-ENDLIST"].join("\n"));
    return (url.startsWith("/usual/") ? usual : advertisement)(request, response);
  });
  onTestFinished(() => void server.closeAllConnections());
  const pulled = pullMedia(`http://127.0.0.1:${await listen(server, "127.0.0.1")}/index.m3u8`);
  onTestFinished(() => pulled.close());
  const heard = await waitFor("the end of the encoded audio", DEADLINE_MS, () => {
    const audio = new FlvReader().push(pulled.flv()).filter(({ type }) => type === MessageType.Audio);
    const headers = audio.flatMap(({ payload }, at) => (payload[1] === 0 && payload.length > 2 ? [at] : []));
    const [, begin, end] = headers;
    if (begin === undefined || end === undefined) return undefined;
    return audio.slice(begin, end).filter(({ payload }) => payload[1] === 1).length;
  });
  // 2 s and 8 s of frames at 48 kHz: at 44.1 kHz there are 30 less.
  expect(Math.abs(heard - (10 * 48_000) / 1_024)).toBeLessThan(10);
  expect(pulled.statuses.slice(0, 4).map(({ state }) => state)).toEqual(["starting", "playing", "starting", "playing"]);
});

test("HLS of fragmented MP4 that goes on in another size is connected to anew, and comes in that size", async () => {
  const { small, large, serve } = await twoForms();
  let isOther = false;
  const url = await serve((asked) => {
    if (asked.startsWith("/large/init")) isOther = true;
    // Live streams are joined three segments before their end.
    return isOther ? large : [...small.slice(0, 3), "#EXT-X-DISCONTINUITY", ...large.slice(0, 2)];
  });
  const pulled = pullMedia(url);
  onTestFinished(() => pulled.close());
  expect(await widthsOf(pulled, 2)).toEqual([320, 640]);
  expect(pulled.statuses.find((status) => status.state === "failed")).toMatchObject({
    link: { lastError: { message: expect.stringContaining("another form") } },
  });
});

test("a recording in HLS whose size changes goes on behind the change, and begins again only at its end", async () => {
  const { small, large, serve } = await twoForms();
  const [before, after] = [small.slice(0, 2), large.slice(0, 2)];
  const lines = [...before, ...after, ...before].flatMap((line) => [
    ...(line.startsWith("#EXT-X-MAP") ? ["#EXT-X-DISCONTINUITY"] : []),
    line,
  ]);
  const pulled = pullMedia(await serve(() => [...lines, "#EXT-X-ENDLIST"]));
  onTestFinished(() => pulled.close());
  expect(await widthsOf(pulled, 5)).toEqual([320, 640, 320, 320, 640]);
  const reasons = pulled.statuses.flatMap((status) =>
    status.state === "failed" ? [status.link?.lastError?.message] : [],
  );
  const [other, end] = [expect.stringContaining("another form"), expect.stringContaining("ended")];
  expect(reasons.slice(0, 4)).toEqual([other, other, end, other]);
});

test("HLS encrypted by AES-128, over IPv6", async () => {
  const key = join(folder, "secret.key");
  await writeFile(key, Buffer.alloc(16, 0x2a));
  await writeFile(`${key}.info`, `secret.key\n${key}\n`);
  const serve = await hls("aes", "-hls_key_info_file", `${key}.info`);
  const server = createServer((request, response) => {
    if (request.url === "/secret.key") return void response.end(Buffer.alloc(16, 0x2a));
    return serve(request, response);
  });
  onTestFinished(() => void server.closeAllConnections());
  await plays(`http://[::1]:${await listen(server, "::1")}/index.m3u8`);
});

test("RTSP, from GStreamer's server, with a login; G.711 becomes AAC", async () => {
  const server = await startChild(PYTHON, [RTSP_SERVER, "viewer", "secret"]);
  onTestFinished(async () => void (await server.stop("SIGKILL", 1_000)));
  const port = await waitFor(
    "the RTSP server",
    DEADLINE_MS,
    () => {
      if (!server.isRunning()) throw new Error(server.stderr());
      return /^(\d+)\n/.exec(server.stdout())?.[1];
    },
    () => server.stderr(),
  );
  await plays(`rtsp://viewer:secret@127.0.0.1:${port}/camera`);
  const stranger = pullMedia(`rtsp://viewer:wrong@127.0.0.1:${port}/camera`);
  onTestFinished(() => stranger.close());
  const failed = await waitFor("the refusal", DEADLINE_MS, () =>
    stranger.statuses.find(({ state }) => state === "failed"),
  );
  expect(failed).toMatchObject({ link: { lastError: { code: "AUTH_FAILED" } } });
});

test("RTMPS, from nginx behind TLS", async () => {
  const nginx = await NginxTarget.start(join(folder, "nginx"));
  onTestFinished(() => nginx.stop());
  const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy"];
  const encoder = await startChild("ffmpeg", [...input, "-f", "flv", `${nginx.url}/camera`]);
  onTestFinished(async () => void (await encoder.stop("SIGKILL", 1_000)));
  const front = createTls({ key: PAIR.key, cert: PAIR.cert }, (secure) => {
    const plain = connect(nginx.port, "127.0.0.1");
    for (const socket of [secure, plain]) socket.on("error", () => undefined);
    secure.pipe(plain).pipe(secure);
  });
  await plays(`rtmps://127.0.0.1:${await listen(front, "127.0.0.1")}/live/camera`);
});

/** An encoder at nginx that sends its sequence header again before each keyframe, as some do. */
function repeatingEncoder(url: string): KitEncoder {
  const clip = syntheticClip({ video: "180p-b" });
  const encoder = new KitEncoder({
    url,
    streamKey: "camera",
    clip: { ...clip, tags: () => withRepeatedHeaders(clip) },
  });
  onTestFinished(() => void encoder.stop("reset"));
  return encoder;
}

function* withRepeatedHeaders(clip: Clip): Generator<FlvTag> {
  let header: FlvTag | undefined;
  for (const tag of clip.tags()) {
    const { part, isKeyframe } = classifyVideo(tag.type === MessageType.Video ? tag.payload : Buffer.alloc(0));
    if (part === "config") header = tag;
    else if (header !== undefined && isKeyframe) yield { ...header, timestamp: tag.timestamp };
    yield tag;
  }
}

/** Whether a frame is what units with their lengths before them say, up to its last byte. */
function isWhole({ payload }: FlvTag): boolean {
  let at = 5;
  while (at + 4 <= payload.length) at += 4 + payload.readUInt32BE(at);
  return at === payload.length;
}

test("RTMP whose encoder sends its sequence header again and again goes on, with whole frames", async () => {
  const nginx = await NginxTarget.start(join(folder, "nginx-headers"));
  onTestFinished(() => nginx.stop());
  expect(await repeatingEncoder(nginx.url).accepted).toBe(true);
  const pulled = pullMedia(`${nginx.url}/camera`);
  onTestFinished(() => pulled.close());
  const framesOf = () =>
    new FlvReader().push(pulled.flv()).filter(({ type, payload }) => type === MessageType.Video && payload[1] === 1);
  const keyframes = () => framesOf().filter(({ payload }) => payload[0] === 0x17).length;
  await waitFor("several keyframes", DEADLINE_MS, () => (keyframes() >= 4 ? true : undefined));
  expect(pulled.statuses.map(({ state }) => state)).toEqual(["starting", "playing"]);
  expect(framesOf().filter((frame) => !isWhole(frame))).toEqual([]);
});

test("RTMP whose encoder connects anew while it is pulled goes on in its own time", async () => {
  const nginx = await NginxTarget.start(join(folder, "nginx-anew"));
  onTestFinished(() => nginx.stop());
  const before = repeatingEncoder(nginx.url);
  expect(await before.accepted).toBe(true);
  const pulled = pullMedia(`${nginx.url}/camera`);
  onTestFinished(() => pulled.close());
  // Longer than it takes to notice, so that the new times have not caught up before.
  await waitFor("ten seconds of it", DEADLINE_MS, () => (pulled.count("audio") >= 470 ? true : undefined));
  await before.stop("clean");
  expect(await repeatingEncoder(nginx.url).accepted).toBe(true);
  const failed = await waitFor("the loss", DEADLINE_MS, () => pulled.statuses.find(({ state }) => state === "failed"));
  expect(failed).toMatchObject({
    link: { lastError: { code: "REMOTE_CLOSED", message: expect.stringContaining("began anew") } },
  });
  const from = pulled.count("audio");
  await waitFor("three seconds more", DEADLINE_MS, () => (pulled.count("audio") >= from + 140 ? true : undefined));
  expect(pulled.statuses.at(-1)?.state).toBe("playing");
});
