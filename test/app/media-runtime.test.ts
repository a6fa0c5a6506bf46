import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { MediaRuntime, type MediaRuntimeDeps } from "../../src/app/media-runtime.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import { LiveView } from "../../src/control/live-view.ts";
import { PreviewAccess } from "../../src/control/preview-access.ts";
import type { Fact } from "../../src/exchange/facts.ts";
import { syntheticClip } from "../../src/testkit/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder.ts";

const running: MediaRuntime[] = [];
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.stop("cut");
});

const silent: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function start(rtmpPort = 0, log: Log = silent, admit: MediaRuntimeDeps["admit"] = async () => undefined) {
  const view = new LiveView(systemClock);
  const facts: Fact[] = [];
  const runtime = new MediaRuntime({
    options: { rtmpHost: "127.0.0.1", rtmpPort, retriesPerSecond: 20, targetAllow: "", ownPorts: [], ownHosts: [] },
    view,
    clock: systemClock,
    log,
    admit,
    findIngestUser: async () => undefined,
    previewAccess: new PreviewAccess({ clock: systemClock, randomBytes }),
    onFact: (fact) => facts.push(fact),
    onSamples: () => undefined,
    onLoopDelay: () => undefined,
  });
  running.push(runtime);
  return { runtime, view, facts };
}

/** What a server that speaks RTMP says first. */
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

test("a media thread that dies is started again on the same port, and what it held is told to be over", async () => {
  const errors: string[] = [];
  const { runtime, view, facts } = start(0, { ...silent, error: (event) => errors.push(event) });
  const port = await runtime.start();
  expect(await isAnswering(port)).toBe(true);
  view.fact({
    kind: "ingest-started",
    time: 1,
    channelId: "ls-1",
    ingestId: 1,
    remoteAddress: "",
    encoder: "",
    isBroadcastNew: true,
    slot: "main",
  });
  view.fact({
    kind: "target-status",
    time: 1,
    channelId: "ls-1",
    targetId: 7,
    from: "CONNECTING",
    status: { status: "PUBLISHING", sinceTime: 1 },
  });
  // A spec that is none makes the thread throw where nothing catches.
  runtime.apply(null as never);
  await expect
    .poll(() => facts.map(({ kind }) => kind), { timeout: 10_000 })
    .toEqual(["target-status", "ingest-ended"]);
  expect(errors).toContain("media thread failed");
  expect(view.live("ls-1")?.isPublishing).toBe(false);
  expect(view.live("ls-1")?.targets.get(7)?.status.status).toBe("READY");
  await expect.poll(() => isAnswering(port), { timeout: 15_000 }).toBe(true);
});

test("a port that is taken is told to whoever starts", async () => {
  const first = start();
  const port = await first.runtime.start();
  const second = start(port);
  await expect(second.runtime.start()).rejects.toThrow(/EADDRINUSE/);
});

test("a runtime that was never started stops at once, and stopping twice is stopping once", async () => {
  const { runtime } = start();
  await runtime.stop("cut");
  const other = start();
  await other.runtime.start();
  await other.runtime.stop("end");
  await other.runtime.stop("end");
});

test("an encoder whose channel is deleted or blocked while its key is looked up is refused", async () => {
  const spec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] } as const;
  const changes: readonly ((runtime: MediaRuntime) => void)[] = [
    (runtime) => runtime.remove("ls-1"),
    (runtime) => {
      runtime.apply({ ...spec, revision: 2 });
      runtime.end("ls-1");
    },
  ];
  for (const change of changes) {
    let lookUps = 0;
    const { runtime, facts } = start(0, silent, async () => {
      lookUps += 1;
      if (lookUps > 1) return undefined;
      change(runtime);
      return { spec, slot: "main" };
    });
    const port = await runtime.start();
    const url = `rtmp://127.0.0.1:${port}/relay`;
    const encoder = new KitEncoder({ url, streamKey: "key", clip: syntheticClip() });
    expect((await encoder.closed).end?.how).toBe("refused");
    expect(encoder.report.isAccepted).toBe(false);
    await expect.poll(() => facts.map(({ kind }) => kind)).toEqual(["ingest-refused"]);
    expect(lookUps).toBe(2);
  }
});
