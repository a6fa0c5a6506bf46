import { expect, test } from "vitest";
import { RecorderClient } from "../../../src/app/media-thread/recorder-client.ts";
import type { RecordingSink } from "../../../src/relay/subscriber/recording/recording-link.ts";
import type { FromRecorded, ToRecorded } from "../../../src/thread-protocol/recordings/recorder-messages.ts";
import { ManualTransport } from "../../support/stages/manual-transport.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const MIB = 1024 * 1024;

/** A client with a recorder that takes nothing until the test says so. */
function connected() {
  const client = new RecorderClient({
    ...{ clock: new VirtualClock(), waitingBytesMax: 64 * MIB },
    onWanted: () => undefined,
    onConnected: () => undefined,
  });
  const transport = new ManualTransport<FromRecorded, ToRecorded>();
  transport.far.listen(
    () => undefined,
    () => undefined,
  );
  client.connect(transport.near);
  const open = (channelId: string): RecordingSink => {
    const sink = client.open(channelId, 0, { taken: () => undefined, ended: () => undefined });
    if (sink === undefined) throw new Error("not opened");
    return sink;
  };
  return { client, transport, open };
}

test("what the disk has not taken of one recording leaves less for each of the others, until it is taken or lost", async () => {
  const { client, transport, open } = connected();
  const [first, second] = [open("ls-1"), open("ls-2")];
  expect(second.waitingBytesMax).toBe(8 * MIB);
  first.take(new Uint8Array(40 * MIB));
  expect([first.waitingBytesMax, second.waitingBytesMax]).toEqual([3 * MIB, 3 * MIB]);
  transport.far.post({ kind: "taken", number: 1, bytes: 32 * MIB });
  await transport.settle();
  expect(second.waitingBytesMax).toBe(7 * MIB);
  client.connect(new ManualTransport<FromRecorded, ToRecorded>().near);
  expect(open("ls-3").waitingBytesMax).toBe(8 * MIB);
});

test("many recordings of a disk that takes nothing stay below the limit together", () => {
  const { open } = connected();
  const sinks = Array.from({ length: 100 }, (_, index) => open(`ls-${index}`));
  const waiting = sinks.map(() => 0);
  for (let round = 0; round < 40; round += 1)
    for (const [index, sink] of sinks.entries()) {
      if ((waiting[index] ?? 0) + MIB / 4 > sink.waitingBytesMax) continue;
      sink.take(new Uint8Array(MIB / 4));
      waiting[index] = (waiting[index] ?? 0) + MIB / 4;
    }
  const total = waiting.reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeGreaterThan(48 * MIB);
  expect(total).toBeLessThanOrEqual(64 * MIB);
});

test("once another process records, the recorder is not asked for, nothing begins, and what its end cuts off has that reason", async () => {
  const { client, transport } = connected();
  const problems: string[] = [];
  const listener = { taken: () => undefined, ended: (problem: string) => void problems.push(problem) };
  expect([client.open("ls-1", 0, listener), client.want()]).toEqual([expect.anything(), undefined]);
  client.handOver();
  expect([client.open("ls-2", 0, listener), client.want()]).toEqual([undefined, "SERVER_UPGRADED"]);
  transport.far.close();
  await transport.settle();
  expect(problems).toEqual(["SERVER_UPGRADED"]);
});
