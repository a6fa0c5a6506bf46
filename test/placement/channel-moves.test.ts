import { expect, test } from "vitest";
import type { PlacementChange } from "../../src/control/ports/channel-placement.ts";
import type { KnownOwner } from "../../src/control/ports/owner-question.ts";
import type {
  ClusterNode,
  Incarnation,
  OwnershipRow,
  OwnershipStore,
} from "../../src/control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../../src/control/reports/moved-broadcast.ts";
import type { Verdict } from "../../src/placement/admission-steps.ts";
import { NodeDirectory } from "../../src/placement/node-directory.ts";
import { SharedPlacement } from "../../src/placement/shared-placement.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const ID = "ls-1";
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const meter = { placed: nothing, tookOver: nothing, ownerSilent: nothing, answered: nothing, fenced: nothing };
const BROADCAST: MovedBroadcast = {
  broadcast: { channelId: ID, facts: [] },
  report: { channelId: ID, startTime: 1, endTime: 2, interruptions: { list: [], count: 0 }, targets: [] },
  onAirMs: [],
};

const nodeRow = (incarnation: number): ClusterNode => ({
  ...{ incarnation, state: "serving", leaseLeftMs: 9_000, nodeId: `n${incarnation}` },
  ...{ advertise: [`host:${incarnation}`], version: "1", schemaStep: "1", keyIds: [] },
});

/** Two nodes over one database, which tell each other of claims at once. What happens is noted in order. */
async function twoNodes() {
  const rows = new Map<string, OwnershipRow>();
  const happened: string[] = [];
  const state = {
    given: BROADCAST as GivenBroadcast,
    verdict: "move" as Exclude<Verdict, "wait">,
    next: undefined as Exclude<Verdict, "wait"> | undefined,
  };
  const store: Partial<OwnershipStore> = {
    findOwner: async (channelId) => rows.get(channelId),
    listNodes: async () => [nodeRow(1), nodeRow(2)],
    claim: async (channelId, owner, seenEpoch) => {
      const row = rows.get(channelId);
      if ((row?.epoch ?? 0) !== seenEpoch) return { kind: "taken" };
      rows.set(channelId, { channelId, epoch: seenEpoch + 1, owner });
      const former =
        row?.owner === undefined ? {} : { former: { incarnation: row.owner.incarnation, epoch: seenEpoch } };
      return { kind: "owned", epoch: seenEpoch + 1, revision: 1, ...former };
    },
  };
  const placements = new Map<Incarnation, SharedPlacement>();
  const open = async (self: Incarnation) => {
    const nodes = new NodeDirectory(store as OwnershipStore);
    await nodes.refresh();
    const placement = new SharedPlacement({
      ...{ self, store: store as OwnershipStore, nodes, log, meter, clock: new VirtualClock(), random: () => 0.5 },
      ...{ isServing: () => true, wakes: () => 0, onNewer: nothing, onRefused: nothing, onGivenUp: nothing },
      asker: { ask: async ({ epoch }) => ({ verdict: state.verdict, epoch }) },
      board: {
        publish: (news) => {
          for (const [other, each] of placements) if (other !== self) each.heard(news, "bus");
          return true;
        },
        ...{ release: async () => true, question: nothing },
      },
      onTakenOver: async (_channelId, { epoch }) => void happened.push(`${self} finishes ${epoch}`),
      takeBroadcast: async ({ channelId, epoch, incarnation }) => {
        state.verdict = state.next ?? state.verdict;
        if (state.given === "no-reply") return state.given;
        placements.get(incarnation)?.give(channelId, epoch);
        return state.given;
      },
      onMoved: async (_channelId, { epoch }, moved) =>
        void happened.push(`${self} goes on with ${epoch}: ${moved === BROADCAST}`),
    });
    placement.changes(({ epoch, owner, isFenced, isMoved, isTakenOver }: PlacementChange) => {
      const what =
        owner !== undefined
          ? isTakenOver === true
            ? "takes over"
            : "owns"
          : isMoved === true
            ? "moved"
            : isFenced === true
              ? "fenced"
              : "released";
      happened.push(`${self} ${what} ${epoch}`);
    });
    placements.set(self, placement);
    return placement;
  };
  const [first, second] = [await open(1), await open(2)];
  await first.claim(ID, { thread: 0 });
  happened.length = 0;
  const owner: KnownOwner = { channelId: ID, epoch: 1, incarnation: 1, home: 0, address: "host:1" };
  return { first, second, rows, happened, state, owner };
}

test("a channel that its owner gives away goes on at the taker before the owner stops, and its encoders move", async () => {
  const { first, second, rows, happened, owner } = await twoNodes();
  expect(await second.takeFrom(owner, { thread: 0 })).toBe(true);
  expect(happened).toEqual(["2 goes on with 1: true", "1 moved 1", "2 takes over 2"]);
  expect([first.epochOf(ID), second.epochOf(ID), rows.get(ID)?.epoch]).toEqual([undefined, 2, 2]);
  // Once more does nothing.
  expect(await second.takeFrom(owner, { thread: 0 })).toBe(true);
  expect(happened).toHaveLength(3);
});

test("a channel that its owner does not give stays; so does one whose owner changed meanwhile", async () => {
  const { first, second, rows, happened, state, owner } = await twoNodes();
  state.given = undefined;
  expect(await second.takeFrom(owner, { thread: 0 })).toBe(false);
  state.given = BROADCAST;
  rows.set(ID, { channelId: ID, epoch: 2, owner: { incarnation: 1, home: 0 } });
  expect(await second.takeFrom(owner, { thread: 0 })).toBe(false);
  expect([happened, first.epochOf(ID), second.epochOf(ID)]).toEqual([[], 1, undefined]);
});

test("an encoder that comes to another node than the draining owner brings the broadcast there", async () => {
  const { second, happened } = await twoNodes();
  expect(await second.claim(ID, { thread: 0 })).toMatchObject({ kind: "here", epoch: 2 });
  expect(happened).toEqual(["2 goes on with 1: true", "1 moved 1", "2 takes over 2"]);
});

test("where a draining owner has no broadcast to give, the next one begins anew", async () => {
  const { second, happened, state } = await twoNodes();
  state.given = undefined;
  expect(await second.claim(ID, { thread: 0 })).toMatchObject({ kind: "here", epoch: 2 });
  expect(happened).toEqual(["1 moved 1", "2 takes over 2", "2 finishes 1"]);
});

test("an owner that does not reply when it is asked for its broadcast is asked once more how it is", async () => {
  const { first, second, happened, state, owner } = await twoNodes();
  state.given = "no-reply";
  expect(await second.takeFrom(owner, { thread: 0 })).toBe(false);
  // Meanwhile its encoder came back.
  state.next = "attach";
  expect(await second.claim(ID, { thread: 0 })).toMatchObject({ kind: "elsewhere", incarnation: 1 });
  expect([happened, first.epochOf(ID)]).toEqual([[], 1]);
  // It still gives the channel away, and does not reply again.
  state.verdict = "move";
  state.next = "move";
  expect(await second.claim(ID, { thread: 0 })).toMatchObject({ kind: "here", epoch: 2 });
  expect(happened).toEqual(["1 fenced 1", "2 takes over 2", "2 finishes 1"]);
});

test("a channel that was not given away is fenced: its encoders are dismissed", async () => {
  const { second, happened, state } = await twoNodes();
  state.verdict = "claim";
  expect(await second.claim(ID, { thread: 0 })).toMatchObject({ kind: "here", epoch: 2 });
  expect(happened).toEqual(["1 fenced 1", "2 takes over 2", "2 finishes 1"]);
});
