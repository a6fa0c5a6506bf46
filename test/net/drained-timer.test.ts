import { expect, test } from "vitest";
import { DrainedTimer } from "../../src/net/drained-timer.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const ROUND = 32;

/** A port on a loop whose rounds of reads a test plays: each reads at most 32 datagrams, after what `inRound` does. */
function stageOf(unread = 0) {
  const clock = new VirtualClock();
  const rounds: (() => void)[] = [];
  const timer = new DrainedTimer({ clock, afterReads: (run) => void rounds.push(run) });
  const port = { unread, runs: 0, rounds: 0 };
  const started = timer.start(10, () => {
    port.runs += 1;
  });
  /** One round. `readsFirst`: the port is read before what else the round does. */
  const round = (inRound: () => void = () => undefined, readsFirst = false) => {
    const run = rounds.shift();
    if (run === undefined) throw new Error("nothing waits for a round");
    port.rounds += 1;
    if (!readsFirst) inRound();
    for (let count = 0; count < ROUND && port.unread > 0; count += 1) {
      port.unread -= 1;
      timer.noteRead();
    }
    if (readsFirst) inRound();
    run();
  };
  const pause = (ms: number, arrived: number) => () => {
    clock.pause(ms);
    port.unread += arrived;
  };
  return { clock, port, round, pause, started, waits: () => rounds.length };
}

test("on time it runs behind one round of reads, however much there is", () => {
  const { clock, port, round } = stageOf(500);
  clock.advance(10);
  expect(port.runs).toBe(0);
  round();
  expect(port).toEqual({ unread: 468, runs: 1, rounds: 1 });
});

test("behind a pause before its timer it runs once everything is read", () => {
  const { clock, port, round, pause, waits } = stageOf();
  pause(700, 100)();
  clock.advance(0);
  while (waits() > 0) round();
  expect(port).toEqual({ unread: 0, runs: 1, rounds: 4 });
});

test("behind a pause in the round of reads itself, at any place, it runs once everything is read", () => {
  for (const readsFirst of [false, true]) {
    const { clock, port, round, pause, waits } = stageOf();
    clock.advance(10);
    round(pause(700, 70), readsFirst);
    expect(port.runs).toBe(0);
    while (waits() > 0) round();
    expect(port).toMatchObject({ unread: 0, runs: 1 });
  }
});

test("a second pause, behind the first, counts again", () => {
  const { clock, port, round, pause, waits } = stageOf();
  pause(700, 40)();
  clock.advance(0);
  round();
  round(pause(3_000, 60), true);
  while (waits() > 0) round();
  expect(port).toMatchObject({ unread: 0, runs: 1 });
});

test("a port that is never empty, and a loop that is always late, put it off by half a second and ten rounds", () => {
  const busy = stageOf(1_000_000);
  busy.pause(700, 0)();
  busy.clock.advance(0);
  const fromMs = busy.clock.now();
  while (busy.waits() > 0) busy.round(busy.pause(5, 0));
  expect([busy.port.runs, busy.clock.now() - fromMs]).toEqual([1, 500]);

  const late = stageOf();
  late.clock.advance(10);
  while (late.waits() > 0) late.round(late.pause(200, 0));
  expect(late.port).toMatchObject({ runs: 1, rounds: 11 });
});

test("cancelled while it waits for reads, it does not run", () => {
  const { clock, port, round, pause, started } = stageOf();
  pause(700, 40)();
  clock.advance(0);
  round();
  started.cancel();
  round();
  expect(port.runs).toBe(0);
});
