import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/clip.ts";
import { startChild } from "../support/children.ts";
import { decodingErrors } from "../support/decoding.ts";
import { Stage, uniqueKey } from "../support/stage.ts";
import { waitFor } from "../support/waiting.ts";

const DEADLINE_MS = 30_000;

/** More than the kernels' buffers of a stalled connection take within seconds. */
const KILOBITS = 40_000;
/** Places for watchers of one channel. */
const PLACES = 4;

test("FFmpeg plays the preview; watchers that take nothing are cut and cost the target no byte", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { api, fanfare } = await stage.server();
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const clip = syntheticClip({ picture: "360p", kilobits: KILOBITS });
  const encoder = stage.kitEncoder(channel, { clip });
  await encoder.accepted;
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const made = z.object({ url: z.string() }).parse(await api.request("POST", path));
  const url = fanfare.origin + made.url;

  const file = join(stage.folder, "preview.flv");
  const player = await startChild("ffmpeg", [
    "-v",
    "error",
    "-nostdin",
    "-i",
    url,
    "-t",
    "2",
    "-c",
    "copy",
    "-y",
    file,
  ]);
  expect([(await player.exited).code, player.stderr()]).toEqual([0, ""]);
  expect(await decodingErrors(file)).toBe("");
  const entries = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0", file];
  const shown = await startChild("ffprobe", ["-v", "error", ...entries]);
  await shown.exited;
  expect(shown.stdout().trim().split("\n").sort()).toEqual(["aac", "h264,640"]);

  for (let count = 0; count < PLACES; count += 1) {
    // The player's place is free a moment after it left.
    await waitFor("a place", DEADLINE_MS, () => stall(stage, url).then((hasPlace) => hasPlace || undefined));
  }
  expect(await isOpen(url)).toBe(false);
  await waitFor("the stalled watchers to be cut", DEADLINE_MS, () => isOpen(url).then((open) => open || undefined));

  const { payloadBytes } = await encoder.stop("clean");
  const [metadata] = clip.tags();
  const expected = payloadBytes - (metadata?.payload.length ?? 0);
  const received = () => target.connections[0]?.report.mediaBytes;
  await waitFor(
    "every byte at the target",
    DEADLINE_MS,
    () => received() === expected || undefined,
    () => `${received()} of ${expected}`,
  );
  expect(target.connections).toHaveLength(1);
});

/** A watcher that asks and never reads on; false where it found no place. */
async function stall(stage: Stage, url: string): Promise<boolean> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  stage.onClose(async () => socket.destroy());
  socket.on("error", () => undefined);
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  const [head] = (await once(socket, "data")) as [Buffer];
  socket.pause();
  return head.toString("latin1").startsWith("HTTP/1.1 200");
}

async function isOpen(url: string): Promise<boolean> {
  const stop = new AbortController();
  const { status } = await fetch(url, { signal: stop.signal });
  stop.abort();
  return status === 200;
}
