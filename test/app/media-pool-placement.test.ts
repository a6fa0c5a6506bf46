import { afterAll, expect, test, vi } from "vitest";
import { ChannelRoutes } from "../../src/app/control-thread/media/channel-routes.ts";
import { MediaWorker } from "../../src/app/control-thread/media/media-worker.ts";
import type { TransportEnd } from "../../src/app/threads/transport-ends.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import type {
  ChannelPlacement,
  Ownership,
  Placed,
  PlacementChange,
  PlacementOwner,
} from "../../src/control/ports/channel-placement.ts";
import { LocalPlacement } from "../../src/placement/local-placement.ts";
import type { AdmissionDecision } from "../../src/thread-protocol/admission.ts";
import type { ToControl, ToMedia } from "../../src/thread-protocol/messages.ts";
import { channelSample, targetSample } from "../support/stages/sample.ts";

const TARGET_ID = 7;
const WORKER_MODULE = "../../src/app/control-thread/media/media-worker.ts";

type Worker = {
  readonly deps: { readonly onMessage: (message: ToControl) => void; readonly onGone: () => void };
  readonly posted: ToMedia[];
  life: object;
};

/** The pool's threads in the order in which they were made. */
const threads: Worker[] = [];

/** Threads that the test plays itself: it says what they post and when they die. */
vi.doMock(WORKER_MODULE, () => ({
  MediaWorker: class {
    readonly name: string;
    readonly index: number;
    readonly isStopping = false;
    readonly #worker: Worker;
    constructor(deps: Worker["deps"] & { readonly name: string; readonly index: number }) {
      this.name = deps.name;
      this.index = deps.index;
      this.#worker = { deps, posted: [], life: {} };
      threads.push(this.#worker);
    }
    get life(): object {
      return this.#worker.life;
    }
    post(message: ToMedia, end?: TransportEnd): void {
      this.#worker.posted.push(message);
      end?.close();
    }
    async drain(): Promise<void> {}
    async stop(): Promise<void> {}
  },
}));
// Other files may have run in this process: the pool is loaded anew with these threads, and again without them.
vi.resetModules();
const { PoolStage } = await import("../support/stages/pool-stage.ts");
afterAll(() => {
  vi.doUnmock(WORKER_MODULE);
  vi.resetModules();
});

function openPool(options: ConstructorParameters<typeof PoolStage>[0] = {}) {
  threads.length = 0;
  const stage = new PoolStage({ threads: 2, ...options });
  const channel = stage.channel([]);
  const { channelId } = channel;
  const thread = (index: number) => {
    const found = threads[index];
    if (found === undefined) throw new Error(`no thread ${index}`);
    return found;
  };
  const decisions = (index: number): AdmissionDecision["decision"][] =>
    thread(index).posted.flatMap((message) =>
      message.kind === "reply" && message.reply.kind === "admission" ? [message.reply.decision] : [],
    );
  /** An encoder comes to this thread. Returns the decision about it. */
  const come = async (index: number): Promise<AdmissionDecision["decision"] | undefined> => {
    const request = { kind: "admission", key: channelId } as const;
    thread(index).posted.length = 0;
    thread(index).deps.onMessage({ kind: "request", requestId: 1, request });
    await new Promise(setImmediate);
    return decisions(index)[0];
  };
  const release = (index: number, admissions: number) =>
    thread(index).deps.onMessage({ kind: "channel-released", channelId, admissions });
  const die = (index: number) => {
    thread(index).life = {};
    thread(index).deps.onGone();
  };
  /** This thread counted so many bytes. Returns the pool's total. */
  const count = (index: number, bytesTotal: number): number | undefined => {
    stage.samples.length = 0;
    const samples = [channelSample(channelId, [targetSample(TARGET_ID, { bytesTotal })])];
    thread(index).deps.onMessage({ kind: "samples", samples });
    return stage.samples[0]?.targets[0]?.bytesTotal;
  };
  /** The threads that get a change of the channel. */
  const receivers = () => {
    for (const { posted } of threads) posted.length = 0;
    stage.pool.apply({ ...channel, revision: channel.revision + 1 });
    return threads.flatMap(({ posted }, index) => (posted.some(({ kind }) => kind === "channel") ? [index] : []));
  };
  /** The threads that get a change of this channel. */
  const ownersOf = (other: string) => {
    for (const { posted } of threads) posted.length = 0;
    stage.pool.end(other);
    return threads.flatMap(({ posted }, index) => (posted.some(({ kind }) => kind === "end") ? [index] : []));
  };
  return { stage, channel, channelId, come, release, die, count, receivers, ownersOf, decisions, thread };
}

test("the thread of its first encoder owns a channel until it releases it, then the thread of the next encoder", async () => {
  const { come, release, receivers } = openPool();
  expect(receivers()).toEqual([]);
  expect(await come(0)).toBe("admit");
  expect(await come(1)).toBe("admit-elsewhere");
  expect(receivers()).toEqual([0]);
  // Another encoder was admitted while the thread released the channel: it keeps it.
  release(0, 1);
  expect(receivers()).toEqual([0]);
  release(0, 1);
  expect(receivers()).toEqual([]);
  expect(await come(1)).toBe("admit");
  expect(receivers()).toEqual([1]);
  expect(await come(0)).toBe("admit-elsewhere");
});

test("a change of a channel concerns the pool while a thread owns it, and while any key is looked up", async () => {
  const { stage, channelId, come, release } = openPool();
  const { requests } = stage.pool;
  expect(requests.concerns(channelId)).toBe(false);
  const coming = come(0);
  expect([requests.concerns(channelId), requests.concerns("ls-other")]).toEqual([true, true]);
  expect(await coming).toBe("admit");
  expect([requests.concerns(channelId), requests.concerns("ls-other")]).toEqual([true, false]);
  release(0, 1);
  expect(requests.concerns(channelId)).toBe(false);
});

test("the pool knows whether the encoder that came last to a channel is connected to another process", async () => {
  const { stage, channelId, come, thread } = openPool();
  const { routes } = stage.pool;
  expect(routes.isFedElsewhere(channelId)).toBe(false);
  await come(0);
  expect(routes.isFedElsewhere(channelId)).toBe(false);
  thread(0).deps.onMessage({ kind: "request", requestId: 2, request: { kind: "attach", channelId } });
  await new Promise(setImmediate);
  expect(routes.isFedElsewhere(channelId)).toBe(true);
  await come(0);
  expect(routes.isFedElsewhere(channelId)).toBe(false);
});

test("a late release of a thread that is not the owner changes nothing", async () => {
  const { come, release, receivers } = openPool();
  await come(0);
  release(1, 5);
  expect(receivers()).toEqual([0]);
});

test("the thread of the next encoder owns the channels of a dead thread", async () => {
  const { come, die, receivers } = openPool();
  await come(0);
  die(0);
  expect(receivers()).toEqual([]);
  expect(await come(1)).toBe("admit");
  expect(receivers()).toEqual([1]);
});

test("an encoder whose thread dies while its key is looked up claims nothing and gets no reply in the thread's next life", async () => {
  const lookUp = Promise.withResolvers<void>();
  const spec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] } as const;
  const { come, die, receivers, decisions } = openPool({
    admit: async () => {
      await lookUp.promise;
      return { spec, slot: "main" };
    },
  });
  expect(await come(0)).toBe(undefined);
  die(0);
  lookUp.resolve();
  await new Promise(setImmediate);
  expect([receivers(), decisions(0)]).toEqual([[], []]);
});

