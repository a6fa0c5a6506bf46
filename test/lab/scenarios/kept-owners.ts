import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import type { Lab } from "../lab.ts";

const CLIP = { video: "180p", kilobits: 300 } as const;
const SETTLE_MS = 1_500;
const SPREAD_MS = 1_000;
/** Shorter than the time in which an owner has to answer by default, in milliseconds. */
const PAUSE_MS = 700;
/** Shorter than the time after which a link is given up, in milliseconds. */
const PARTITION_MS = 4_000;

/** `pause`: the owner's process stands still for a moment. `partition`: its host and that of the backup encoder reach all but each other. */
export type Disturbance = "pause" | "partition";

export type KeptOwnersResult = { readonly takenOver: number; readonly faults: readonly string[] };

/**
 * The main encoder is at one node, the backup encoder at another. The owner is disturbed again and again, and is alive: it must
 * keep its channel and its connections to the targets.
 */
export async function disturbOwner(lab: Lab, how: Disturbance, times: number): Promise<KeptOwnersResult> {
  const [channel] = lab.channels;
  const [owner, other] = lab.nodes;
  if (channel === undefined || owner === undefined || other === undefined) throw new Error("no channel or node");
  const clip = syntheticClip(CLIP);
  const main = new KitEncoder({ url: ingestUrl(owner), streamKey: channel.streamKey, clip });
  await lab.onAir(channel);
  const backup = new KitEncoder({ url: ingestUrl(other), streamKey: channel.backupKey ?? "", clip });
  await backup.accepted;
  const [faults, connections] = [[] as string[], () => channel.targets.map((target) => target.connections.length)];
  const before = connections();
  let takenOver = 0;
  for (let no = 1; no <= times; no += 1) {
    await pass(SETTLE_MS + Math.random() * SPREAD_MS);
    await disturb(lab, how, owner, other);
    if ((await lab.claims.owners()).get(channel.channelId) === owner.name) continue;
    takenOver += 1;
    faults.push(`${no}: the owner changed`);
    break;
  }
  await pass(SETTLE_MS);
  const after = connections();
  if (String(after) !== String(before)) faults.push(`the targets had ${before} connections, and ${after} then`);
  for (const [name, { report }] of [["main", main] as const, ["backup", backup] as const])
    if (report.end !== undefined) faults.push(`the ${name} encoder lost its connection`);
  await main.stop("clean");
  await backup.stop("clean");
  return { takenOver, faults };
}

async function disturb(lab: Lab, how: Disturbance, { name, fanfare }: LabNode, other: LabNode): Promise<void> {
  if (how === "pause") {
    process.kill(fanfare.pid, "SIGSTOP");
    await pass(PAUSE_MS);
    process.kill(fanfare.pid, "SIGCONT");
    return;
  }
  const host = lab.hostOf(name);
  const otherHost = lab.hostOf(other.name).host;
  await host.filter({ input: `ip saddr ${otherHost} drop`, output: `ip daddr ${otherHost} drop` });
  await pass(PARTITION_MS);
  await host.unfilter();
}
