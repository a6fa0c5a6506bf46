import { randomBytes, randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { Mutator } from "../support/encoders/fuzz-mutator.ts";
import { FanfareProcess } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { attackApi, attackAsEncoder, attackWithoutKey, MutatedTarget } from "./fuzzing/fuzz-attacks.ts";
import { Healthy } from "./fuzzing/healthy.ts";
import { StandstillWatch } from "./fuzzing/standstill-watch.ts";
import { programOptions } from "./program-options.ts";
import { longestWaitMs, residentBytes, waitedMs } from "./server-process.ts";

const USAGE = `usage: npm run fuzz -- [--minutes 5] [--seed NUMBER] [--per-second 60] [--gap 100]

The real server: mutated input for its RTMP port, its API and dashboard, and targets that answer anything, at a bounded pace, beside a
healthy channel. Exits with 1 if the server breaks, the healthy channel is not on air, or its longest gap is above --gap milliseconds.
`;
const SEED_MAX = 2 ** 31;
const MINUTE_MS = 60_000;
const MEBIBYTE = 1_048_576;
const ON_AIR_DEADLINE_MS = 20_000;
const ANSWER_DEADLINE_MS = 120_000;
/** The first seconds are the start's own. */
const SETTLE_MS = 5_000;
const MUTATED_TARGETS = 8;
const STEP_MS = 100;
const SAY_EVERY_MS = 60_000;

function readOptions() {
  const values = programOptions(USAGE, {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: `${randomInt(SEED_MAX)}` },
    "per-second": { type: "string", default: "60" },
    gap: { type: "string", default: "100" },
  });
  const numbers = [values.minutes, values.seed, values["per-second"], values.gap].map(Number);
  if (!numbers.every((number) => number > 0)) throw new Error("all options are numbers above 0");
  const [minutes = 0, seed = 0, perSecond = 0, gapMaxMs = 0] = numbers;
  return { minutes, seed, perSecond, gapMaxMs };
}

/** Runs all attacks in turn at their pace until the time is over; returns how many there were. */
async function attackAll(
  attacks: readonly (() => Promise<void>)[],
  perSecond: number,
  untilMs: number,
  tick: () => Promise<void>,
) {
  const underWay = new Set<Promise<void>>();
  const startMs = performance.now();
  let executions = 0;
  while (performance.now() < untilMs) {
    const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
    for (; executions < due && underWay.size < perSecond; executions += 1) {
      const attack = attacks[executions % attacks.length]?.() ?? Promise.resolve();
      underWay.add(attack);
      void attack.finally(() => underWay.delete(attack));
    }
    await pass(STEP_MS);
    await tick();
  }
  await Promise.all(underWay);
  return executions;
}

