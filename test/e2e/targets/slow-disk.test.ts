import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { SmallDisk } from "../../support/processes/small-disk.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 60_000;
/** 48 MiB, of which 32 may wait in memory and 16 for the disk, come in 13 s. */
const KILOBITS = 32_000;
/**
 * Longer than that by far; and shorter, so that what waits goes out, yet twice the 9 s in which what may wait and a small disk
 * are full: on a busy machine the stream comes more slowly.
 */
const DELAYS_S = { long: 60, short: 20 };
/** The stream reaches a platform within 50 ms on a quiet machine. */
const LATER_MAX_MS = 3_000;
/** Two video frames of the stream; the kit's have 40 ms. */
const GAP_MAX_MS = 80;
const PLATFORM = z.looseObject({
  connectStatus: z.string(),
  lastError: z.looseObject({ code: z.string() }).optional(),
  delay: z.looseObject({ state: z.string(), problem: z.looseObject({ message: z.string() }).optional() }).optional(),
});
const CHANNEL = z.looseObject({
  recording: z.looseObject({ status: z.string(), reason: z.looseObject({ code: z.string() }).optional() }),
});

/** A channel with a live platform and a delayed one. */
async function onAir(
  stage: Stage,
  delaySeconds: number,
  environment: Readonly<Record<string, string>>,
  isRecorded: boolean,
) {
  const [live, late] = [await stage.target({}, { messagesMax: 20_000 }), await stage.target()];
  const { api } = await stage.server({ environment });
  const channel = await api.createChannel("slow", [
    { rtmpUrl: live.url, streamKey: uniqueKey("live") },
    { rtmpUrl: late.url, streamKey: uniqueKey("late"), delaySeconds },
  ]);
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  if (isRecorded) await api.request("PUT", path, { recording: { enabled: true } });
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: KILOBITS }) });
  await waitFor("media", DEADLINE_MS, () => (videoTimes(live).length > 25 ? true : undefined));
  const beganBehindMs = behindMs(live, encoder);
  return {
    /** The live platform has everything that was sent, over one connection, and not later than at first. */
    expectUntouched: () => {
      expect(live.connections).toHaveLength(1);
      const times = videoTimes(live);
      const steps = times.slice(1).map((timestamp, index) => timestamp - (times[index] ?? 0));
      expect(times.length).toBeGreaterThan(100);
      expect(Math.max(...steps)).toBeLessThanOrEqual(GAP_MAX_MS);
      expect(behindMs(live, encoder) - beganBehindMs).toBeLessThan(LATER_MAX_MS);
    },
    late,
    recording: async () => CHANNEL.parse(await api.request("GET", path)).recording,
    delayed: async () => z.array(PLATFORM).parse(await api.request("GET", `${path}/platforms`))[1],
  };
}

function until<Found>(what: string, look: () => Promise<Found>, is: (found: Found) => boolean): Promise<Found> {
  let last: unknown;
  return waitFor(
    what,
    DEADLINE_MS,
    async () => {
      const found = await look();
      last = found;
      return is(found) ? found : undefined;
    },
    () => JSON.stringify(last),
  );
}

function videoTimes({ connections: [first] }: KitTarget): readonly number[] {
  return (first?.report.messages ?? []).flatMap(({ kind, isConfig, timestamp }) =>
    kind === "video" && !isConfig ? [timestamp] : [],
  );
}

/** How far the target's time is behind the encoder's: it begins later, and what is on the way. */
function behindMs(live: KitTarget, { report }: KitEncoder): number {
  return (report.lastTimestamp ?? 0) - (videoTimes(live).at(-1) ?? 0);
}

test.concurrent("a disk that hangs ends recording and delay with a reason, the stream is untouched, and both begin again", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const mark = join(stage.folder, "slow");
  const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "slow-disk.mjs"));
  const folders = ["recordings", "delays"].map((name) => join(stage.folder, "data", name));
  const { expectUntouched, recording, delayed } = await onAir(
    stage,
    DELAYS_S.long,
    {
      NODE_OPTIONS: `--import=${preload.href}`,
      FANFARE_TEST_SLOW_FOLDERS: folders.join(":"),
      FANFARE_TEST_SLOW_MARK: mark,
    },
    true,
  );
  await until("a recording", recording, ({ status }) => status === "RECORDING");
  await writeFile(mark, "");
  const failed = await until("the recording to fail", recording, ({ status }) => status === "FAIL");
  expect(failed.reason?.code).toBe("DISK_SLOW");
  const late = await until("the delay to fail", delayed, (platform) => platform?.delay?.problem !== undefined);
  expect(late?.delay?.problem?.message).toMatch(/too slow/);
  expectUntouched();
  await rm(mark);
  await until("a recording", recording, ({ status }) => status === "RECORDING");
  await until("no problem", delayed, (platform) => platform?.delay?.problem === undefined);
  expectUntouched();
});

test.concurrent("a full disk ends a delayed platform with a reason, behind what it had; the stream is untouched", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  await SmallDisk.mount(join(stage.folder, "data", "delays"), onTestFinished);
  const environment = { FANFARE_RECORDING_KEEP_FREE_MB: "0" };
  const { late, expectUntouched, delayed } = await onAir(stage, DELAYS_S.short, environment, false);
  const full = await until("the delay to fail", delayed, (platform) => platform?.delay?.problem !== undefined);
  expect(full?.delay?.problem?.message).toMatch(/no room/);
  expect(late.connections).toEqual([]);
  const left = await until("the platform to be left", delayed, (platform) => platform?.lastError !== undefined);
  expect(left?.lastError?.code).toBe("SERVER_TROUBLE");
  // What waited before went out.
  await expect.poll(() => late.connections[0]?.report.mediaBytes).toBeGreaterThan(25_000_000);
  expectUntouched();
});
