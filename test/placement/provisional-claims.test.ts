import { expect, test } from "vitest";
import type { PlacementChange } from "../../src/control/ports/channel-placement.ts";
import { type StoreTrouble, StoreUnavailableError } from "../../src/control/ports/errors.ts";
import type { ClaimNews, KnownOwner } from "../../src/control/ports/owner-question.ts";
import type { ClusterNode, OwnershipRow, OwnershipStore } from "../../src/control/ports/ownership-store.ts";
import type { Verdict } from "../../src/placement/admission-steps.ts";
import { NodeDirectory } from "../../src/placement/node-directory.ts";
import { SharedPlacement } from "../../src/placement/shared-placement.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const ID = "ls-1";
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const meter = { placed: nothing, tookOver: nothing, ownerSilent: nothing, answered: nothing, fenced: nothing };
/** What a provisional epoch adds to the one before with the random number that the stage gives. */
const STEP = 1 + 2 ** 29;

const nodeRow = (incarnation: number): ClusterNode => ({
  ...{ incarnation, state: "serving", leaseLeftMs: 9_000, nodeId: `n${incarnation}` },
  ...{ advertise: [`host:${incarnation}`], version: "1", schemaStep: "1", keyIds: [] },
});

/** Node 1, and a database that can be away. `rows`: what it says. */
function stage() {
  const clock = new VirtualClock();
  const rows = new Map<string, OwnershipRow>();
  const told: ClaimNews[] = [];
  const asked: KnownOwner[] = [];
  const released: KnownOwner[] = [];
  const takenOver: number[] = [];
  const state = {
    ...{ lostAnswers: 0, isSilent: false, isAway: false, isServing: true, wakes: 0 },
    ...{ isUnknown: false, refusals: 0, isReleased: false },
    refusedWrites: undefined as StoreTrouble | undefined,
    verdict: "claim" as Exclude<Verdict, "wait">,
    ...{ onQuestion: nothing, onClaimed: nothing },
  };
  const orAway = <Result>(result: () => Result): Promise<Result> =>
    state.isSilent
      ? new Promise(() => undefined)
      : state.isAway
        ? Promise.reject(new StoreUnavailableError("unreachable"))
        : new Promise((resolve) => resolve(result()));
  const store: Partial<OwnershipStore> = {
    findOwner: (channelId) => {
      if (state.lostAnswers === 0) return orAway(() => rows.get(channelId));
      state.lostAnswers -= 1;
      return Promise.reject(new StoreUnavailableError("unreachable"));
    },
    listNodes: () => orAway(() => [nodeRow(1), nodeRow(2)]),
    claim: (channelId, owner, seenEpoch) =>
      orAway(() => {
        if (state.refusedWrites !== undefined) throw new StoreUnavailableError(state.refusedWrites);
        if (state.isUnknown) return { kind: "taken" };
        rows.set(channelId, { channelId, epoch: seenEpoch + 1, owner });
        state.onClaimed();
        return { kind: "owned", epoch: seenEpoch + 1, revision: 1 };
      }),
    compare: (ids) =>
      orAway(() => ids.flatMap((id) => (rows.has(id) ? [{ ...(rows.get(id) as OwnershipRow), revision: 1 }] : []))),
    assertOwner: (channelId, owner, epoch) =>
      orAway(() => {
        if ((rows.get(channelId)?.epoch ?? 0) >= epoch) return false;
        rows.set(channelId, { channelId, epoch, owner });
        return true;
      }),
    release: (channelId, _self, epoch) =>
      orAway(() => {
        if (rows.get(channelId)?.epoch === epoch) rows.set(channelId, { channelId, epoch });
      }),
  };
  const nodes = new NodeDirectory(store as OwnershipStore);
  const placement = new SharedPlacement({
    ...{ self: 1, store: store as OwnershipStore, nodes, log, meter, clock, random: () => 0.5 },
    isServing: () => state.isServing,
    wakes: () => state.wakes,
    asker: {
      ask: async (owner) => {
        asked.push(owner);
        return { verdict: state.verdict, epoch: owner.epoch };
      },
    },
    board: {
      publish: (news) => told.push(news) > 0,
      release: async (former) => {
        released.push(former);
        return state.isReleased;
      },
      question: () => state.onQuestion(),
    },
    onTakenOver: async (_channelId, { epoch }) => void takenOver.push(epoch),
    takeBroadcast: async () => undefined,
    onMoved: async () => undefined,
    onNewer: nothing,
    onGivenUp: nothing,
    onRefused: () => {
      state.refusals += 1;
    },
  });
  /** Lets the wait for the other nodes pass. */
  const pass = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    clock.advance(150);
  };
  /** `passes`: for how many of these waits the claim may take. */
  const claim = async (passes = 1) => {
    const placed = placement.claim(ID, { thread: 0 });
    for (let count = 0; count < passes; count += 1) await pass();
    return await placed;
  };
  return { placement, nodes, rows, told, asked, released, takenOver, state, claim, pass };
}

