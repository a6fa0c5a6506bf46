import { seededRandom } from "../../support/stages/seeded-random.ts";
import { Encoder } from "./encoder.ts";
import { breakThings, type FaultName } from "./faults.ts";
import { Network } from "./network.ts";
import { type Mutant, SharedDatabase } from "./shared-database.ts";
import { type Cluster, SimNode } from "./sim-node.ts";
import { Targets } from "./targets.ts";
import { World } from "./world.ts";

const NODES = 3;
const CHANNELS = 2;
/** How long things break, and how long everything has to be right again after that. */
const FAULTS_MS = 60_000;
const HEALED_MS = 45_000;
/** How long a channel is held without an encoder: shorter and longer than an isolated node may hold it. In milliseconds. */
const KEPT_MS_MIN = 5_000;
const KEPT_MS_MAX = 60_000;
/** An acknowledged change is in effect this long after everything is repaired. */
const IN_EFFECT_MS = 10_000;

export type SimulationOptions = {
  readonly mutant?: Mutant;
  /** Whether nodes also give each other channels; default not. */
  readonly hasMoves?: boolean;
  /** Only these faults; default all. */
  readonly only?: readonly FaultName[];
  /** Takes a line for each thing that happens. */
  readonly onTrace?: (text: string) => void;
};

/** Runs one seed. Returns what went against an invariant, in words; empty where nothing did. */
export async function simulate(
  seed: number,
  { mutant, hasMoves = false, only, onTrace }: SimulationOptions = {},
): Promise<readonly string[]> {
  const world = new World(seededRandom(seed), onTrace);
  const network = new Network(world, world.chance(0.5) ? 0 : world.between(0, 0.15));
  const database = new SharedDatabase(() => world.nowMs, mutant);
  const targets = new Targets(world, network, database);
  const nodes: Cluster["nodes"] = new Map();
  const cluster: Cluster = {
    ...{ world, network, database, mutant, hasMoves, nodes },
    keptMs: world.chance(0.5) ? KEPT_MS_MIN : KEPT_MS_MAX,
    onFlush: (...flush) => targets.flush(...flush),
  };
  targets.nodes = nodes;
  // Each channel has two: they come back at about the same time, to different nodes.
  const encoders = Array.from({ length: 2 * CHANNELS }, (_, n) => new Encoder(`ls-${n % CHANNELS}`, cluster));
  const start = () => {
    const node = new SimNode(cluster);
    node.onDismissed = (session, isMoved) => {
      for (const encoder of encoders) encoder.dismissed(session, isMoved);
    };
    nodes.set(node.incarnation, node);
  };
  for (let n = 0; n < NODES; n += 1) start();
  for (const encoder of encoders) encoder.start();
  breakThings({ cluster, encoders, untilMs: FAULTS_MS, only, start });
  await world.runUntil(FAULTS_MS + HEALED_MS - IN_EFFECT_MS);
  database.revision += 1;
  await world.runUntil(FAULTS_MS + HEALED_MS);
  return [...new Set([...database.violations, ...targets.violations, ...inTheEnd(cluster, encoders)])];
}

function inTheEnd({ nodes, database, network }: Cluster, encoders: readonly Encoder[]): readonly string[] {
  return encoders.flatMap(({ channelId, isOnAir }) => {
    const owners = [...nodes.values()].filter(
      ({ process, placement }) => !process.isDead && placement.epochOf(channelId) !== undefined,
    );
    const [owner] = owners;
    const row = database.ownerOf(channelId);
    if (owners.length > 1) return [`I1: ${channelId} has ${owners.length} owners in the end`];
    if (!isOnAir || owner === undefined) return [`${channelId} is not on air in the end`];
    const mine = owner.placement.all().find((each) => each.channelId === channelId);
    if (row?.incarnation !== owner.incarnation || row.epoch !== mine?.epoch) {
      return [`the database names another owner of ${channelId} in the end`];
    }
    const isRevised = network.lossShare > 0 || mine.revision === database.revision;
    return isRevised ? [] : [`I3: the owner of ${channelId} has old settings`];
  });
}
