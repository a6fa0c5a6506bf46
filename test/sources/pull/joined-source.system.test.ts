import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pullArguments } from "../../../src/sources/pull-arguments.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { newPublisher } from "../../support/encoders/publishers.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { isCodedMedia, isKeyframe, isVideo } from "../../support/streams/flv-file.ts";
import { mediaMessage } from "../../support/streams/media-messages.ts";

const PACKET_BYTES = 188;
const GROUP_FRAMES = 200;
const QUIET = ["-hide_banner", "-loglevel", "fatal", "-nostdin", "-y"];

/** A transport stream of H.264 and AAC whose keyframes are 8 s apart, without its first second. */
async function joinedStream(folder: string, bFrames: number): Promise<string> {
  const [whole, joined] = [join(folder, "whole.ts"), join(folder, "joined.ts")];
  await runToEnd("ffmpeg", [
    ...[...QUIET, "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"],
    ...["-f", "lavfi", "-i", "sine=sample_rate=48000", "-t", "10", "-c:v", "libx264", "-preset", "ultrafast"],
    ...["-bf", String(bFrames), "-g", String(GROUP_FRAMES), "-keyint_min", String(GROUP_FRAMES), "-sc_threshold", "0"],
    ...["-pix_fmt", "yuv420p", "-c:a", "aac", "-f", "mpegts", whole],
  ]);
  const bytes = await readFile(whole);
  const lost = Math.floor(bytes.length / 10 / PACKET_BYTES) * PACKET_BYTES;
  await writeFile(joined, bytes.subarray(lost));
  return joined;
}

test.each([0, 2])(
  "audio of a source that is joined eight seconds before a keyframe waits for it, with %i B-frames",
  async (bFrames) => {
    const folder = await mkdtemp(join(tmpdir(), "fanfare-joined-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const input = ["-f", "mpegts", "-i", await joinedStream(folder, bFrames)];
    const written = join(folder, "pulled.flv");
    await runToEnd("ffmpeg", ["-y", ...pullArguments(input, false).slice(0, -1), written]);
    const publisher = newPublisher();
    const tags = readFlv(await readFile(written));
    const begins = tags.find((tag) => {
      publisher.take(mediaMessage(tag), tag.timestamp, tag.timestamp);
      return isCodedMedia(tag) && (isVideo(tag) ? isKeyframe(tag) : !publisher.head.expectsVideo(tag.timestamp));
    });
    expect(begins).toBeDefined();
    expect(begins !== undefined && isVideo(begins)).toBe(true);
    expect(begins?.timestamp).toBeGreaterThan(6_000);
  },
);
