import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { openTcp, openTls } from "../../src/egress/open-socket.ts";
import { type KeptSession, TlsMemory } from "../../src/egress/tls-memory.ts";
import { certificate } from "../support/stages/certificates.ts";

const pair = certificate("127.0.0.1");

/** OpenSSL's own server, which sends many tickets after its handshake. Node's sends two. */
async function ticketServer(count: number) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-tickets-"));
  writeFileSync(join(folder, "cert.pem"), pair.cert);
  writeFileSync(join(folder, "key.pem"), pair.key);
  const files = ["-cert", join(folder, "cert.pem"), "-key", join(folder, "key.pem")];
  const args = ["s_server", "-accept", "127.0.0.1:0", "-num_tickets", String(count), ...files];
  const server = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => {
    server.kill();
    rmSync(folder, { recursive: true });
  });
  const port = await new Promise<number>((resolve) => {
    server.stdout.on("data", (text) => {
      const found = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(String(text));
      if (found !== null) resolve(Number(found[1]));
    });
  });
  return { port, say: (text: string) => server.stdin.write(`${text}\n`) };
}

test("two of a target's tickets are kept for each connection", async () => {
  const { port, say } = await ticketServer(20);
  const kept: string[] = [];
  class CountingMemory extends TlsMemory {
    override keep(name: string, session: KeptSession): void {
      kept.push(name);
      super.keep(name, session);
    }
  }
  const memory = new CountingMemory(pair.cert);
  const checked = { address: "127.0.0.1", port, family: 4 } as const;
  const { signal } = new AbortController();
  const { socket } = await openTcp([checked], systemClock, signal);
  const secured = await openTls(socket, checked, { tls: {}, memory, targetId: 1 }, systemClock, signal);
  onTestFinished(() => {
    secured.destroy();
  });
  let sessions = 0;
  secured.on("session", () => {
    sessions += 1;
  });
  say("behind the tickets");
  await once(secured, "data");
  expect([sessions, kept.length]).toEqual([20, 2]);
});
