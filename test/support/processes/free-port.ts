import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that the kernel assigns by itself, so that no outgoing connection takes one in between. */
const FIRST_PORT = 11_000;
const PORTS_OF_A_WORKER = 1_000;
const WORKERS_MAX = 20;

/** Test files that run at the same time have blocks of their own: none finds a port free that another is about to use. */
const worker = (Number(process.env["VITEST_POOL_ID"] ?? 0) || 0) % WORKERS_MAX;
const first = FIRST_PORT + worker * PORTS_OF_A_WORKER;
let next = Math.floor(Math.random() * PORTS_OF_A_WORKER);

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** A TCP port of 127.0.0.1 without a listener, that no file of this run got lately. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS_OF_A_WORKER; tried += 1) {
    const port = first + next;
    next = (next + 1) % PORTS_OF_A_WORKER;
    if (await isFree(port)) return port;
  }
  throw new Error("no free port in this worker's block");
}
