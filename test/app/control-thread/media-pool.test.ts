import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { MediaPool } from "../../../src/app/control-thread/media/media-pool.ts";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { SharedWallSteps } from "../../../src/base/wall-steps.ts";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { ToControl } from "../../../src/thread-protocol/messages.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { PoolStage } from "../../support/stages/pool-stage.ts";
import { REFUSED } from "../../support/stages/relay-stage.ts";

/** How long after the end of a media thread the next one is started. */
const RESTART_DELAY_MS = 1_000;

/** What a server that speaks RTMP sends first. */
async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]));
    const [bytes] = (await once(socket, "data")) as [Buffer];
    return bytes[0] === 3;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Another program's server at this port; undefined where it is taken. */
async function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return server;
  } catch {
    return undefined;
  }
}

test("a media thread that dies is started again on the same port, and its broadcasts are reported as over", async () => {
  const stage = new PoolStage();
  const port = await stage.start();
  const channel = stage.channel([await stage.target()]);
  const { channelId } = channel;
  stage.encoder(channelId, { clip: syntheticClip() });
  const bytesTotal = () => stage.samples.at(-1)?.targets[0]?.bytesTotal ?? 0;
  const bytesBefore = await waitFor("bytes at the target", 10_000, () => bytesTotal() || undefined);
  // A malformed spec makes the thread throw where nothing catches.
  stage.pool.apply({ ...channel, revision: 2, targets: null as never });
  await waitFor("the end", 10_000, () => (stage.factsOf(channelId).at(-1) === "ingest-ended" ? true : undefined));
  expect(stage.factsOf(channelId).slice(-2)).toEqual(["READY", "ingest-ended"]);
  expect(stage.logged.map(({ event }) => event)).toContain("media thread failed");
  expect(stage.view.live(channelId)?.isPublishing).toBe(false);
  expect([...(stage.view.live(channelId)?.targets.values() ?? [])].map(({ status }) => status.status)).toEqual([
    "READY",
  ]);
  await expect.poll(() => isAnswering(port)).toBe(true);
  // The new life counts from 0, which does not show.
  stage.samples.length = 0;
  stage.encoder(channelId, { clip: syntheticClip() });
  const isBeyond = () => {
    expect(bytesTotal() === 0 || bytesTotal() >= bytesBefore).toBe(true);
    return bytesTotal() > bytesBefore || undefined;
  };
  await waitFor("more bytes than before", 10_000, isBeyond);
});

test("a media thread whose port another program took when it died tries again until it has the port", async () => {
  const stage = new PoolStage();
  const port = await stage.start();
  const channel = stage.channel([]);
  stage.encoder(channel.channelId, { clip: syntheticClip() });
  await waitFor("the broadcast", 10_000, () => stage.factsOf(channel.channelId)[0]);
  // A malformed spec makes the thread throw where nothing catches.
  stage.pool.apply({ ...channel, revision: 2, targets: null as never });
  const other = await waitFor("the port to be free", 10_000, () => listenAt(port), undefined, 10);
  const refusals = () => stage.logged.filter(({ event }) => event === "media thread cannot listen").length;
  await expect.poll(refusals, { timeout: 30_000 }).toBeGreaterThan(1);
  other.close();
  await expect.poll(() => isAnswering(port), { timeout: 30_000 }).toBe(true);
});

test("a fact that was under way while the wall clock was set is told by the present clock", async () => {
  const DAY_MS = 86_400_000;
  const stage = new PoolStage();
  const clockMark = new SharedWallSteps(systemClock).mark();
  const lastError = { ...REFUSED, time: 1_000 };
  const status = { status: "FAIL", sinceTime: 2_000, lastError, nextRetryTime: 3_000 } as const;
  const fact = { kind: "target-status", time: 4_000, channelId: "ls-1", targetId: 1, from: "READY", status } as const;
  const told = (message: Pick<Extract<ToControl, { kind: "fact" }>, "clockMark">) => {
    stage.pool.take(undefined as never, { kind: "fact", fact, ...message });
    return stage.facts.at(-1);
  };
  expect(told({ clockMark })).toEqual(fact);
  // From an older release.
  expect(told({})).toEqual(fact);
  const moved = told({ clockMark: clockMark - DAY_MS });
  const stepMs = (moved?.time ?? 0) - fact.time;
  // The two clocks are not read at the same moment.
  expect(Math.abs(stepMs - DAY_MS)).toBeLessThan(1_000);
  expect(moved).toEqual({
    ...{ ...fact, time: 4_000 + stepMs },
    status: {
      ...{ ...status, sinceTime: 2_000 + stepMs, nextRetryTime: 3_000 + stepMs },
      lastError: { ...lastError, time: 1_000 + stepMs },
    },
  });
});

test("the facts of media threads have marks of a clock that all threads share", async () => {
  const stage = new PoolStage();
  await stage.start();
  const channel = stage.channel([await stage.target()]);
  stage.encoder(channel.channelId, { clip: syntheticClip() });
  await waitFor("a fact", 10_000, () => stage.facts[0]);
  // A mark of another clock would look like a step.
  expect(Math.abs((stage.facts[0]?.time ?? 0) - Date.now())).toBeLessThan(30_000);
});