test("no thread owns a channel that is deleted while its key is looked up", async () => {
  const spec = { channelId: "ls-1", revision: 1, holdSeconds: 0, targets: [] } as const;
  let lookUps = 0;
  const { stage, come, receivers } = openPool({
    admit: async () => {
      lookUps += 1;
      if (lookUps > 1) return undefined;
      stage.pool.remove("ls-1");
      return { spec, slot: "main" };
    },
  });
  expect(await come(0)).toBe("refuse");
  expect(receivers()).toEqual([]);
});

test("counters go on with a new owner and in a new life of a thread, however high the new counts already are", async () => {
  const { come, release, die, count } = openPool();
  await come(0);
  expect(count(0, 100)).toBe(100);
  release(0, 1);
  // The thread no longer owns the channel.
  expect(count(0, 120)).toBe(undefined);
  await come(1);
  expect(count(1, 150)).toBe(250);
  die(1);
  await come(1);
  expect(count(1, 200)).toBe(450);
});

test("a player that comes to another thread is connected to the owner, and its place is free when it left or its thread died", async () => {
  const { stage, channelId, come, die, thread } = openPool();
  await come(0);
  const play = (requestId: number): unknown => {
    const { token } = stage.previewAccess.newToken(channelId, "key");
    const request = { kind: "play", channelId, token } as const;
    thread(1).posted.length = 0;
    thread(1).deps.onMessage({ kind: "request", requestId, request });
    const reply = thread(1).posted.find((message) => message.kind === "reply");
    return reply?.kind === "reply" && reply.reply.kind === "play" ? reply.reply.decision : undefined;
  };
  expect([1, 2, 3, 4, 5].map(play)).toEqual(["admit", "admit", "admit", "admit", "full"]);
  expect(thread(0).posted.filter(({ kind }) => kind === "host-preview")).toHaveLength(4);
  thread(1).deps.onMessage({ kind: "play-left", requestId: 2 });
  expect([6, 7].map(play)).toEqual(["admit", "full"]);
  die(1);
  expect(play(1)).toBe("admit");
});