async function main(): Promise<number> {
  const options = readOptions();
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(`seed ${options.seed}, ${options.minutes} minutes, ${options.perSecond} a second`);
  const dataFolder = await mkdtemp(join(tmpdir(), "fanfare-fuzz-"));
  const credentials = { accessKey: randomBytes(10).toString("hex"), secretKey: randomBytes(20).toString("hex") };
  const server = await FanfareProcess.start({
    dataFolder,
    credentials,
    environment: { FANFARE_LOG_LEVEL: "error", FANFARE_PLAN_LIMITS: "STANDARD=3,PROFESSIONAL=20,UNLIMITED=0" },
  });
  const mutator = new Mutator(options.seed);
  const api = new ApiClient(server.origin, credentials, () => undefined);
  const rtmpUrl = `rtmp://127.0.0.1:${server.rtmpPort}/relay`;
  const healthy = new Healthy(rtmpUrl);
  const target = await MutatedTarget.start(mutator);
  const problems: string[] = [];
  const machine = await StandstillWatch.start();
  try {
    const well = await api.createChannel("healthy", [
      { rtmpUrl: await healthy.targetUrl(), streamKey: "healthy-target" },
    ]);
    const hostile = Array.from({ length: MUTATED_TARGETS }, (_, index) => ({
      rtmpUrl: target.url,
      streamKey: `k${index}`,
    }));
    const beside = await api.createChannel("beside", hostile);
    const fuzzed = await api.createChannel("fuzzed", [{ rtmpUrl: target.url, streamKey: "fuzzed-target" }]);
    healthy.publish(well.streamKey);
    const isOnAir = async () => (await api.platforms(well.channelId))[0]?.connectStatus === "PUBLISHING";
    await waitFor(
      "the healthy channel",
      ON_AIR_DEADLINE_MS,
      async () => ((await isOnAir()) ? true : undefined),
      () => server.output,
    );
    const encoder = new KitEncoder({ url: rtmpUrl, streamKey: beside.streamKey, clip: syntheticClip() });
    await pass(SETTLE_MS);
    await healthy.look();
    const before = residentBytes(server.pid) / MEBIBYTE;
    let longestMs = 0;
    let peak = before;
    let saidMs = performance.now();
    const startMs = performance.now();
    let longestOwnMs = 0;
    const waitsNow = () => [waitedMs(server.pid), waitedMs(process.pid)];
    let [waits, waitsBefore] = [waitsNow(), waitsNow()];
    const tick = async () => {
      const { gapMs: rawGapMs, end } = await healthy.look();
      // A gap may have begun in the look before.
      const now = waitsNow();
      const waitMs = now.reduce((sum, each, index) => sum + longestWaitMs(waitsBefore[index], each), 0);
      const machineMs = waitMs + machine.longestSinceMs(Date.now() - rawGapMs - STEP_MS);
      [waitsBefore, waits] = [waits, now];
      const gapMs = rawGapMs - machineMs;
      longestOwnMs = Math.max(longestOwnMs, gapMs);
      if (gapMs > options.gapMaxMs)
        problems.push(
          `the healthy channel stood for ${Math.round(gapMs)} ms at ${Math.round((performance.now() - startMs) / 1_000)} s`,
        );
      if (end !== undefined) problems.push(`the healthy encoder's connection ended: ${end}`);
      longestMs = Math.max(longestMs, rawGapMs);
      peak = Math.max(peak, residentBytes(server.pid) / MEBIBYTE);
      if (performance.now() - saidMs < SAY_EVERY_MS) return;
      saidMs = performance.now();
      say(
        `longest gap ${Math.round(longestMs)} ms (${Math.round(longestOwnMs)} ms less what the machine cost), ${peak.toFixed(0)} MiB at most, ${target.connections} hostile answers`,
      );
    };
    const platIds = (await api.platforms(beside.channelId)).map(({ platId }) => platId);
    const retryOne = async (): Promise<void> => {
      const platId = platIds[mutator.below(platIds.length)];
      await api.request("PUT", `/api/v2/re-stream/channels/${beside.channelId}/platforms/${platId}/retry`);
    };
    const attacks = [
      () => attackWithoutKey(server.rtmpPort, mutator),
      () => attackApi(server.httpPort, credentials.secretKey, fuzzed.channelId, mutator),
      () => attackWithoutKey(server.rtmpPort, mutator),
      () => attackAsEncoder(server.rtmpPort, fuzzed.streamKey, mutator),
      // Else a target would be tried twice a minute.
      () => retryOne().catch(() => undefined),
    ];
    const executions = await attackAll(
      attacks,
      options.perSecond,
      performance.now() + options.minutes * MINUTE_MS,
      tick,
    );
    // Guesses of the attacks come from this address too: for a while after the last one the server refuses every client
    // there.
    const isStillOnAir = await waitFor("an answer of the API", ANSWER_DEADLINE_MS, () =>
      isOnAir().catch(() => undefined),
    );
    if (!isStillOnAir) problems.push("the healthy channel is not on air");
    const faults = server.output.split("\n").filter((line) => /internal.fault|"level":"error"/.test(line));
    problems.push(...faults.slice(0, 20));
    const after = residentBytes(server.pid) / MEBIBYTE;
    await encoder.stop("close");
    say(`executions ${executions}, hostile targets' connections ${target.connections}`);
    say(
      `longest gap of the healthy channel ${Math.round(longestMs)} ms, less what the machine cost ${Math.round(longestOwnMs)} ms`,
    );
    say(`crashes and faults ${faults.length}`);
    say(`resident memory ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} at most, ${after.toFixed(0)} at the end`);
  } catch (error) {
    problems.push(error instanceof Error ? `${error.message}\n${server.output.slice(-4_000)}` : String(error));
  } finally {
    await machine.close();
    await healthy.close();
    target.close();
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  for (const problem of problems.slice(0, 50)) say(`PROBLEM: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

process.exit(await main());
