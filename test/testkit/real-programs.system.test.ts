import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { type AudioSettings, loopedClip, syntheticClip, VIDEO_NAMES } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget, type TargetOptions } from "../../src/testkit/target/target.ts";
import type { TargetLogin } from "../../src/testkit/target/target-login.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { KitCommand } from "../support/processes/kit-command.ts";
import { makeClip } from "../support/streams/clip.ts";
import { isVideo } from "../support/streams/flv-file.ts";
import { packetHashes } from "../support/streams/packet-hashes.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";

// The testkit beside programs that it was not written for: FFmpeg and nginx-rtmp understand what it sends.

const WAIT_MS = 15_000;

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-testkit-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startTarget(options: TargetOptions = {}): Promise<KitTarget> {
  const target = await KitTarget.start(options);
  onTestFinished(() => target.close());
  return target;
}

async function fileOf(tags: Iterable<FlvTag>): Promise<string> {
  const path = join(await newFolder(), "clip.flv");
  await writeFile(path, Buffer.concat([FLV_FILE_START, ...[...tags].map(encodeFlvTag)]));
  return path;
}

/** How FFmpeg ended when it decoded the whole file, and its messages. */
async function decoded(path: string): Promise<string> {
  const child = await startChild("ffmpeg", ["-hide_banner", "-v", "error", "-nostdin", "-i", path, "-f", "null", "-"]);
  const { code } = await child.exited;
  return `${code} ${child.stderr()}`;
}
const CLEANLY = "0 ";

const audioSettings: readonly AudioSettings[] = [
  { sampleRate: 44_100, channels: 1 },
  { sampleRate: 48_000, channels: 2 },
  { sampleRate: 44_100, channels: 2 },
  { sampleRate: 48_000, channels: 1 },
];

// Not side by side: what a test cleans up is registered behind an `await`, where the runner no longer knows whose it is.
test.each(VIDEO_NAMES.map((name, index) => ({ name, audio: audioSettings[index] })))(
  "FFmpeg decodes the synthetic clip $name without a message, and no two packets of it are alike",
  async ({ name, audio }) => {
    const path = await fileOf(
      syntheticClip({ video: name, seconds: 3, ...(audio === undefined ? {} : { audio }) }).tags(),
    );
    expect(await decoded(path)).toBe(CLEANLY);
    const hashes = await packetHashes(path);
    expect(hashes.video).toHaveLength(75);
    expect(new Set(hashes.video).size).toBe(75);
    expect(new Set(hashes.audio).size).toBe(hashes.audio.length);
    expect(hashes.audio.length).toBeGreaterThan(128);
  },
);

test("FFmpeg decodes a looped clip as one stream", async () => {
  const tags: FlvTag[] = [];
  for (const tag of loopedClip(syntheticClip({ seconds: 1 })).tags()) {
    if (tag.timestamp >= 3_000) break;
    tags.push(tag);
  }
  expect(await decoded(await fileOf(tags))).toBe(CLEANLY);
});

test("nginx-rtmp takes what the encoder sends, and FFmpeg decodes nginx's recording", async () => {
  const nginx = await NginxTarget.start(await newFolder());
  onTestFinished(() => nginx.stop());
  const clip = syntheticClip({ video: "360p-b", seconds: 5 });
  const encoder = new KitEncoder({ url: nginx.url, streamKey: "kit", clip, speed: 20 });
  expect((await encoder.closed).end).toEqual({ how: "finished" });
  const { path } = await nginx.waitForRecording("kit", (tags) => tags.filter(isVideo).length === 126, WAIT_MS);
  expect(await decoded(path)).toBe(CLEANLY);
  const args = ["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames"];
  expect(await runToEnd("ffprobe", [...args, "-of", "csv=p=0", path])).toBe("125\n");
});

test("FFmpeg understands a refused key", async () => {
  const target = await startTarget({ behaviour: { refuse: "bad-name" } });
  const encoder = await startFfmpeg(await makeClip({ seconds: 1 }), `${target.url}/a-key`);
  expect((await encoder.exited).code).toBe(1);
  expect(encoder.stderr()).toContain("No such stream key.");
});

test("FFmpeg publishes, and the target's recording is what was sent", async () => {
  const folder = await newFolder();
  const clip = await makeClip({ seconds: 6 });
  const target = await startTarget({ recordInto: folder });
  const args = ["-hide_banner", "-v", "error", "-nostdin", "-i", clip.path, "-c", "copy", "-tcp_nodelay", "1"];
  await runToEnd("ffmpeg", [...args, "-f", "flv", `${target.url}/a-key`]);
  const report = await target.connections[0]?.closed;
  const path = join(folder, "1-1.flv");
  expect(report?.recordings).toEqual([path]);
  expect(await decoded(path)).toBe(CLEANLY);
  expect(await packetHashes(path)).toEqual(await packetHashes(clip.path));
});

const logins: readonly (TargetLogin & { readonly name: string })[] = [
  { name: "Adobe's way", scheme: "adobe", id: "user", password: "pass+word" },
  { name: "Adobe's way, without an opaque value", scheme: "adobe", id: "user", password: "pass", proofOf: "challenge" },
  { name: "Limelight's way", scheme: "llnw", id: "user", password: "pass" },
];

test.each(logins)("FFmpeg logs in $name, and with a wrong password it does not", async ({ name: _name, ...login }) => {
  const target = await startTarget({ behaviour: { login } });
  const clip = await makeClip({ seconds: 1 });
  const address = (password: string, key: string) =>
    `rtmp://${login.id}:${password}@127.0.0.1:${target.port}/live/${key}`;
  const encoder = await startFfmpeg(clip, address(login.password, "a-key"));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  const reports = await Promise.all(target.connections.map((connection) => connection.closed));
  expect(reports).toHaveLength(3);
  expect(reports[2]).toMatchObject({ app: "live", streamName: "a-key", stage: "unpublished" });
  expect(reports[2]?.mediaBytes).toBeGreaterThan(0);

  const rejected = await startFfmpeg(clip, address("wrong", "another-key"));
  expect((await rejected.exited).code).toBe(1);
  const refused = await Promise.all(target.connections.slice(3).map((connection) => connection.closed));
  expect(refused.map(({ stage, commands }) => [stage, commands.includes("publish")])).toEqual([
    ["connect", false],
    ["connect", false],
    ["connect", false],
  ]);
});

test("FFmpeg logs in to the command's target, which prints no password", async () => {
  const command = new KitCommand(["target", "--port", "0", "--login", "adobe:someone:a:secret"]);
  const url = `rtmp://someone:a:secret@127.0.0.1:${await command.port()}/live/a-key`;
  const encoder = await startFfmpeg(await makeClip({ seconds: 1 }), url);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await command.until({ event: "closed", stage: "unpublished", app: "live" });
  expect(command.stdout).not.toContain("secret");
});
