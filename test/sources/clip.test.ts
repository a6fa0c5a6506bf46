import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { encodeFlvTag, FLV_FILE_START } from "../../src/protocol/flv/flv-tag.ts";
import { Clip } from "../../src/sources/clip.ts";

/** Of a tag's header and of what follows it. */
const TAG_OVERHEAD_BYTES = 15;

/** A clip of a program that writes without an end; `written` grows while the clip reads. */
function clipOf(tag: Buffer) {
  const output = new PassThrough();
  const clip = new Clip({
    output,
    input: undefined,
    ended: new Promise(() => undefined),
    kill: () => output.destroy(),
  });
  output.write(FLV_FILE_START);
  const part = Buffer.concat(Array.from({ length: Math.ceil(65_536 / tag.length) }, () => tag));
  const fill = async () => {
    for (let written = 0; written < 16 * 1024 * 1024 && !output.isPaused(); written += part.length) {
      output.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clip, output, fill };
}

test("a program waits while what it wrote is not taken, also where its tags have a few bytes each", async () => {
  for (const bytes of [3, 10_000]) {
    const { clip, output, fill } = clipOf(encodeFlvTag({ type: 8, timestamp: 0, payload: Buffer.alloc(bytes, 0xaf) }));
    await fill();
    expect(output.isPaused()).toBe(true);
    const count = clip.waiting.length;
    expect(count).toBeLessThan(40_000);
    expect(count * (bytes + TAG_OVERHEAD_BYTES)).toBeLessThan(9 * 1024 * 1024);
    while (output.isPaused() && clip.take() !== undefined);
    expect(output.isPaused()).toBe(false);
    expect(clip.waiting.length).toBeGreaterThan(0);
    expect(clip.waiting.length).toBeLessThan(count * 0.6);
    clip.kill();
  }
});

test("a program that is killed is over once its tags are taken, also while the system cannot end it", async () => {
  const tag = encodeFlvTag({ type: 8, timestamp: 0, payload: Buffer.alloc(3, 0xaf) });
  const { clip, output } = clipOf(tag);
  output.write(tag);
  await new Promise((resolve) => setImmediate(resolve));
  expect([clip.isRead, clip.isOver, clip.waiting.length]).toEqual([false, false, 1]);
  clip.kill("nothing came from it for 15 s");
  expect([clip.isRead, clip.isOver, clip.failure]).toEqual([true, false, "nothing came from it for 15 s"]);
  clip.take();
  expect(clip.isOver).toBe(true);
});
