import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient, type Channel } from "../support/dashboard/api-client.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import { startGstreamer } from "../support/encoders/gstreamer-encoder.ts";
import { startLibrtmp } from "../support/encoders/librtmp-encoder.ts";
import { ObsEncoder } from "../support/encoders/obs-encoder.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { makeClip } from "../support/streams/clip.ts";

/**
 * Writes what real encoders send from their first byte to the first of their media into `test/fixtures/captures/`. Run
 * it by hand to add another encoder, or another version of one. Its keys belong to a server that is gone when it ends.
 */

/** Bytes of each encoder's stream, from its first byte on. */
const CAPTURE_MS = 1_000;
const CAPTURE_BYTES_MAX = 40 * 1_024;
const FOLDER = join(ROOT, "test", "fixtures", "captures");

/** A proxy to a port that keeps the first bytes its client sends. */
async function openTap(port: number): Promise<{ readonly port: number; captured(): Buffer; close(): void }> {
  const parts: Buffer[] = [];
  let untilMs: number | undefined;
  const server = createServer((client) => {
    const onward = connect(port, "127.0.0.1");
    client.on("data", (bytes) => {
      untilMs ??= performance.now() + CAPTURE_MS;
      if (performance.now() < untilMs) parts.push(bytes);
    });
    client.pipe(onward).pipe(client);
    for (const socket of [client, onward]) socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    captured: () => Buffer.concat(parts).subarray(0, CAPTURE_BYTES_MAX),
    close: () => void server.close(),
  };
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-capture-"));
const credentials = { accessKey: "CAPTURE0000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const clip = await makeClip({ seconds: 3, kilobits: 200, size: "320x240" });

async function capture(name: string, publish: (channel: Channel, origin: string) => Promise<unknown>): Promise<void> {
  const tap = await openTap(server.rtmpPort);
  const nowhere = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: "none" };
  const channel = await api.createChannel("captured", [nowhere]);
  await publish(channel, `rtmp://127.0.0.1:${tap.port}/relay`);
  tap.close();
  const bytes = tap.captured();
  await writeFile(join(FOLDER, `${name}.bin`), bytes);
  process.stdout.write(`${name}: ${bytes.length} bytes\n`);
}

await mkdir(FOLDER, { recursive: true });
await capture("ffmpeg", async ({ streamKey }, origin) => (await startFfmpeg(clip, `${origin}/${streamKey}`)).exited);
for (const sink of ["rtmp2sink", "rtmpsink"] as const) {
  await capture(`gstreamer-${sink}`, async ({ streamKey }, origin) => {
    const options = { sink, url: `${origin}/${streamKey}`, seconds: 3, copyPath: join(folder, `${sink}.flv`) };
    return (await startGstreamer(options)).exited;
  });
}
await capture("librtmp", async ({ streamKey }, origin) => {
  return (await startLibrtmp(folder, clip, `${origin}/${streamKey}`)).exited;
});
await capture("obs", async ({ streamKey }, publishUrl) => {
  const obs = await ObsEncoder.start({ folder, publishUrl, streamKey });
  await new Promise((resolve) => setTimeout(resolve, 2 * CAPTURE_MS));
  await obs.stopStreaming();
  await obs.kill();
});
await server.stop();
await rm(folder, { recursive: true, force: true });
