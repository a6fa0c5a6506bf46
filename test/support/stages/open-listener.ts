import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { ConnectionLimits } from "../../../src/ingest/connection-limiter.ts";
import { RtmpListener } from "../../../src/ingest/rtmp/rtmp-listener.ts";
import { Engine } from "../../../src/relay/engine.ts";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { admissionTo, NO_LOGINS, type Verdict } from "./admission.ts";
import { certificate } from "./certificates.ts";
import { FakeDialer } from "./fake-links.ts";

/** The channel of the good key. */
export const SPEC: ChannelSpec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] };
/** The certificate of 127.0.0.1, and its key. */
export const pair = certificate("127.0.0.1");

/** A listener on two free ports, the second behind TLS. The key `good` may publish. */
export async function listen(
  limits: ConnectionLimits = {},
  admission: () => Verdict = () => ({ spec: SPEC, slot: "main" }),
) {
  const facts: Fact[] = [];
  const onFact = (fact: Fact) => void facts.push(fact);
  const engine = new Engine({
    ...{ clock: systemClock, random: Math.random, dialer: new FakeDialer(), onFact },
    report: () => undefined,
  });
  const admit = async (key: string) => admissionTo(engine, key === "good" ? admission() : "refused");
  const listener = new RtmpListener({
    clock: systemClock,
    randomBytes,
    flush: () => engine.flush(),
    onFact,
    ...NO_LOGINS,
    permitPlayer: async () => "refuse",
    admit,
    limits,
  });
  onTestFinished(() => {
    engine.shutDown("cut");
    listener.close();
  });
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  const { port: tlsPort } = await listener.listenTls({ host: "127.0.0.1", port: 0 }, pair);
  return { listener, port, tlsPort, facts };
}

export async function openConnection(port: number, localAddress = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  socket.resume();
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Publishes as an encoder does. Resolves with the time until it was on air, in milliseconds. */
export async function publishTime(port: number, facts: readonly Fact[]): Promise<number> {
  const startedCount = () => facts.filter(({ kind }) => kind === "ingest-started").length;
  const before = startedCount();
  const startMs = performance.now();
  const clip = syntheticClip({ seconds: 60 });
  const encoder = new KitEncoder({ url: `rtmp://127.0.0.1:${port}/relay`, streamKey: "good", clip });
  onTestFinished(async () => void (await encoder.stop("reset")));
  await expect.poll(startedCount, { interval: 5 }).toBe(before + 1);
  return performance.now() - startMs;
}
