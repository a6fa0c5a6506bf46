import { expect, test } from "vitest";
import type { OwnerAnswer } from "../../src/control/ports/owner-question.ts";
import { OwnerAsker } from "../../src/placement/owner-asker.ts";
import type { LinkSilence } from "../../src/thread-protocol/admission.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const OWNER = {
  ...{ channelId: "ls-1", epoch: 7, incarnation: 2, home: 0 },
  address: "host:2",
};
const ALIVE: OwnerAnswer = { kind: "owner", epoch: 7, isOnAir: true, isDraining: false };
const SILENCE: LinkSilence = { epoch: 7, silentMs: 150 };
const nothing = () => undefined;

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/**
 * An owner that has a second to answer, and its host 0.35 s to show that it is there, asked now. `isBusHeard`: the bus itself
 * replies. `link`, `bus`: what the owner answers; `reached`: its kernel accepts a connection.
 */
async function ask(silence?: LinkSilence, isBusHeard = true) {
  const clock = new VirtualClock();
  const link = Promise.withResolvers<OwnerAnswer>();
  /** One for each question. */
  const bus: PromiseWithResolvers<OwnerAnswer>[] = [];
  const reached = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<void>();
  const over = new AbortController();
  const silent: string[] = [];
  const seen: { verdict?: string; atMs?: number; probes: number } = { probes: 0 };
  const asker = new OwnerAsker({
    ...{ clock, silentMs: 1_000, hostSilentMs: 350 },
    link: { ask: () => link.promise },
    bus: {
      ask: () => {
        const asked = Promise.withResolvers<OwnerAnswer>();
        bus.push(asked);
        return asked.promise;
      },
    },
    host: {
      probe: async () => {
        seen.probes += 1;
        return { reached: reached.promise };
      },
      busHeard: () => (isBusHeard ? Promise.resolve() : heard.promise),
    },
    meter: {
      ...{ placed: nothing, tookOver: nothing, fenced: nothing, answered: nothing },
      ownerSilent: (what) => void silent.push(what),
    },
  });
  const startMs = clock.now();
  void asker
    .ask(OWNER, silence, over.signal)
    .then(({ verdict }) => Object.assign(seen, { verdict, atMs: clock.now() - startMs }));
  await settle();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await settle();
    }
  };
  const byBus = (answer: OwnerAnswer) => bus.at(-1)?.resolve(answer);
  const countBus = () => bus.length;
  const signs = { reached: reached.resolve, hearBus: heard.resolve };
  return { clock, silent, seen, pass, over, link: link.resolve, bus: byBus, countBus, ...signs };
}

test("a refused link asks the bus again at once: the first question may have reached the process as it died", async () => {
  const dead = await ask();
  expect(dead.countBus()).toBe(1);
  dead.link({ kind: "gone" });
  await settle();
  expect([dead.countBus(), dead.seen.verdict]).toEqual([2, undefined]);
  dead.bus({ kind: "gone" });
  await settle();
  expect(dead.seen).toEqual({ verdict: "claim", atMs: 0, probes: 0 });
  // One that has answered there is not asked again.
  const alive = await ask();
  alive.bus(ALIVE);
  await settle();
  alive.link({ kind: "gone" });
  await settle();
  expect([alive.countBus(), alive.seen.verdict]).toEqual([1, "try-again"]);
});

test("an owner that answers in its time keeps the channel, one that does not is replaced", async () => {
  const alive = await ask();
  await alive.pass(990);
  alive.link(ALIVE);
  await settle();
  expect(alive.seen).toEqual({ verdict: "attach", atMs: 990, probes: 0 });
  const silent = await ask();
  await silent.pass(1_000);
  expect(silent.seen).toEqual({ verdict: "claim", atMs: 1_000, probes: 0 });
  expect([alive.silent, silent.silent]).toEqual([[], ["owner"]]);
});

test("the owner's time does not pass while the node that asks stands still", async () => {
  const { clock, silent, seen, link, pass } = await ask();
  await pass(100);
  clock.pause(1_300);
  // Timers run before what came meanwhile is read.
  clock.advance(0);
  link(ALIVE);
  await settle();
  expect([seen.verdict, silent]).toEqual(["attach", []]);
});

test("a host that has been silent on every way for 0.35 s is gone, if its link worked until then", async () => {
  const { silent, seen, pass } = await ask(SILENCE);
  await pass(1_000);
  expect([seen, silent]).toEqual([{ verdict: "claim", atMs: 200, probes: 1 }, ["host"]]);
  // Its signs have 0.15 s in any case.
  const late = await ask({ epoch: 7, silentMs: 900 });
  await late.pass(1_000);
  expect(late.seen).toEqual({ verdict: "claim", atMs: 150, probes: 1 });
});

test("a bus that replies later than the host's time shows its silence then, unless the host is reached meanwhile", async () => {
  for (const isReached of [false, true]) {
    const { seen, pass, reached, hearBus } = await ask(SILENCE, false);
    await pass(250);
    if (isReached) reached();
    await pass(50);
    hearBus();
    await settle();
    await pass(10);
    expect(seen.verdict).toBeUndefined();
    await pass(10);
    expect(seen.verdict).toBe(isReached ? undefined : "claim");
  }
});

test("a question that is ended from outside stays without an answer, and starts nothing any more", async () => {
  const { clock, seen, pass, over, countBus } = await ask(SILENCE);
  over.abort();
  await pass(2_000);
  expect([seen.verdict, clock.pending, countBus()]).toEqual([undefined, 0, 1]);
});

test("the process of a host that accepts connections has its full time, however still it stands", async () => {
  const { silent, seen, pass, reached } = await ask(SILENCE);
  await pass(150);
  reached();
  await pass(850);
  expect([seen, silent]).toEqual([{ verdict: "claim", atMs: 1_000, probes: 1 }, ["owner"]]);
});

test("an owner that answers over the bus is never replaced, though nothing else reaches its host", async () => {
  const { silent, seen, pass, bus } = await ask(SILENCE);
  await pass(150);
  bus(ALIVE);
  await pass(900);
  expect([seen, silent]).toEqual([{ verdict: "try-again", atMs: 1_000, probes: 1 }, []]);
});

test("an owner has its full time where this node may be cut off itself, or the link has been broken for a while", async () => {
  const CASES: readonly (readonly [LinkSilence | undefined, boolean, number])[] = [
    [SILENCE, false, 1],
    [undefined, true, 0],
    [{ epoch: 7, silentMs: 1_001 }, true, 0],
    [{ epoch: 6, silentMs: 150 }, true, 0],
  ];
  for (const [silence, isBusHeard, probes] of CASES) {
    const { silent, seen, pass } = await ask(silence, isBusHeard);
    await pass(1_000);
    expect([seen, silent]).toEqual([{ verdict: "claim", atMs: 1_000, probes }, ["owner"]]);
  }
});

test("while the node that asks is busy the time of a host's signs does not pass", async () => {
  const { clock, silent, seen, pass, link, reached } = await ask(SILENCE);
  await pass(50);
  clock.pause(400);
  // Timers run before what came meanwhile is read.
  clock.advance(0);
  await settle();
  reached();
  link(ALIVE);
  await settle();
  expect([seen.verdict, silent]).toEqual(["attach", []]);
});