const silentLog = (): Log => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() });

type Call = { readonly what: "claim" | "release"; readonly decide: () => void; readonly answer: () => void };

/** A placement that takes each channel over from another process. */
class TakingOver extends LocalPlacement {
  override changes(take: (change: PlacementChange) => void): () => void {
    return super.changes((change) => take(change.owner === undefined ? change : { ...change, isTakenOver: true }));
  }
}

test("an encoder whose channel was taken over comes back, until this process has released the channel", async () => {
  const isReturning = (pool: ReturnType<typeof openPool>, index: number) =>
    pool.thread(index).posted.flatMap((message) => {
      const isAdmitted = message.kind === "reply" && "decision" in message.reply && message.reply.decision === "admit";
      return isAdmitted && "isReturning" in message.reply ? [message.reply.isReturning] : [];
    });
  const pool = openPool({ placement: new TakingOver(silentLog()) });
  for (let count = 0; count < 2; count += 1) {
    expect(await pool.come(0)).toBe("admit");
    expect(isReturning(pool, 0)).toEqual([true]);
  }
  const own = openPool();
  expect(await own.come(0)).toBe("admit");
  expect(isReturning(own, 0)).toEqual([]);
});

/** A placement in which time passes before it decides about a call, and again before its answer arrives. */
class SlowPlacement implements ChannelPlacement {
  readonly #inner = new LocalPlacement(silentLog());
  readonly #undecided: Call[] = [];
  readonly #unanswered: Call[] = [];
  /** The error that a release throws from now on. */
  releaseError: Error | undefined;

  claim(channelId: string, candidate: PlacementOwner): Promise<Placed> {
    return this.#later("claim", () => this.#inner.claim(channelId, candidate));
  }

  release(channelId: string, epoch: number): Promise<void> {
    return this.#later("release", async () => {
      if (this.releaseError !== undefined) throw this.releaseError;
      await this.#inner.release(channelId, epoch);
    });
  }

  owner(channelId: string): Promise<Ownership | undefined> {
    return this.#inner.owner(channelId);
  }

  changes(take: (change: PlacementChange) => void): () => void {
    return this.#inner.changes(take);
  }

  /** Decides about the first call of this kind that waits, if one does. */
  decide(what: Call["what"]): void {
    const at = this.#undecided.findIndex((call) => call.what === what);
    for (const call of at < 0 ? [] : this.#undecided.splice(at, 1)) {
      call.decide();
      this.#unanswered.push(call);
    }
  }

  /** Lets all answers arrive, the latest first. */
  async answer(): Promise<void> {
    for (const call of this.#unanswered.splice(0).reverse()) {
      call.answer();
      await new Promise(setImmediate);
    }
  }

  async pass(what: Call["what"]): Promise<void> {
    this.decide(what);
    await this.answer();
  }

  async #later<Result>(what: Call["what"], run: () => Promise<Result>): Promise<Result> {
    const [decided, answered] = [Promise.withResolvers<Promise<Result>>(), Promise.withResolvers<void>()];
    this.#undecided.push({
      ...{ what, answer: answered.resolve },
      decide: () => {
        const result = run();
        result.catch(() => undefined);
        decided.resolve(result.finally(() => answered.promise));
      },
    });
    return decided.promise;
  }
}

