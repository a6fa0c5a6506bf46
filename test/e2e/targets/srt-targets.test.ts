import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { ObsProgram } from "../../support/encoders/obs-program.ts";
import { startSrtReceiver } from "../../support/encoders/srt-encoder.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage } from "../../support/stages/stage.ts";
import { type Clip, makeClip } from "../../support/streams/clip.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";

const PASSPHRASE = "correct-horse-battery";
const CHANGE_MAX_MS = 30_000;
/** OBS takes long to start on a busy machine. */
const OBS_DEADLINE_MS = 40_000;
const LOOK_EVERY_MS = 500;
/** A busy machine may take long until the receiver is there and connected. */
const CLIP_SECONDS = 20;
/** From one keyframe to the next. */
const GROUP_FRAMES = 50;
const stage = await Stage.open(afterAll);
const { api } = await stage.server({ environment: { FANFARE_TARGET_ALLOW: "127.0.0.0/8,::1/128" } });
stage.keepSecret(PASSPHRASE);

test.concurrent.for([
  { program: "srt-live-transmit", name: "transmit_plain", query: "", secret: undefined },
  { program: "ffmpeg", name: "ffmpeg_aes", query: `?passphrase=${PASSPHRASE}&pbkeylen=32`, secret: PASSPHRASE },
  { program: "ffmpeg", name: "ffmpeg_plain", query: "", secret: undefined },
  { program: "gstreamer", name: "gstreamer_aes", query: `?passphrase=${PASSPHRASE}&pbkeylen=32`, secret: PASSPHRASE },
  { program: "gstreamer", name: "gstreamer_plain", query: "", secret: undefined },
  {
    program: "srt-live-transmit",
    name: "transmit_ipv6_aes",
    query: `?passphrase=${PASSPHRASE}&pbkeylen=32`,
    secret: PASSPHRASE,
    host: "[::1]",
  },
] as const)(
  "a target over SRT gets the encoder's audio and video: $name",
  async ({ program, name, query, secret, ...more }) => {
    const host = "host" in more ? more.host : "127.0.0.1";
    const port = await freePort();
    const path = join(stage.folder, `${name}.ts`);
    const receiver = stage.encoder(await startSrtReceiver(program, port, path, { passphrase: secret, host }));
    const rtmpUrl = `srt://${host}:${port}${query}`;
    const channel = await api.createChannel(name, [{ rtmpUrl, streamKey: "#!::r=live/key,m=publish" }]);
    const watch = stage.watch(api, channel);
    const clip = await makeClip({ seconds: CLIP_SECONDS, kilobits: 500, size: "320x180" });
    const encoder = await stage.ffmpeg(clip, publishUrl(channel));
    await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", CHANGE_MAX_MS);
    expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
    await watch.until(0, ({ connectStatus }) => connectStatus === "READY", CHANGE_MAX_MS);
    await receiver.exited;
    const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(path)]);
    // It begins at the first keyframe after the connection, and has every frame from there to the end.
    expect((sent.video.length - got.video.length) % GROUP_FRAMES).toBe(0);
    expect(got.video.length).toBeGreaterThan(0);
    expect(got.audio.length).toBeGreaterThan((got.video.length * 48_000) / 1_024 / 25 - 12);
  },
);

test.concurrent.for([
  { name: "wrong", query: "?passphrase=another-passphrase", says: "another SRT passphrase" },
  { name: "missing", query: "", says: "Only one side uses an SRT passphrase" },
])("a $name passphrase is said in words", async ({ name, query, says }) => {
  const port = await freePort();
  stage.encoder(
    await startSrtReceiver("srt-live-transmit", port, join(stage.folder, `${name}.ts`), { passphrase: PASSPHRASE }),
  );
  const rtmpUrl = `srt://127.0.0.1:${port}${query}`;
  const channel = await api.createChannel(`${name}_pass`, [{ rtmpUrl, streamKey: "some-stream-id" }]);
  const watch = stage.watch(api, channel);
  await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  const failed = await watch.until(0, ({ lastError }) => lastError?.code === "AUTH_FAILED", CHANGE_MAX_MS);
  expect(failed.lastError?.message).toContain(says);
});

/** Width and height of the pictures that are compared, and bytes of one in RGB. */
const SMALL = { imageWidth: 64, imageHeight: 36 };
const SMALL_BYTES = 64 * 36 * 3;

/** The first picture of a file, small, in RGB. */
async function smallPicture(path: string, to: string): Promise<Buffer> {
  const input = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-i", path];
  const output = ["-frames:v", "1", "-vf", "scale=64:36", "-pix_fmt", "rgb24", "-f", "rawvideo", to];
  await runToEnd("ffmpeg", [...input, ...output]);
  return await readFile(to);
}

test.concurrent("OBS's media source gets the encoder's video over SRT, with AES-256 and in clear", async () => {
  const inputOf = (port: number, query: string) => `srt://127.0.0.1:${port}?mode=listener${query}`;
  const [port, clearPort] = [await freePort(), await freePort()];
  const input = inputOf(port, `&passphrase=${PASSPHRASE}`);
  const settings = { is_local_file: false, input, input_format: "mpegts", hw_decode: false, buffering_mb: 1 };
  const obs = await ObsProgram.start({ folder: stage.folder, source: { id: "ffmpeg_source", settings } });
  stage.onClose(() => obs.kill());
  const rtmpUrl = `srt://127.0.0.1:${port}?passphrase=${PASSPHRASE}&pbkeylen=32`;
  await expectSeen(obs, "obs_source", rtmpUrl, await makeClip({ seconds: 6 }));
  const inputSettings = { input: inputOf(clearPort, "") };
  await obs.request("SetInputSettings", { inputName: "Source", inputSettings });
  // Of other colours: what is left of the first stream does not count.
  await expectSeen(obs, "obs_clear", `srt://127.0.0.1:${clearPort}`, await makeClip({ seconds: 6, pitchHz: 640 }));
});

/** A new channel sends the clip to this address, and OBS shows it. */
async function expectSeen(obs: ObsProgram, name: string, rtmpUrl: string, clip: Clip): Promise<void> {
  const channel = await api.createChannel(name, [{ rtmpUrl, streamKey: "for-obs" }]);
  const watch = stage.watch(api, channel);
  await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", OBS_DEADLINE_MS);
  const expected = await smallPicture(clip.path, join(stage.folder, "clip.rgb"));
  const look = async () => {
    const asked = { sourceName: "Source", imageFormat: "png", ...SMALL };
    // Without a frame so far there is nothing to save.
    const reply = await obs.request("GetSourceScreenshot", asked).catch(() => undefined);
    const data = z.object({ imageData: z.string() }).safeParse(reply).data?.imageData;
    if (data === undefined) return undefined;
    const path = join(stage.folder, "screenshot.png");
    await writeFile(path, Buffer.from(data.slice(data.indexOf(",") + 1), "base64"));
    const seen = await smallPicture(path, join(stage.folder, "screenshot.rgb"));
    const sum = seen.reduce((total, value, at) => total + Math.abs(value - (expected[at] ?? 0)), 0);
    return sum / SMALL_BYTES < 40 ? sum / SMALL_BYTES : undefined;
  };
  const distance = await waitFor("the clip's video in OBS", OBS_DEADLINE_MS, look, () => "", LOOK_EVERY_MS);
  // Black would differ by more than 90 of 255.
  expect(distance).toBeLessThan(40);
}
