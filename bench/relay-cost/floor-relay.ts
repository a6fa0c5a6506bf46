import { startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import { waitFor } from "../../test/support/processes/waiting.ts";
import type { Relay } from "./relay.ts";

const BATCH_MS = 50;
const START_DEADLINE_MS = 5_000;
const STOP_GRACE_MS = 1_000;

/** What C can do with the same batching: one read and one write (behind TLS one `SSL_write`) per target every 50 ms. */
export const floorRelay: Relay = {
  name: "c-floor",
  canTls: true,
  isNative: true,
  channelsMax: 1_000,
  async start({ channelCount, fanOut, sink, isTls, tools }) {
    const port = await freePort();
    const floor = await startChild(tools.floor, [
      ...[port, sink, fanOut, BATCH_MS].map(String),
      ...(isTls ? ["tls"] : []),
    ]);
    await waitFor("the floor", START_DEADLINE_MS, () => (floor.stdout().includes("ready") ? true : undefined));
    return {
      pids: () => [floor.pid],
      ingests: Array.from({ length: channelCount }, (_, channel) => ({ port, app: "live", key: `bench-${channel}` })),
      stop: async () => void (await floor.stop("SIGTERM", STOP_GRACE_MS)),
    };
  },
  version: () =>
    Promise.resolve(
      "bench/native/floor.c, one read and one write per target every 50 ms (RTMPS: one SSL_write, AES-128-GCM)",
    ),
};
