import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { startChild } from "../../support/processes/children.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { PoolStage } from "../../support/stages/pool-stage.ts";

const ENCODER = "127.0.0.9";
const DEADLINE_MS = 30_000;

/** Real HAProxy in front of a port. */
async function haproxyTo(port: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-haproxy-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const front = await freePort();
  const timeouts = "timeout connect 5s\n timeout client 10m\n timeout server 10m";
  const lines = [
    `defaults\n mode tcp\n ${timeouts}`,
    `listen rtmp\n bind 127.0.0.1:${front}\n server fanfare 127.0.0.1:${port} send-proxy-v2`,
  ];
  await writeFile(join(folder, "haproxy.cfg"), `${lines.join("\n")}\n`);
  const haproxy = await startChild("haproxy", ["-db", "-f", join(folder, "haproxy.cfg")]);
  onTestFinished(async () => void (await haproxy.stop("SIGTERM", 5_000)));
  await waitFor("HAProxy", DEADLINE_MS, async () => {
    const socket = connect(front, "127.0.0.1");
    const isUp = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => socket.readyState === "open",
      () => false,
    );
    socket.destroy();
    return isUp || undefined;
  });
  return front;
}

/** A way to a port that begins at another address of this machine. */
async function from(localAddress: string, port: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connect({ port, host: "127.0.0.1", localAddress });
    for (const socket of [client, upstream]) socket.on("error", () => undefined);
    client.pipe(upstream).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return address.port;
}

test("behind HAProxy the encoder is known by its own address, and its stream reaches the target", async () => {
  const stage = new PoolStage({ proxyProtocolFrom: "127.0.0.1/32" });
  const port = await stage.start();
  const target = await stage.target();
  const { channelId } = stage.channel([target]);
  const way = await from(ENCODER, await haproxyTo(port));
  stage.encoder(channelId, { clip: syntheticClip(), url: `rtmp://127.0.0.1:${way}/relay` });
  await waitFor("media", DEADLINE_MS, () => (target.connections[0]?.report.mediaBytes ?? 0) > 0 || undefined);
  // A thread tells facts on another way than media goes.
  const started = () => stage.facts.find(({ kind }) => kind === "ingest-started");
  await expect.poll(started).toMatchObject({ remoteAddress: ENCODER });
});
