import { randomInt } from "node:crypto";
import { statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { makeClip } from "../support/streams/clip.ts";

test("a clip that two make at the same time stays the file that the first one got", async () => {
  const pitchHz = randomInt(1_000, 1_000_000_000);
  const making = [1, 2].map(() => makeClip({ seconds: 1, pitchHz, size: "64x64" }));
  const { path } = await Promise.race(making);
  const first = statSync(path).ino;
  await Promise.all(making);
  expect(statSync(path).ino).toBe(first);
  await rm(path);
});