test("a platform test under way when its media thread dies is answered at once, and the next one by the thread that follows", async () => {
  const stage = new PoolStage();
  const port = await stage.start();
  const [fed, silent] = [await stage.target(), await stage.target({ behaviour: { silentAt: "handshake" } })];
  const channel = stage.channel([fed]);
  stage.encoder(channel.channelId, { clip: syntheticClip() });
  await waitFor(
    "the channel on air",
    10_000,
    () => stage.factsOf(channel.channelId).includes("PUBLISHING") || undefined,
  );
  const [wanted] = stage.channel([silent]).targets;
  const [good] = channel.targets;
  if (wanted === undefined || good === undefined) throw new Error("no target");
  const tested = expect(stage.pool.testTarget(wanted)).rejects.toThrow("the media thread died");
  await waitFor("the test's connection", 10_000, () => (silent.connections.length > 0 ? true : undefined));
  // A malformed spec makes the thread throw where nothing catches.
  stage.pool.apply({ ...channel, revision: 2, targets: null as never });
  await tested;
  await expect(stage.pool.testTarget(good)).rejects.toThrow("no media thread is running");
  await expect.poll(() => isAnswering(port)).toBe(true);
  expect(await stage.pool.testTarget(good)).toMatchObject({ isOk: true });
});

test("a channel's last keyframe comes from the thread that owns it, also of one that begins again after the thread died", async () => {
  const stage = new PoolStage({ threads: 3 });
  await stage.start();
  const channel = stage.channel([]);
  const { channelId } = channel;
  const { pool } = stage;
  expect(await pool.keyframe(channelId)).toEqual({ found: "none" });
  const isThere = async () => (await pool.keyframe(channelId)).found;
  const encoder = stage.encoder(channelId, { clip: syntheticClip() });
  await expect.poll(isThere).toBe("keyframe");
  const keyframe = await pool.keyframe(channelId);
  if (keyframe.found !== "keyframe") throw new Error(keyframe.found);
  expect(Buffer.from(keyframe.bytes).toString("latin1", 0, 3)).toBe("FLV");
  await encoder.stop("clean");
  await expect.poll(isThere).toBe("none");
  stage.encoder(channelId, { clip: syntheticClip() });
  await expect.poll(isThere).toBe("keyframe");
  // A spec that is none makes the thread throw where nothing catches.
  pool.apply({ ...channel, revision: 2, targets: null as never });
  expect(["none", "keyframe"]).toContain(await isThere());
  await expect.poll(isThere).toBe("none");
});

test("a port that is taken fails the start", async () => {
  const port = await new PoolStage().start();
  await expect(new PoolStage({ rtmpPort: port }).start()).rejects.toThrow(/EADDRINUSE/);
});

test("a runtime that was never started stops at once, and stopping twice is stopping once", async () => {
  await new PoolStage().pool.stop("cut");
  const stage = new PoolStage();
  await stage.start();
  await stage.pool.stop("end");
  await stage.pool.stop("end");
});

test("an encoder whose channel is deleted or blocked while its key is looked up is refused", async () => {
  const spec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] } as const;
  const changes: readonly ((pool: MediaPool) => void)[] = [
    (pool) => pool.remove("ls-1"),
    (pool) => {
      pool.apply({ ...spec, revision: 2 });
      pool.end("ls-1");
    },
  ];
  for (const change of changes) {
    let lookUps = 0;
    const stage: PoolStage = new PoolStage({
      admit: async () => {
        lookUps += 1;
        if (lookUps > 1) return undefined;
        change(stage.pool);
        return { spec, slot: "main" };
      },
    });
    await stage.start();
    const encoder = stage.encoder("key", { clip: syntheticClip() });
    expect((await encoder.closed).end?.how).toBe("refused");
    expect(encoder.report.isAccepted).toBe(false);
    await expect.poll(() => stage.facts.map(({ kind }) => kind)).toEqual(["ingest-refused"]);
    expect(lookUps).toBe(2);
  }
});

test("a media thread that was started again accepts links of other processes where its former life did", async () => {
  // The thread is gone until then, however long the looks at it take.
  const mayRestart = Promise.withResolvers<void>();
  const startTimer: Clock["startTimer"] = (ms, run) => {
    if (ms !== RESTART_DELAY_MS) return systemClock.startTimer(ms, run);
    void mayRestart.promise.then(run);
    return { cancel: () => undefined };
  };
  const stage = new PoolStage({ clock: { ...systemClock, startTimer } });
  const port = await stage.start();
  const folder = mkdtempSync(join(tmpdir(), "fanfare-links-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [worker] = stage.pool.workers.all;
  const path = join(folder, "media-1.sock");
  const accept = () => (worker === undefined ? Promise.reject() : stage.pool.linkSockets.accept(worker, path));
  const isAccepting = async () => {
    const socket = connect(path);
    onTestFinished(() => void socket.destroy());
    return await once(socket, "connect").then(
      () => true,
      () => false,
    );
  };
  await accept();
  expect(await isAccepting()).toBe(true);
  // An upgrade that is tried a second time.
  await accept();

  const channel = stage.channel([]);
  stage.encoder(channel.channelId, { clip: syntheticClip() });
  await waitFor("the broadcast", 10_000, () => stage.factsOf(channel.channelId)[0]);
  // A malformed spec makes the thread throw where nothing catches.
  stage.pool.apply({ ...channel, revision: 2, targets: null as never });
  await waitFor("its end", 10_000, () => (worker?.life === undefined ? true : undefined));
  // One that does not run has no channels: it costs no upgrade.
  await accept();
  expect(await isAccepting()).toBe(false);
  mayRestart.resolve();
  await expect.poll(() => isAnswering(port), { timeout: 30_000 }).toBe(true);
  await expect.poll(isAccepting, { timeout: 30_000 }).toBe(true);
  await accept();
});
