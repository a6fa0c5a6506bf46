import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTcp, type Server } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { SourceStatus } from "../../../src/control/channels/source.ts";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { createResolver } from "../../../src/net/dns/resolver.ts";
import { openPullLink } from "../../../src/sources/pull-links/open-pull-link.ts";
import { PullDialer } from "../../../src/sources/pull-links/pull-dialer.ts";
import { SourcePlayers } from "../../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";
import { testedFfmpeg } from "../../support/checks/tested-image.ts";

/** Sources may be at 127.0.0.1 here; 127.0.0.2 stands for everything that they may not reach. */
const policy = { allowed: parseCidrList("127.0.0.1/32"), ownPorts: [], ownHosts: [] };
const dialer = new PullDialer({ clock: systemClock, resolver: createResolver(), policy, extraCa: "" });
const SECRET_PATH = "/etc/hostname";

async function listen(server: Server, host = "127.0.0.1"): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Services that nobody may reach by way of a source: at another address, and at another port of this machine. */
async function forbidden() {
  const seen = { connections: 0 };
  const newServer = () =>
    createTcp((socket) => {
      seen.connections += 1;
      socket.destroy();
    });
  return { seen, far: await listen(newServer(), "127.0.0.2"), near: await listen(newServer()) };
}

/** Pulls with the real FFmpeg until the first failure, which is returned. */
async function failureOf(url: string) {
  const failed = Promise.withResolvers<SourceStatus>();
  const players = new SourcePlayers({
    clock: systemClock,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    random: Math.random,
    findFfmpeg: testedFfmpeg,
    files: { list: () => [], get: () => assert.fail("no file"), path: () => "", problem: async () => undefined },
    openLink: (address, signal) => openPullLink(address, { dialer, randomBytes }, signal),
    publish: () => Promise.reject(new Error("nothing of it may be published")),
    onStatus: (_channelId, status) => {
      if (status.state === "failed") failed.resolve(status);
    },
  });
  onTestFinished(() => players.close());
  players.start({
    channelId: "c",
    source: { kind: "pull", url },
    position: 0,
    offsetMs: 0,
    read: async () => ({}) as ChannelSpec,
  });
  const status = await failed.promise;
  return status.state === "failed" ? status.link?.lastError : undefined;
}

test("an RTSP server cannot send FFmpeg elsewhere", async () => {
  const { seen, far, near } = await forbidden();
  for (const place of [`127.0.0.2:${far}`, `127.0.0.1:${near}`]) {
    const server = createTcp((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (bytes: Buffer) => {
        const [, number = "1"] = /^CSeq: (\d+)/im.exec(bytes.toString("latin1")) ?? [];
        socket.write(`RTSP/1.0 302 Moved\r\nCSeq: ${number}\r\nLocation: rtsp://${place}/key\r\n\r\n`);
      });
    });
    const error = await failureOf(`rtsp://127.0.0.1:${await listen(server)}/cam`);
    expect(seen.connections).toBe(0);
    expect(error).toMatchObject({ code: "TARGET_FORBIDDEN", message: expect.stringContaining("RTSP 3xx") });
  }
});

test("a segment that is a playlist itself leads FFmpeg nowhere", async () => {
  const { seen, far, near } = await forbidden();
  const places = [`http://127.0.0.2:${far}/`, `http://127.0.0.1:${near}/`, `file://${SECRET_PATH}`, "a.ts"];
  for (const place of places) {
    const server = createServer((request, response) => {
      const next = request.url === "/live.m3u8" ? "segment.ts" : `${place}?a.ts`;
      const lines = [
        "#EXTM3U",
        "#EXT-X-TARGETDURATION:1",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXTINF:1,",
        next,
        "#EXT-X-ENDLIST",
      ];
      response.end(lines.join("\n"));
    });
    onTestFinished(() => void server.closeAllConnections());
    const error = await failureOf(`http://127.0.0.1:${await listen(server)}/live.m3u8`);
    expect(seen.connections, place).toBe(0);
    expect(error?.code).toMatch(/REMOTE_CLOSED|CONNECT_REJECTED/);
  }
});