test("without the database a channel that was here is claimed again, and the database is told when it is back", async () => {
  const { placement, rows, told, takenOver, state, claim } = stage();
  expect(await claim()).toMatchObject({ kind: "here", epoch: 1 });
  await placement.release(ID, 1);
  state.isAway = true;
  expect(await claim()).toEqual({ kind: "here", owner: { thread: 0 }, epoch: 1 + STEP });
  expect(told.at(-1)).toEqual({ channelId: ID, epoch: 1 + STEP, incarnation: 1, home: 0 });
  await expect(placement.compare()).rejects.toThrow("unreachable");
  expect(placement.epochOf(ID)).toBe(1 + STEP);
  state.isAway = false;
  await placement.compare();
  expect(rows.get(ID)).toEqual({ channelId: ID, epoch: 1 + STEP, owner: { incarnation: 1, home: 0 } });
  expect(takenOver).toEqual([]);
});

test.for([
  ["unwritable", "here"],
  ["full", "here"],
  ["crowded", "here"],
  ["refused", "here"],
  ["slow", "here"],
  // Another node writes at this moment: it is worth a wait.
  ["locked", "rejected"],
] as const)(
  "a channel that was here is claimed where the database takes no claim because it is %s: %s",
  async ([trouble, result]) => {
    const { placement, state, claim } = stage();
    await claim();
    await placement.release(ID, 1);
    state.refusedWrites = trouble;
    const placed = claim().then(
      ({ kind }) => kind,
      () => "rejected",
    );
    expect([await placed, placement.epochOf(ID)]).toEqual([result, result === "here" ? 1 + STEP : undefined]);
  },
);

test("a node that the database does not know claims nothing, and looks whether it is known", async () => {
  const { state, claim } = stage();
  state.isUnknown = true;
  expect(await claim()).toEqual({ kind: "try-again" });
  expect(state.refusals).toBe(1);
  state.isUnknown = false;
  expect(await claim()).toMatchObject({ kind: "here" });
  expect(state.refusals).toBe(1);
});

test("a database that is silent for a second counts as away for a channel that is known, and for no other", async () => {
  const { placement, nodes, asked, state, claim, pass } = stage();
  await nodes.refresh();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  state.isSilent = true;
  state.verdict = "attach";
  const placed = claim();
  for (let count = 0; count < 7; count += 1) await pass();
  // The time of the claim has passed, and then that in which other nodes may know more.
  for (let count = 0; count < 2; count += 1) await pass();
  expect(await placed).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 7 });
  // What it said while the database was asked counts no more.
  expect(asked).toHaveLength(2);
  let isFound = false;
  void placement.findElsewhere("ls-2").then(() => {
    isFound = true;
  });
  for (let count = 0; count < 20; count += 1) await pass();
  expect(isFound).toBe(false);
});

test("one answer that is lost is no reason to go without the database: the second question counts", async () => {
  const { nodes, rows, state, placement, claim } = stage();
  await nodes.refresh();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  rows.set(ID, { channelId: ID, epoch: 7 });
  state.lostAnswers = 1;
  expect(await claim()).toMatchObject({ kind: "here", epoch: 8 });
  await placement.release(ID, 8);
  state.lostAnswers = 2;
  expect(await claim(3)).toMatchObject({ kind: "here", epoch: 8 + STEP });
});

test("a question that is not answered is asked again beside the first one", async () => {
  const { nodes, rows, state, placement, pass } = stage();
  await nodes.refresh();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  state.isSilent = true;
  const placed = placement.claim(ID, { thread: 0 });
  for (let count = 0; count < 2; count += 1) await pass();
  state.isSilent = false;
  rows.set(ID, { channelId: ID, epoch: 7 });
  await pass();
  expect(await placed).toMatchObject({ kind: "here", epoch: 8 });
});

test("what a comparison says of a channel that this node has just lost counts when the database fails", async () => {
  const { placement, nodes, rows, asked, state, claim } = stage();
  await nodes.refresh();
  await claim();
  rows.set(ID, { channelId: ID, epoch: 9, owner: { incarnation: 2, home: 0 } });
  await placement.compare();
  expect(placement.epochOf(ID)).toBeUndefined();
  state.isAway = true;
  state.verdict = "attach";
  expect(await claim()).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
  // Beside the question to the database, and again when that has failed.
  expect(asked).toMatchObject(Array(2).fill({ incarnation: 2, epoch: 9 }));
});

