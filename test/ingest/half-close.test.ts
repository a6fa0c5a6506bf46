import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { connect as connectTls, type SecureVersion } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import { MessageType } from "../../src/protocol/rtmp/message.ts";
import { Engine } from "../../src/relay/engine.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { admissionTo, NO_LOGINS } from "../support/stages/admission.ts";
import { certificate } from "../support/stages/certificates.ts";
import { FakeDialer } from "../support/stages/fake-links.ts";
import { mediaOf } from "../support/stages/relay-stage.ts";

const SPEC = {
  channelId: "ls-1",
  revision: 1,
  holdSeconds: 0,
  targets: [{ targetId: 1, url: "rtmp://target/app", streamKey: "target-key", isEnabled: true }],
};
const CLOSE_AT_MS = 400;
const pair = certificate("127.0.0.1");

/**
 * An ingest behind TLS whose target accepts at once, and a plain port that leads there and ends each side as the other
 * does.
 */
async function open(version: SecureVersion) {
  const facts: Fact[] = [];
  const dialer = new FakeDialer();
  const onFact = (fact: Fact) => {
    facts.push(fact);
    if (fact.kind === "target-status" && fact.status.status === "CONNECTING") dialer.latest(1).accept();
  };
  const engine = new Engine({ clock: systemClock, random: Math.random, dialer, onFact, report: () => undefined });
  const listener = new RtmpListener({
    ...{ clock: systemClock, randomBytes, onFact, flush: () => engine.flush() },
    ...NO_LOGINS,
    permitPlayer: async () => "refuse",
    admit: async () => admissionTo(engine, { spec: SPEC, slot: "main" }),
  });
  const { port: tlsPort } = await listener.listenTls({ host: "127.0.0.1", port: 0 }, pair);
  const ended: Promise<unknown>[] = [];
  const server = createServer({ allowHalfOpen: true }, (plain) => {
    const options = { allowHalfOpen: true, ca: pair.cert, minVersion: version, maxVersion: version };
    const secure = connectTls({ port: tlsPort, host: "127.0.0.1", ...options });
    ended.push(once(secure, "end"));
    plain.pipe(secure).pipe(plain);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    engine.shutDown("cut");
    listener.close();
    server.close();
  });
  return { facts, dialer, port: (server.address() as AddressInfo).port, ended };
}

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "behind %s, what an encoder sent before it closed its side is forwarded, and our side is closed too",
  async (version) => {
    const { facts, dialer, port, ended } = await open(version);
    const clip = syntheticClip({ kilobits: 20_000, seconds: 1 });
    const url = `rtmp://127.0.0.1:${port}/relay`;
    const encoder = new KitEncoder({ url, streamKey: "good", clip, speed: 100, closeAtMs: CLOSE_AT_MS });
    expect((await encoder.closed).end).toEqual({ how: "closed" });
    await ended[0];
    expect(facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "connection-lost", isBroadcastOver: true });
    const sent = [...clip.tags()].filter(
      ({ type, timestamp }) => type === MessageType.Video && timestamp < CLOSE_AT_MS,
    );
    const shown = mediaOf(dialer.latest(1)).filter(({ type }) => type === MessageType.Video);
    expect(shown.map(({ payload }) => payload)).toEqual(sent.map(({ payload }) => payload));
  },
);
