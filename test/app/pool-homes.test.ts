import { expect, test, vi } from "vitest";
import type { MediaRuntimeDeps } from "../../src/app/control-thread/media/media-runtime.ts";
import type { AdmissionAnswer } from "../../src/thread-protocol/admission.ts";
import type { ToMedia } from "../../src/thread-protocol/messages.ts";
import { PoolStage } from "../support/pool-stage.ts";
import { channelSample, targetSample } from "../support/sample.ts";

const TARGET_ID = 7;

/** The pool's threads in the order in which they were made: what each was given, and what was posted to it. */
const threads = vi.hoisted(() => [] as { readonly deps: MediaRuntimeDeps; readonly posted: ToMedia[] }[]);

/** Threads held in the hand: what they tell, and when they die, is the test's to say. */
vi.mock("../../src/app/control-thread/media/media-runtime.ts", () => ({
  MediaRuntime: class {
    readonly name: string;
    readonly #posted: ToMedia[] = [];
    constructor(deps: MediaRuntimeDeps) {
      this.name = deps.name;
      threads.push({ deps, posted: this.#posted });
    }
    post(message: ToMedia): void {
      this.#posted.push(message);
    }
    async drain(): Promise<void> {}
    async stop(): Promise<void> {}
  },
}));

function openPool() {
  threads.length = 0;
  const stage = new PoolStage({ threads: 2 });
  const channel = stage.channel([]);
  const { channelId } = channel;
  const thread = (index: number) => {
    const found = threads[index];
    if (found === undefined) throw new Error(`no thread ${index}`);
    return found;
  };
  /** An encoder comes to this thread; answers what is said of it. */
  const come = async (index: number): Promise<AdmissionAnswer["decision"] | undefined> => {
    let answer: AdmissionAnswer | undefined;
    const send = (sent: AdmissionAnswer) => {
      answer = sent;
      if ("port" in sent) sent.port.close();
    };
    await thread(index).deps.onAdmission({ requestId: 1, key: channelId }, { isWanted: () => true, send });
    return answer?.decision;
  };
  const leave = (index: number, grants: number) =>
    thread(index).deps.onTold({ kind: "channel-left", channelId, grants });
  /** This thread counted so many bytes; answers what the pool makes of it. */
  const count = (index: number, bytesTotal: number): number | undefined => {
    stage.samples.length = 0;
    const samples = [channelSample(channelId, [targetSample(TARGET_ID, { bytesTotal })])];
    thread(index).deps.onTold({ kind: "samples", samples });
    return stage.samples[0]?.targets[0]?.bytesTotal;
  };
  /** The threads that are told of a change. */
  const told = () => {
    for (const { posted } of threads) posted.length = 0;
    stage.pool.apply({ ...channel, revision: channel.revision + 1 });
    return threads.flatMap(({ posted }, index) => (posted.some(({ kind }) => kind === "channel") ? [index] : []));
  };
  return { thread, come, leave, count, told };
}

test("a channel lives in the thread of its first encoder until that one lets go of it, then where the next encoder comes", async () => {
  const { come, leave, told } = openPool();
  expect(told()).toEqual([]);
  expect(await come(0)).toBe("admit");
  expect(await come(1)).toBe("admit-elsewhere");
  expect(told()).toEqual([0]);
  // Another was admitted while it let go of the channel: it keeps it.
  leave(0, 1);
  expect(told()).toEqual([0]);
  leave(0, 1);
  expect(told()).toEqual([]);
  expect(await come(1)).toBe("admit");
  expect(told()).toEqual([1]);
  expect(await come(0)).toBe("admit-elsewhere");
});

test("what lived in a dead thread lives where the next encoder comes", async () => {
  const { thread, come, told } = openPool();
  await come(0);
  thread(0).deps.onDied();
  expect(told()).toEqual([]);
  expect(await come(1)).toBe("admit");
  expect(told()).toEqual([1]);
});

test("counters go on in a new home and in a new life of a thread, however high the new ones are already", async () => {
  const { thread, come, leave, count } = openPool();
  await come(0);
  expect(count(0, 100)).toBe(100);
  leave(0, 1);
  // Nobody's any more.
  expect(count(0, 120)).toBe(undefined);
  await come(1);
  expect(count(1, 150)).toBe(250);
  thread(1).deps.onDied();
  await come(1);
  expect(count(1, 200)).toBe(450);
});
