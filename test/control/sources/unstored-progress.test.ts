import { expect, onTestFinished, test } from "vitest";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { type Progress, UnstoredProgress } from "../../../src/control/sources/unstored-progress.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const PLAYS: Progress = { isWanted: true, position: 1 };
const ENDED: Progress = { isWanted: false, position: 0 };

/** A database that answers only where the test does, one write after another. */
function stage() {
  const clock = new VirtualClock();
  const asked: { readonly what: string; readonly answer: PromiseWithResolvers<boolean> }[] = [];
  const taken: string[] = [];
  const lines: string[] = [];
  const line = (event: string) => void lines.push(event);
  const unstored = new UnstoredProgress({
    clock,
    log: { debug: line, info: line, warn: line, error: line },
    put: (channelId, { position }) => {
      const answer = Promise.withResolvers<boolean>();
      asked.push({ what: `${channelId} at ${position}`, answer });
      return answer.promise;
    },
    onTaken: (channelId) => void taken.push(channelId),
  });
  onTestFinished(() => unstored.stop());
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    ...{ unstored, taken, lines },
    /** What waits for the database. */
    waiting: () => asked.map(({ what }) => what),
    /** The database answers the first that waits. */
    answer: async (isOurs: boolean | Error) => {
      const first = asked.shift()?.answer;
      if (isOurs instanceof Error) first?.reject(isOurs);
      else first?.resolve(isOurs);
      await settle();
    },
    pass: async (ms: number) => {
      clock.advance(ms);
      await settle();
    },
  };
}

test("what a silent database does not take is tried with one write at a time, and stored once it answers", async () => {
  const { unstored, waiting, answer, pass, lines } = stage();
  const away = new StoreUnavailableError("unreachable");
  for (const channelId of ["a", "b", "c"]) void unstored.store(channelId, PLAYS);
  for (let count = 0; count < 3; count += 1) await answer(away);
  expect([waiting(), lines.length]).toEqual([[], 3]);
  // What comes meanwhile waits too.
  void unstored.store("b", ENDED);
  void unstored.store("d", PLAYS);
  // Each write takes longer than the wait for the next one.
  for (let round = 0; round < 5; round += 1) {
    await pass(2_000);
    expect(waiting()).toEqual(["a at 1"]);
    await pass(10_000);
    expect(waiting()).toEqual(["a at 1"]);
    await answer(away);
  }
  await pass(2_000);
  for (const what of ["a at 1", "b at 0", "c at 1", "d at 1"]) {
    expect(waiting()).toEqual([what]);
    await answer(true);
  }
  await pass(60_000);
  expect([waiting(), lines.length]).toEqual([[], 3]);
  void unstored.store("d", ENDED);
  expect(waiting()).toEqual(["d at 0"]);
});

test("one source that cannot be stored holds up no other, and what became of it meanwhile counts", async () => {
  const { unstored, waiting, answer, pass, taken } = stage();
  const broken = new Error("its row cannot be written");
  for (const channelId of ["a", "b", "c"]) void unstored.store(channelId, PLAYS);
  for (let count = 0; count < 3; count += 1) await answer(broken);
  await pass(2_000);
  await answer(broken);
  expect(waiting()).toEqual(["b at 1"]);
  // It ends while the former news of it is on the way, and another server has taken it.
  void unstored.store("c", ENDED);
  await answer(true);
  expect(waiting()).toEqual(["c at 0"]);
  await answer(false);
  expect([waiting(), taken]).toEqual([[], ["c"]]);
  await pass(2_000);
  expect(waiting()).toEqual(["a at 1"]);
  unstored.stop();
  await answer(broken);
  await pass(60_000);
  expect(waiting()).toEqual([]);
});

test("what comes after all that waited is forgotten is stored too", async () => {
  const { unstored, waiting, answer, pass } = stage();
  void unstored.store("a", PLAYS);
  await answer(new StoreUnavailableError("unreachable"));
  unstored.forget("a");
  await pass(2_000);
  expect(waiting()).toEqual([]);
  void unstored.store("b", PLAYS);
  await pass(2_000);
  expect(waiting()).toEqual(["b at 1"]);
});