test("an owner that is known is asked first: one that answers keeps the channel, one that is gone is replaced", async () => {
  const { placement, nodes, rows, asked, takenOver, state, claim } = stage();
  await nodes.refresh();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  state.isAway = true;
  state.verdict = "attach";
  const place = { channelId: ID, epoch: 7, incarnation: 2, home: 0, address: "host:2" };
  expect(await claim()).toEqual({ kind: "elsewhere", ...place });
  state.verdict = "try-again";
  expect(await claim()).toEqual({ kind: "try-again" });
  state.verdict = "claim";
  expect(await claim()).toMatchObject({ kind: "here", epoch: 7 + STEP });
  // Each time beside the question to the database, and again when that has failed.
  expect(asked).toEqual(Array(6).fill(place));
  state.isAway = false;
  rows.set(ID, { channelId: ID, epoch: 7, owner: { incarnation: 2, home: 0 } });
  await placement.compare();
  // The former broadcast is ended as soon as the database is there.
  expect(takenOver).toEqual([7]);
});

test("the owner that is known is asked while the database is, once; another one that the database names is asked too", async () => {
  const { placement, nodes, rows, asked, state, claim } = stage();
  await nodes.refresh();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  rows.set(ID, { channelId: ID, epoch: 7, owner: { incarnation: 2, home: 0 } });
  state.verdict = "attach";
  placement.expect(ID);
  expect(asked.map(({ epoch }) => epoch)).toEqual([7]);
  expect(await claim()).toMatchObject({ kind: "elsewhere", epoch: 7 });
  expect(asked.map(({ epoch }) => epoch)).toEqual([7]);
  rows.set(ID, { channelId: ID, epoch: 8, owner: { incarnation: 2, home: 0 } });
  expect(await claim()).toMatchObject({ kind: "elsewhere", epoch: 8 });
  expect(asked.map(({ epoch }) => epoch)).toEqual([7, 7, 8]);
  // A channel of this node has nobody to be asked.
  state.verdict = "claim";
  expect(await claim()).toMatchObject({ kind: "here", epoch: 9 });
  placement.expect(ID);
  expect(asked.map(({ epoch }) => epoch)).toEqual([7, 7, 8, 8]);
});

test("a channel that nothing is known of waits for the database, and a draining node claims nothing", async () => {
  const { state, placement, claim } = stage();
  state.isAway = true;
  await expect(claim()).rejects.toThrow("unreachable");
  placement.heard({ channelId: ID, epoch: 7, incarnation: 0 }, "link");
  await expect(claim()).rejects.toThrow("unreachable");
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2 }, "bus");
  state.isServing = false;
  await expect(claim()).rejects.toThrow("unreachable");
});

test("a released epoch that the database never knew is written before it is released: later ones are higher", async () => {
  const { placement, rows, state, claim } = stage();
  await claim();
  await placement.release(ID, 1);
  state.isAway = true;
  await claim();
  await expect(placement.release(ID, 1 + STEP)).rejects.toThrow("unreachable");
  state.isAway = false;
  await placement.compare();
  expect(rows.get(ID)).toEqual({ channelId: ID, epoch: 1 + STEP });
  expect(await claim()).toMatchObject({ kind: "here", epoch: 2 + STEP });
});

test("a node that knows a newer owner than the database goes to it, and tells a lower claim of its own", async () => {
  const { placement, nodes, rows, told, state, claim } = stage();
  await nodes.refresh();
  rows.set(ID, { channelId: ID, epoch: 3, owner: { incarnation: 2, home: 0 } });
  placement.heard({ channelId: ID, epoch: 9, incarnation: 2, home: 0 }, "bus");
  state.verdict = "attach";
  expect(await claim()).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
  state.verdict = "claim";
  expect(await claim()).toMatchObject({ kind: "here", epoch: 9 + STEP });
  placement.heard({ channelId: ID, epoch: 4, incarnation: 2, home: 0 }, "bus");
  expect(placement.epochOf(ID)).toBe(9 + STEP);
  expect(told.at(-1)).toMatchObject({ epoch: 9 + STEP, incarnation: 1 });
});

