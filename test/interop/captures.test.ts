import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { MediaOutput, PublishRequest, ServerOutput } from "../../src/protocol/rtmp/server/server-outputs.ts";
import { ServerSession } from "../../src/protocol/rtmp/server/server-session.ts";
import { publishKey } from "../../src/protocol/rtmp/url.ts";
import { Publisher } from "../../src/relay/publisher/publisher.ts";
import { isMedia } from "../support/targets/server-peer.ts";

/**
 * What real encoders of Debian 12 sent in their first second: see capture.ts. The keys belong to a server that no
 * longer exists.
 */
const FOLDER = join(import.meta.dirname, "..", "fixtures", "captures");
const HANDSHAKE_RANDOM = Buffer.alloc(1_528, 0x5a);
const AAC_48_STEREO = { audioCodec: "aac", sampleRate: 48_000, channels: 2 };

const SMALL = { videoCodec: "avc", width: 320, height: 240 };

const encoders = [
  { name: "ffmpeg", encoder: "FMLE/3.0 (compatible; Lavf59.27.100)", video: SMALL },
  { name: "gstreamer-rtmp2sink", encoder: "LNX 10,0,32,18", video: SMALL },
  // librtmp sends no version by default.
  { name: "gstreamer-rtmpsink", encoder: "", video: SMALL },
  { name: "librtmp", encoder: "", video: SMALL },
  {
    name: "obs",
    encoder: "FMLE/3.0 (compatible; FMSc/1.0)",
    video: { videoCodec: "avc", width: 640, height: 360 },
  },
] as const;

type Replayed = { readonly requests: PublishRequest[]; readonly messages: MediaOutput[] };

/**
 * An encoder's bytes through a session that accepts it, in pieces of these sizes, again and again. The encoder waited
 * for its reply, so no piece goes on after the request, which ends at `publishEnd`.
 */
function replay(bytes: Buffer, sizes: readonly number[], publishEnd: number): Replayed {
  const session = new ServerSession(HANDSHAKE_RANDOM, 0);
  const replayed: Replayed = { requests: [], messages: [] };
  const take = (outputs: readonly ServerOutput[]): void => {
    for (const output of outputs) {
      if (isMedia(output)) replayed.messages.push(output);
      if (output.kind === "closed") throw new Error(`${output.reason}: ${output.detail}`);
      if (output.kind !== "publish-requested") continue;
      replayed.requests.push(output.request);
      take(session.answer(output.request.requestId, "accept", 0));
    }
  };
  for (let offset = 0, index = 0; offset < bytes.length; index += 1) {
    const end = offset + (sizes[index % sizes.length] ?? bytes.length);
    const cut = offset < publishEnd ? Math.min(end, publishEnd) : end;
    take(session.receive(bytes.subarray(offset, cut), 0));
    offset = cut;
  }
  return replayed;
}

/** A capture, and where the encoder's request to publish ends in it. */
async function readCapture(name: string): Promise<{ readonly bytes: Buffer; readonly publishEnd: number }> {
  const bytes = await readFile(join(FOLDER, `${name}.bin`));
  const session = new ServerSession(HANDSHAKE_RANDOM, 0);
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const outputs = session.receive(bytes.subarray(offset, offset + 1), 0);
    if (outputs.some(({ kind }) => kind === "publish-requested")) return { bytes, publishEnd: offset + 1 };
  }
  throw new Error(`${name} never asks to publish`);
}

test.each(encoders)("the session reads the first second of $name", async ({ name, encoder, video }) => {
  const { bytes, publishEnd } = await readCapture(name);
  const { requests, messages } = replay(bytes, [bytes.length], publishEnd);
  expect(requests).toEqual([{ requestId: expect.any(Number), app: "relay", name: expect.any(String), encoder }]);
  expect(requests.map((request) => publishKey(request.app, request.name))).toEqual([
    expect.stringMatching(/^[a-z0-9]{32}$/),
  ]);
  const onDismissed = () => undefined;
  const description = { slot: "main", remoteAddress: "", encoder: "", onDismissed } as const;
  const feed = new Publisher(1, description, 0, { nowMs: 0, awakeMs: 0 });
  const frames = messages
    .map((message) => feed.take(message, 0, 0))
    .filter((classified) => classified.what === "frame");
  expect(feed.sample("LIVE", 0)).toMatchObject({ ...video, ...AAC_48_STEREO });
  expect(feed.head.metadata).toBeDefined();
  // Decoding can begin at once: the first video frame is a keyframe.
  expect(frames.find(({ kind }) => kind === "video")?.isKeyframe).toBe(true);
  expect(frames.some(({ kind }) => kind === "audio")).toBe(true);
});

test.each(encoders)("the session reads $name's bytes the same wherever the network cuts them", async ({ name }) => {
  const { bytes, publishEnd } = await readCapture(name);
  const whole = replay(bytes, [bytes.length], publishEnd);
  expect(whole.messages.length).toBeGreaterThan(5);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 8 }), (sizes) => {
      expect(replay(bytes, sizes, publishEnd)).toEqual(whole);
    }),
    { numRuns: 20 },
  );
});
