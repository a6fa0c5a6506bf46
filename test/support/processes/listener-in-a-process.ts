import { randomBytes } from "node:crypto";
import { systemClock } from "../../../src/base/clock.ts";
import { RtmpListener } from "../../../src/ingest/rtmp/rtmp-listener.ts";
import { NO_LOGINS } from "../stages/admission.ts";

/**
 * An ingest alone in a process that was forked with `--expose-gc`, so that its memory is that of its connections. Sends
 * its port once; replies to each message with `{ accepted, bytes }`: connections so far, and the size of the heap and
 * all buffers after a collection.
 */

const CONNECTIONS_MAX = 10_000;
const COLLECTIONS = 3;
/** Drawn once for each connection. */
const HANDSHAKE_RANDOM_BYTES = 1_528;

let accepted = 0;
const listener = new RtmpListener({
  // No deadline passes: the measurement does not depend on the machine's speed.
  clock: { ...systemClock, now: () => 0 },
  randomBytes: (length) => {
    if (length === HANDSHAKE_RANDOM_BYTES) accepted += 1;
    return randomBytes(length);
  },
  admit: async () => "refused",
  ...NO_LOGINS,
  permitPlayer: async () => "refuse",
  onFact: () => undefined,
  flush: () => undefined,
  limits: { connectionsMax: CONNECTIONS_MAX, unauthenticatedPerAddressMax: CONNECTIONS_MAX },
});

/** Collected more than once: what a finaliser releases is gone after the next. */
async function heldBytes(): Promise<number> {
  for (let times = 0; times < COLLECTIONS; times += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.on("message", async () => process.send?.({ accepted, bytes: await heldBytes() }));
const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port });
