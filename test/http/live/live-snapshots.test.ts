import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { LiveReader } from "../../../src/http/live/live-reader.ts";
import { LiveRing } from "../../../src/http/live/live-ring.ts";
import { LiveSnapshots } from "../../../src/http/live/live-snapshots.ts";
import { ManualClock } from "../../control/manual-clock.ts";

const CHANNEL_COUNT = 200;
const IDS = Array.from({ length: CHANNEL_COUNT }, (_, index) => `ls-${index}`);

/** A reader's socket: takes at once, or only when the test says so. */
class Socket extends Writable {
  text = "";
  isSlow = false;
  #taken: () => void = () => undefined;

  override _write(part: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    this.text += part.toString();
    if (this.isSlow) this.#taken = taken;
    else taken();
  }

  take(): void {
    this.isSlow = false;
    this.#taken();
  }
}

function stage(textLength = 10) {
  const clock = new ManualClock();
  const ring = new LiveRing();
  const reads: string[] = [];
  const failures: unknown[] = [];
  let broken: string | undefined;
  const snapshots = new LiveSnapshots({
    listChannelIds: () => Promise.resolve(IDS),
    read: (channelId) => {
      if (channelId === broken) return Promise.reject(new Error(`${channelId} is damaged`));
      reads.push(channelId);
      const rest = "x".repeat(textLength);
      return Promise.resolve({
        manager: JSON.stringify({ channelId, rest }),
        viewer: JSON.stringify({ channelId, masked: true }),
      });
    },
    lastSequence: () => ring.last,
    onFailure: (error) => void failures.push(error),
  });
  const join = (isViewer = false, channelId?: string) => {
    const socket = new Socket();
    const reader = new LiveReader({
      ...{ response: socket, ring, clock, epoch: "e", isViewer, accessKeyId: "A" },
      channelId: undefined,
    });
    snapshots.give(reader, channelId);
    return socket;
  };
  const breakRead = (channelId: string) => {
    broken = channelId;
  };
  return { clock, ring, reads, failures, snapshots, join, breakRead };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const isWhole = ({ text }: Socket) => text.endsWith("data: ]}\n\n");

function channelsIn({ text }: Socket): { channelId: string; masked?: boolean }[] {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return JSON.parse(lines.map((line) => line.slice(6)).join("\n")).channels;
}

async function untilWhole(sockets: readonly Socket[], reads: readonly string[] = []): Promise<number[]> {
  const perTurn: number[] = [];
  for (let turns = 0; turns < 10_000 && !sockets.every(isWhole); turns += 1) {
    const before = reads.length;
    await turn();
    perTurn.push(reads.length - before);
  }
  return perTurn;
}

test("fifty readers cost a turn of the event loop no more than one does, and a channel is read once for all", async () => {
  const { reads, join } = stage();
  const sockets = Array.from({ length: 50 }, (_, index) => join(index % 2 === 1));
  const perTurn = await untilWhole(sockets, reads);
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(10);
  expect(reads).toEqual(IDS);
  for (const [index, socket] of sockets.entries()) {
    const channels = channelsIn(socket);
    expect(channels.map(({ channelId }) => channelId)).toEqual(IDS);
    expect(channels.every(({ masked }) => masked === (index % 2 === 1 ? true : undefined))).toBe(true);
  }
});

test("a reader that comes while a snapshot is read gets one of its own, with what changed since", async () => {
  const { ring, reads, join } = stage();
  const first = join();
  await turn();
  ring.add({ name: "event", channelId: "ls-1", managerText: "{}", viewerText: "{}" });
  const late = [join(), join()];
  await untilWhole(late);
  expect(first.text).toContain("id: e-0\nevent: snapshot\n");
  // The change came while it was read, so it is sent after it.
  expect(first.text).toMatch(/data: \]\}\n\nid: e-1\nevent: event\n/);
  for (const socket of late) {
    expect(socket.text).toContain("id: e-1\nevent: snapshot\n");
    expect(channelsIn(socket)).toHaveLength(CHANNEL_COUNT);
  }
  // What was read before the change is read again for later readers, once for both.
  const readTwice = new Set(reads.filter((id, index) => reads.indexOf(id) !== index));
  expect(reads).toHaveLength(CHANNEL_COUNT + readTwice.size);
  expect(readTwice).toContain("ls-1");
});

test("a reader that takes nothing delays no other, and goes on where it was", async () => {
  const { reads, join } = stage(10_000);
  const slow = join();
  slow.isSlow = true;
  const others = [join(), join()];
  await untilWhole(others);
  expect(others.every((socket) => channelsIn(socket).length === CHANNEL_COUNT)).toBe(true);
  expect(reads).toEqual(IDS);
  expect(isWhole(slow)).toBe(false);
  expect(slow.writableLength).toBeLessThan(512 * 1024);
  for (let turns = 0; turns < 5; turns += 1) await turn();
  slow.take();
  await untilWhole([slow]);
  expect(channelsIn(slow).map(({ channelId }) => channelId)).toEqual(IDS);
  // What the others got while it waited is read again for it: what is true then.
  expect(reads.length).toBeGreaterThan(CHANNEL_COUNT);
  expect(new Set(reads.slice(CHANNEL_COUNT)).size).toBe(reads.length - CHANNEL_COUNT);
});

test("a snapshot that cannot be read ends its reader's stream, is reported, and the others go on", async () => {
  const { failures, join, reads, breakRead } = stage();
  breakRead("ls-3");
  const all = join();
  const one = join(false, "ls-7");
  await untilWhole([one]);
  expect(all.destroyed).toBe(true);
  expect(failures).toEqual([new Error("ls-3 is damaged")]);
  expect(reads).not.toContain("ls-8");
});

test("a reader of one channel does not wait for readers of all, and one that left costs nothing", async () => {
  const { reads, join } = stage();
  const gone = join();
  await turn();
  const one = join(false, "ls-7");
  gone.destroy();
  await untilWhole([one]);
  expect(channelsIn(one).map(({ channelId }) => channelId)).toEqual(["ls-7"]);
  const before = reads.length;
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(reads.length).toBe(before);
});
