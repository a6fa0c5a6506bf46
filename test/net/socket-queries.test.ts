import { expect, test } from "vitest";
import { SocketQueries } from "../../src/net/kernel/socket-queries.ts";
import type { TcpReading } from "../../src/net/kernel/tcp-table.ts";

type Told = { state?: number; queued?: number | undefined; unacked?: number; probes?: number; retransmits?: number };

/** What is read of a socket of which the kernel tells this. */
function read({ state = 1, unacked = 0, probes = 0, retransmits = 0, ...more }: Told) {
  const told: TcpReading[] = [];
  const queries = new SocketQueries({
    queuedBytes: () => ("queued" in more ? more.queued : 500),
    // The kernel's struct tcp_info: its state, then retransmits and probes, and the segments that are not acknowledged.
    tcpInfo: (_descriptor, info) => {
      info.set([state, 0, retransmits, probes]);
      new DataView(info.buffer).setUint32(24, unacked, true);
      return true;
    },
  });
  return queries.read(7, (reading) => void told.push(reading)) ? told : "not said";
}

const WAITS = { queuedBytes: 500, isWindowShut: false, isResending: false };

test.each<{ readonly name: string; readonly given: Told; readonly found: unknown }>([
  { name: "nothing waits", given: { queued: 0 }, found: [{ ...WAITS, queuedBytes: 0 }] },
  { name: "bytes are under way", given: { unacked: 3 }, found: [WAITS] },
  { name: "they are under way again", given: { unacked: 3, retransmits: 1 }, found: [{ ...WAITS, isResending: true }] },
  {
    name: "what was sent again has arrived",
    given: { queued: 0, retransmits: 1 },
    found: [{ ...WAITS, queuedBytes: 0 }],
  },
  { name: "the peer has no room", given: {}, found: [{ ...WAITS, isWindowShut: true }] },
  { name: "it was asked once for room", given: { probes: 1 }, found: [{ ...WAITS, isWindowShut: true }] },
  { name: "it does not answer that", given: { probes: 2 }, found: [WAITS] },
  { name: "the peer has ended its side", given: { state: 8, unacked: 3 }, found: [WAITS] },
  { name: "it was ended", given: { state: 4 }, found: [] },
  { name: "the kernel does not say what waits", given: { queued: undefined }, found: "not said" },
])("of a socket: $name", ({ given, found }) => {
  expect(read(given)).toEqual(found);
});
