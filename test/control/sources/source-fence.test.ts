import { expect, onTestFinished, test } from "vitest";
import { SourceFence } from "../../../src/control/sources/source-fence.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A process that plays `played` and has `idle`, whose source stopped. It knows of the processes 2 and 3. */
function stage() {
  const clock = new VirtualClock();
  const playing = new Set(["played"]);
  const seen: string[] = [];
  const peers = { unconfirmedMs: 0, others: [2, 3], silent: new Set<number>(), questions: 0 };
  /** Called in the middle of a question. */
  let onQuestion: () => void = quiet;
  const fence = new SourceFence({
    ...{ clock, log },
    sources: {
      channelIds: () => ["played", "idle"],
      plays: (channelId) => playing.has(channelId),
      giveWay: async (channelId) => {
        playing.delete(channelId);
        seen.push(`${channelId} gives way`);
      },
    },
    peers: {
      get unconfirmedMs() {
        return peers.unconfirmedMs;
      },
      others: () => peers.others,
      isSilent: async (node) => {
        peers.questions += 1;
        onQuestion();
        return peers.silent.has(node);
      },
      abandon: (channelId) => void seen.push(`${channelId} is left`),
    },
  });
  onTestFinished(() => fence.stop());
  void fence.start();
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    }
  };
  return { clock, fence, peers, seen, pass, playing, during: (run: () => void) => (onQuestion = run) };
}

test("a source stops where the database is silent for 8 s and another process does not answer, its links before it", async () => {
  const { peers, seen, pass } = stage();
  peers.silent.add(3);
  peers.unconfirmedMs = 7_999;
  await pass(5_000);
  expect([peers.questions, seen]).toEqual([0, []]);
  peers.unconfirmedMs = 8_000;
  await pass(500);
  expect(seen).toEqual(["played is left", "played gives way"]);
  await pass(5_000);
  // Nothing plays: nobody is asked.
  expect([peers.questions, seen.length]).toEqual([2, 2]);
});

test("a source plays on without the database where all others answer, or there are none", async () => {
  const { peers, seen, pass } = stage();
  peers.unconfirmedMs = 60_000;
  await pass(10_000);
  expect(peers.questions).toBeGreaterThan(10);
  peers.others = [];
  peers.silent.add(2);
  await pass(10_000);
  expect(seen).toEqual([]);
});

test("what the database confirms during the question stays, and nothing is done once it is stopped", async () => {
  const { clock, fence, peers, seen, pass, during } = stage();
  peers.unconfirmedMs = 60_000;
  peers.silent.add(2);
  during(() => {
    peers.unconfirmedMs = 0;
  });
  await pass(1_000);
  expect([peers.questions, seen]).toEqual([2, []]);
  during(() => fence.stop());
  peers.unconfirmedMs = 60_000;
  await pass(1_000);
  expect([peers.questions, seen]).toEqual([4, []]);
  expect(clock.pending).toBe(0);
});

test("between two looks it is stopped at once", async () => {
  const { clock, fence, pass } = stage();
  await pass(1_000);
  expect(clock.pending).toBe(1);
  fence.stop();
  expect(clock.pending).toBe(0);
});
