import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../../src/app/config/config.ts";
import { ClusterNode } from "../../../src/app/control-thread/cluster/cluster-node.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type { OwnershipStore } from "../../../src/control/ports/ownership-store.ts";
import { SqlStore } from "../../../src/store/channels/sql-store.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";
import { openEmptyDatabase } from "../../support/stages/made-database.ts";
import { MemoryNetwork } from "../../support/stages/memory-bus.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const ROW = { nodeId: "a", advertise: ["127.0.0.1:7400"], version: "1", schemaStep: "1", keyIds: [] };
const SELF = { ...ROW, incarnation: 1, state: "serving", leaseLeftMs: 30_000 } as const;
const OWNER = { incarnation: 1, home: 0 };

function configOf(env: Readonly<Record<string, string>>) {
  const commandLine = readConfig([], env);
  if ("show" in commandLine) throw new Error("asked for help");
  return commandLine.config;
}

/** A node with these settings that owns a channel and has admitted its encoder. Then it is cut off from everything. */
async function cutOffNode(env: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-isolated-"));
  const database = await openEmptyDatabase(join(folder, "fanfare.db"));
  onTestFinished(async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  });
  const channels = new SqlStore(database);
  const { channelId, streamKey } = await channels.createChannel(newChannel(1));
  let isAway = false;
  const orAway = async <Result>(result: Result | Promise<Result>): Promise<Result> => {
    if (isAway) throw new StoreUnavailableError("unreachable");
    return await result;
  };
  const ownerships: Partial<OwnershipStore> = {
    listNodes: () => orAway([SELF]),
    renewLease: () => orAway("serving"),
    findOwner: () => orAway(undefined),
    claim: () => orAway({ kind: "owned", epoch: 7, revision: 1 }),
    compare: (channelIds) => orAway(channelIds.map((id) => ({ channelId: id, epoch: 7, revision: 1, owner: OWNER }))),
    release: () => orAway(undefined),
  };
  const clock = new VirtualClock();
  const bus = new MemoryNetwork().newBus();
  bus.isConnected = false;
  const cluster = {
    ...{ nats: { servers: [], isTls: false }, advertise: ROW.advertise },
    secretText: randomBytes(32).toString("base64url"),
  };
  const store = {
    findChannelByStreamKey: (key: string) => orAway(channels.findChannelByStreamKey(key)),
    findChannel: (id: string) => orAway(channels.findChannel(id)),
    findIngestUser: () => orAway(undefined),
  };
  const parts = { config: configOf(env), cluster, storage: { store }, clock, log };
  const node = new ClusterNode(parts, bus, ownerships as OwnershipStore, { self: 1, registered: () => ROW });
  const sends: boolean[] = [];
  await node.start({
    letSend: (isAllowed) => sends.push(isAllowed),
    ...{
      onNewer: nothing,
      onGivenUp: async () => undefined,
      onRevoked: nothing,
      onMissed: nothing,
      onLost: nothing,
      isOnAir: () => true,
      isHeard: () => false,
    },
    ...{ onTakenOver: async () => undefined, takeBroadcast: async () => undefined, onMoved: async () => undefined },
  });
  onTestFinished(() => node.leave());
  await node.placement.claim(channelId, { thread: 0 });
  await node.admissions.admit(streamKey);
  const ended: boolean[] = [];
  node.placement.changes(({ isFenced = false }) => ended.push(isFenced));
  isAway = true;
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  };
  const isAdmitted = () =>
    node.admissions.admit(streamKey).then(
      (found) => found !== undefined,
      () => false,
    );
  return { pass, seen: async () => ({ sends, ended, isAdmitted: await isAdmitted() }) };
}

test("with FANFARE_ISOLATED=stop a node that is cut off for 30 s ends its broadcasts, and admits no encoder", async () => {
  const { pass, seen } = await cutOffNode({ FANFARE_ISOLATED: "stop" });
  await pass(29_750);
  expect(await seen()).toEqual({ sends: [], ended: [], isAdmitted: true });
  await pass(1_000);
  expect(await seen()).toEqual({ sends: [false], ended: [true], isAdmitted: false });
});

test("without the setting it goes on, and admits the encoders that it knows", async () => {
  const { pass, seen } = await cutOffNode({});
  await pass(60_000);
  expect(await seen()).toEqual({ sends: [], ended: [], isAdmitted: true });
});