test("a node that missed a claim learns of it from the owner's next question", async () => {
  const { placement, nodes, told, state, claim } = stage();
  await nodes.refresh();
  await claim();
  const asked = { channelId: ID, epoch: 9, home: 0 };
  // A node that only asks, or is of an older version, does not say whose it is.
  placement.questioned([asked]);
  expect(placement.epochOf(ID)).toBe(1);
  placement.questioned([{ ...asked, incarnation: 2 }]);
  expect(placement.epochOf(ID)).toBeUndefined();
  state.verdict = "attach";
  expect(await claim()).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
  // The other way round: a higher one of this node is told.
  state.verdict = "claim";
  expect(await claim()).toMatchObject({ kind: "here", epoch: 9 + STEP });
  for (const incarnation of [2, undefined]) {
    told.length = 0;
    placement.questioned([{ ...asked, incarnation }]);
    expect(told).toEqual([{ channelId: ID, epoch: 9 + STEP, incarnation: 1, home: 0 }]);
  }
});

test("a claim is told at every comparison until the database knows it", async () => {
  const { placement, told, state, claim } = stage();
  await claim();
  await placement.release(ID, 1);
  state.isAway = true;
  await claim();
  told.length = 0;
  for (const count of [1, 2]) {
    await expect(placement.compare()).rejects.toThrow("unreachable");
    expect(told).toEqual(Array(count).fill({ channelId: ID, epoch: 1 + STEP, incarnation: 1, home: 0 }));
  }
  state.isAway = false;
  await placement.compare();
  told.length = 0;
  await placement.compare();
  expect(told).toEqual([]);
});

/** Node 1 owned the channel. `stand`: it stands still, meanwhile node 2 takes the channel, and the database is back. */
async function stageOfPause() {
  const all = stage();
  const { placement, nodes, rows, state, claim } = all;
  await nodes.refresh();
  await claim();
  await placement.release(ID, 1);
  state.verdict = "attach";
  const stand = () => {
    if (state.wakes > 0) return;
    state.wakes += 1;
    state.isAway = false;
    rows.set(ID, { channelId: ID, epoch: 9, owner: { incarnation: 2, home: 0 } });
  };
  return { ...all, stand };
}

test("where a question to the database failed before this node stood still, it is asked again before a claim", async () => {
  const { state, claim, stand } = await stageOfPause();
  state.isAway = true;
  const placed = claim();
  // The question has failed, and the failure is not read yet.
  stand();
  expect(await placed).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
});

test("the same for a node that stands still while it waits for the other nodes", async () => {
  const { state, claim, stand } = await stageOfPause();
  state.isAway = true;
  state.onQuestion = stand;
  expect(await claim()).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
});

test("a claim whose answer came before this node stood still is checked: another node may have been faster", async () => {
  const { state, claim, stand, placement } = await stageOfPause();
  state.onClaimed = stand;
  expect(await claim()).toMatchObject({ kind: "elsewhere", incarnation: 2, epoch: 9 });
  expect(placement.epochOf(ID)).toBeUndefined();
});

test("a claim that is still the last one counts, also after a pause", async () => {
  const { state, claim, placement } = await stageOfPause();
  state.onClaimed = () => {
    state.wakes += 1;
  };
  expect(await claim()).toMatchObject({ kind: "here", epoch: 2 });
  expect(placement.epochOf(ID)).toBe(2);
});

test("a node that stands still again and again claims nothing: the encoder has to come again", async () => {
  const { state, claim, pass, placement } = await stageOfPause();
  state.isAway = true;
  state.onQuestion = () => {
    state.wakes += 1;
  };
  const placed = claim();
  for (let count = 0; count < 3; count += 1) await pass();
  expect(await placed).toEqual({ kind: "try-again" });
  expect([state.wakes, placement.epochOf(ID)]).toEqual([3, undefined]);
});

test("a node that owns nothing notices too that the database is away, and a former owner is told of a claim again and again", async () => {
  const { placement, nodes, released, state, claim } = stage();
  const changes: PlacementChange[] = [];
  placement.changes((change) => changes.push(change));
  await nodes.refresh();
  state.isAway = true;
  await expect(placement.compare()).rejects.toThrow("unreachable");
  state.isAway = false;
  await placement.compare();
  placement.heard({ channelId: ID, epoch: 7, incarnation: 2, home: 0 }, "bus");
  state.isAway = true;
  expect(await claim()).toMatchObject({ kind: "here", epoch: 7 + STEP });
  // Its encoder comes back from there, and a busy node takes it.
  expect(changes.at(-1)).toMatchObject({ epoch: 7 + STEP, isTakenOver: true });
  const former = { channelId: ID, epoch: 7, incarnation: 2, home: 0, address: "host:2" };
  expect(released).toEqual([former]);
  // Its link was broken. The database is still away, and nothing else may reach it.
  await expect(placement.compare()).rejects.toThrow("unreachable");
  expect(released).toEqual([former, former]);
  state.isReleased = true;
  await placement.compare().catch(nothing);
  await placement.compare().catch(nothing);
  expect(released).toEqual([former, former, former]);
});
