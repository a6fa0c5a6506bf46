import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startSrtReceiver } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { publishUrl, Stage } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";

const PASSPHRASE = "correct-horse-battery";
const CHANGE_MAX_MS = 30_000;
const stage = await Stage.open(afterAll);
const { api } = await stage.server({ environment: { FANFARE_TARGET_ALLOW: "127.0.0.0/8,::1/128" } });
stage.keepSecret(PASSPHRASE);

test.concurrent.for([
  { program: "srt-live-transmit", name: "transmit_plain", query: "", secret: undefined },
  { program: "ffmpeg", name: "ffmpeg_aes", query: `?passphrase=${PASSPHRASE}&pbkeylen=32`, secret: PASSPHRASE },
  { program: "ffmpeg", name: "ffmpeg_plain", query: "", secret: undefined },
  { program: "gstreamer", name: "gstreamer_aes", query: `?passphrase=${PASSPHRASE}&pbkeylen=32`, secret: PASSPHRASE },
  { program: "gstreamer", name: "gstreamer_plain", query: "", secret: undefined },
  { program: "srt-live-transmit", name: "transmit_ipv6", query: "", secret: undefined, host: "[::1]" },
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
    const clip = await makeClip({ seconds: 6 });
    const encoder = await stage.ffmpeg(clip, publishUrl(channel));
    await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", CHANGE_MAX_MS);
    expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
    await watch.until(0, ({ connectStatus }) => connectStatus === "READY", CHANGE_MAX_MS);
    await receiver.exited;
    const [sent, got] = await Promise.all([packetHashes(clip.path), packetHashes(path)]);
    // It begins at the first keyframe after the connection: the second one, at 2 s, or the third.
    expect([50, 100]).toContain(sent.video.length - got.video.length);
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
  await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel));
  const failed = await watch.until(0, ({ lastError }) => lastError?.code === "AUTH_FAILED", CHANGE_MAX_MS);
  expect(failed.lastError?.message).toContain(says);
});