test("an encoder that comes while its channel is being released is admitted once that is done", async () => {
  const placement = new SlowPlacement();
  const { come, release, receivers, decisions } = openPool({ placement });
  await come(0);
  await placement.pass("claim");
  expect(decisions(0)).toEqual(["admit"]);
  release(0, 1);
  expect(await come(1)).toBe(undefined);
  // A claim that overtook the release would find the last owner.
  await placement.pass("claim");
  await placement.pass("release");
  await placement.pass("claim");
  expect(decisions(1)).toEqual(["admit"]);
  expect(receivers()).toEqual([1]);
});

test.each([
  ["releases the channel", (pool: ReturnType<typeof openPool>) => pool.release(0, 1)],
  ["dies", (pool: ReturnType<typeof openPool>) => pool.die(0)],
])("an encoder is admitted although the owner %s before the answer to its claim arrives", async (_, lose) => {
  const placement = new SlowPlacement();
  const pool = openPool({ placement });
  const { come, receivers, decisions } = pool;
  await come(0);
  await placement.pass("claim");
  await come(1);
  placement.decide("claim");
  lose(pool);
  placement.decide("release");
  await placement.answer();
  await placement.pass("release");
  await placement.pass("claim");
  expect(decisions(1)).toEqual(["admit"]);
  expect(receivers()).toEqual([1]);
});

test("a channel that the placement could not release accepts the next encoder at its last owner", async () => {
  const placement = new SlowPlacement();
  const { stage, come, release, receivers, decisions } = openPool({ placement });
  await come(0);
  await placement.pass("claim");
  release(0, 1);
  placement.releaseError = new Error("the placement is away");
  await placement.pass("release");
  const failed = stage.logged.find(({ event }) => event === "a channel's placement could not be released");
  expect(failed?.fields["detail"]).toBe("the placement is away");
  await come(1);
  await placement.pass("claim");
  expect(decisions(1)).toEqual(["admit-elsewhere"]);
  expect(receivers()).toEqual([0]);
});

test("a key that leads to another channel while it is looked up leaves the first channel without an owner", async () => {
  const [first, second] = ["ls-first", "ls-second"].map((channelId) => ({
    ...{ channelId, revision: 1, holdSeconds: 0, targets: [] },
  }));
  if (first === undefined || second === undefined) throw new Error("two channels");
  let lookUps = 0;
  const pool: ReturnType<typeof openPool> = openPool({
    admit: async () => {
      lookUps += 1;
      if (lookUps > 1) return { spec: second, slot: "main" };
      pool.stage.pool.apply({ ...first, revision: 2 });
      return { spec: first, slot: "main" };
    },
  });
  expect(await pool.come(0)).toBe("admit");
  expect([pool.ownersOf("ls-first"), pool.ownersOf("ls-second")]).toEqual([[], [0]]);
});

test("an encoder that is refused takes its channel from no other encoder that is on its way to it", async () => {
  const log = silentLog();
  const unused = { options: vi.fn(), clock: systemClock, log, onMessage: vi.fn(), onGone: vi.fn() };
  const workers = [0, 1].map((index) => new MediaWorker({ index, name: `media-${index}`, ...unused }));
  const [a, b] = workers;
  if (a === undefined || b === undefined) throw new Error("two threads");
  const routes = new ChannelRoutes({ placement: new LocalPlacement(log), workers, log });
  const claim = async (channelId: string, worker: MediaWorker) => {
    const placed = await routes.claim(channelId, worker);
    return placed.kind === "here" ? placed : expect.fail("the owner is elsewhere");
  };
  const claims = await Promise.all([a, b].map((worker) => claim("ls-1", worker)));
  claims[1]?.end();
  expect(claims[0]?.admit()).toBe(a);
  claims[0]?.end();
  expect(routes.of("ls-1")).toBe(a);
  const [next, refused] = await Promise.all([a, b].map((worker) => claim("ls-2", worker)));
  next?.end();
  expect(routes.of("ls-2")).toBe(a);
  refused?.end();
  refused?.end();
  expect(routes.of("ls-2")).toBe(undefined);
});
