import { expect, test } from "vitest";
import { RefusalList, type RefusedEncoder } from "../../../src/control/facts/refusal-list.ts";
import {
  type RefusalLimits,
  type RefusedEncoderStore,
  RefusedEncoders,
} from "../../../src/control/live/refused-encoders.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { ManualClock } from "../manual-clock.ts";

const none = () => undefined;
const SILENT = { debug: none, info: none, warn: none, error: none };

type Refusal = Extract<Fact, { readonly kind: "ingest-refused" }>;

/** What a database would keep. */
class MemoryStore implements RefusedEncoderStore {
  readonly #list = new RefusalList(1_000);
  isUnavailable = false;
  writeCount = 0;

  async addRefusals(attempts: readonly RefusedEncoder[]): Promise<void> {
    if (this.isUnavailable) throw new StoreUnavailableError("full", { path: "test" });
    this.writeCount += 1;
    for (const entry of [...attempts].reverse()) this.#list.merge(entry);
  }

  async listRefusals({ max, since }: RefusalLimits): Promise<readonly RefusedEncoder[]> {
    return this.#list
      .list()
      .filter(({ lastTime }) => lastTime >= since)
      .slice(0, max);
  }
}

function stage() {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const told: (readonly RefusedEncoder[])[] = [];
  const tell = (attempts: readonly RefusedEncoder[]) => void told.push(attempts);
  const open = () => new RefusedEncoders({ store, clock, log: SILENT, tell });
  const refused = open();
  const refuse = (remoteAddress: string, change: Partial<Refusal> = {}) =>
    refused.fact({
      ...{ kind: "ingest-refused", time: clock.wallNow(), count: 1, remoteAddress, reason: "unknown-key" },
      ...change,
    });
  return { clock, store, told, open, refused, refuse };
}

test("refused encoders are listed by address and reason, the latest first, with count and time", async () => {
  const { clock, refused, refuse } = stage();
  const start = clock.wallNow();
  refuse("192.0.2.1");
  refuse("192.0.2.2", { reason: "auth-failed", channelId: "ls-1" });
  clock.advance(5_000);
  refuse("192.0.2.1", { count: 40 });
  expect(await refused.list()).toEqual([
    {
      remoteAddress: "192.0.2.1",
      reason: "unknown-key",
      firstTime: start,
      lastTime: start + 5_000,
      count: 41,
    },
    {
      remoteAddress: "192.0.2.2",
      reason: "auth-failed",
      channelId: "ls-1",
      firstTime: start,
      lastTime: start,
      count: 1,
    },
  ]);
});

test("scanners and players are not listed as encoders", async () => {
  const { refused, refuse } = stage();
  for (const reason of ["protocol-error", "timed-out", "play-refused", "too-many-connections"] as const) {
    refuse("192.0.2.1", { reason });
  }
  expect(await refused.list()).toEqual([]);
});

test("a hundred addresses are remembered, for seven days", async () => {
  const { clock, refused, refuse } = stage();
  for (let index = 0; index < 150; index += 1) refuse(`2001:db8::${index}`);
  expect(await refused.list()).toHaveLength(100);
  expect((await refused.list())[0]?.remoteAddress).toBe("2001:db8::149");
  expect((await refused.list()).at(-1)?.remoteAddress).toBe("2001:db8::50");
  clock.advance(7 * 86_400_000 + 1);
  refuse("192.0.2.1");
  expect((await refused.list()).map(({ remoteAddress }) => remoteAddress)).toEqual(["192.0.2.1"]);
});

test("entries outlive a restart, and go on counting", async () => {
  const { clock, store, open, refused, refuse } = stage();
  refuse("192.0.2.1", { count: 2 });
  refuse("192.0.2.2");
  clock.advance(1_000);
  await refused.pause();
  const next = open();
  await next.load();
  expect((await next.list()).map(({ remoteAddress, count }) => [remoteAddress, count])).toEqual([
    ["192.0.2.2", 1],
    ["192.0.2.1", 2],
  ]);
  const again = { kind: "ingest-refused", time: clock.wallNow(), remoteAddress: "192.0.2.1" } as const;
  expect(next.fact({ ...again, count: 3, reason: "unknown-key" })).toMatchObject({ count: 5 });
  expect((await next.list())[0]).toMatchObject({ remoteAddress: "192.0.2.1", count: 5, lastTime: clock.wallNow() });
  // A flood within a second is one write.
  expect(store.writeCount).toBe(2);
});

test("what a database does not take is listed, and written with the next attempts", async () => {
  const { store, refused, refuse } = stage();
  store.isUnavailable = true;
  refuse("192.0.2.1");
  expect((await refused.list()).map(({ count }) => count)).toEqual([1]);
  store.isUnavailable = false;
  refuse("192.0.2.1");
  expect((await refused.list()).map(({ count }) => count)).toEqual([2]);
  expect(await store.listRefusals({ max: 9, since: 0 })).toMatchObject([{ remoteAddress: "192.0.2.1", count: 2 }]);
});

test("other nodes are told of each attempt once, within a second, also while the database accepts no writes", async () => {
  const { clock, store, told, refused, refuse } = stage();
  const start = clock.wallNow();
  store.isUnavailable = true;
  refuse("192.0.2.1");
  refuse("192.0.2.1", { count: 4 });
  expect(told).toEqual([]);
  clock.advance(1_000);
  const attempts = { remoteAddress: "192.0.2.1", reason: "unknown-key", firstTime: start, lastTime: start, count: 5 };
  expect(told).toEqual([[attempts]]);
  refuse("192.0.2.2");
  await refused.list();
  expect(told.slice(1)).toEqual([[expect.objectContaining({ remoteAddress: "192.0.2.2", count: 1 })]]);
});

test("attempts that another node tells count with this one's, and are not told again", async () => {
  const { clock, store, told, refused, refuse } = stage();
  const start = clock.wallNow();
  refuse("192.0.2.1");
  const elsewhere: RefusedEncoder = {
    ...{ remoteAddress: "192.0.2.1", reason: "unknown-key", firstTime: start + 1, lastTime: start + 2, count: 3 },
  };
  expect(refused.heard([elsewhere])).toEqual([{ ...elsewhere, firstTime: start, count: 4 }]);
  clock.advance(1_000);
  await refused.pause();
  expect(told.flat().map(({ count }) => count)).toEqual([1]);
  expect((await store.listRefusals({ max: 9, since: 0 })).map(({ count }) => count)).toEqual([1]);
});

test("attempts that a full disk did not take are stored by the next process once it has taken over", async () => {
  const { clock, store, open, refused, refuse } = stage();
  store.isUnavailable = true;
  refuse("192.0.2.1", { count: 3 });
  refuse("192.0.2.2");
  await refused.pause();
  const next = open();
  next.resume(structuredClone(refused.unstored));
  store.isUnavailable = false;
  clock.advance(60_000);
  // Somebody who looks at the list changes nothing in that.
  await next.list();
  expect(store.writeCount).toBe(0);
  next.goOn();
  clock.advance(1_000);
  await next.pause();
  const limits = { max: 10, since: 0 };
  expect((await store.listRefusals(limits)).map(({ remoteAddress, count }) => [remoteAddress, count])).toEqual([
    ["192.0.2.2", 1],
    ["192.0.2.1", 3],
  ]);
  refused.abandon();
  await refused.pause();
  expect(store.writeCount).toBe(1);
});
