import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 60_000;
const DELAY_S = 12;
/** 32 MiB, which wait in memory, are full before the delay is over. */
const KILOBITS = 32_000;
/** The numbers that the frames of the encoder after the restart hold. */
const LATER = 1_000_000;
const SERIAL_MARK = Buffer.from("f1a2b3c4d5e6978879b1c2d3e4f5a6b7", "hex");
const delayed = z.array(
  z.looseObject({
    connectStatus: z.string(),
    delay: z.looseObject({ state: z.string(), diskBytes: z.int() }).optional(),
  }),
);

/** The numbers that a recording's video frames hold, in order. */
async function serialsIn(path: string): Promise<readonly number[]> {
  return readFlv(await readFile(path)).flatMap(({ payload }) => {
    const at = payload.indexOf(SERIAL_MARK);
    return at < 0 ? [] : [Number.parseInt(payload.toString("latin1", at + 16, at + 24), 16)];
  });
}

test("a kill -9 while a delayed stream lies on the disk leaves nothing of it, and the platform gets only what comes after it", async () => {
  const stage = await Stage.open();
  const target = await stage.target({}, { recordInto: stage.folder });
  const { fanfare, api } = await stage.server();
  const channel = await api.createChannel("crash", [
    { rtmpUrl: target.url, streamKey: uniqueKey("crash"), delaySeconds: DELAY_S },
  ]);
  const platform = async () => {
    const path = `/api/v2/re-stream/channels/${channel.channelId}/platforms`;
    const [one] = delayed.parse(await api.request("GET", path));
    return one;
  };
  const untilOnDisk = () =>
    waitFor("a delayed stream on the disk", DEADLINE_MS, async () => {
      const now = await platform();
      return now?.delay?.state === "DELAYED" && now.delay.diskBytes > 0 ? now : undefined;
    });
  const folder = join(stage.folder, "data", "delays");
  // What a process leaves that is killed between the opening of a file and its removal.
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "delay-1-0-1"), "");
  stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: KILOBITS }) });
  await untilOnDisk();
  expect(await readdir(folder)).toEqual([]);
  await fanfare.kill();
  expect(await readdir(folder)).toEqual([]);
  await writeFile(join(folder, "delay-2-0-1"), "");
  await target.connections[0]?.closed;

  await fanfare.restart();
  expect(await platform()).toMatchObject({ connectStatus: "READY" });
  expect((await platform())?.delay).toBeUndefined();
  stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: KILOBITS, firstSerial: LATER }) });
  const filling = await waitFor("a new delay", DEADLINE_MS, async () => (await platform())?.delay);
  expect(filling).toMatchObject({ state: "FILLING", diskBytes: 0 });
  expect(target.connections).toHaveLength(1);
  await untilOnDisk();
  expect(await readdir(folder)).toEqual([]);
  await fanfare.stop();

  const reports = await Promise.all(target.connections.map(({ closed }) => closed));
  expect(reports).toHaveLength(2);
  const [before = [], after = []] = await Promise.all(
    reports.map(({ recordings }) => serialsIn(recordings[0] ?? "nothing was recorded")),
  );
  expect(before.length).toBeGreaterThan(0);
  expect(Math.max(...before)).toBeLessThan(LATER);
  expect(after).toEqual(after.map((_, index) => (after[0] ?? 0) + index));
  expect(after[0]).toBeGreaterThanOrEqual(LATER);
});
