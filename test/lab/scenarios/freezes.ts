import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { type Lab, type LabChannel, mediaBehind } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";

const CLIP = { video: "180p", kilobits: 300 } as const;
/** From the freeze to the end of the encoder that it relays, and then to the next encoder, in milliseconds. */
const STEP_MS = 1_000;
/** From the end of a freeze to the last look, in milliseconds. */
const AFTER_MS = 5_000;
const DEADLINE_MS = 20_000;
/** An encoder that was not accepted comes back after so long, in milliseconds. */
const RETURN_MS = 1_000;

export type FreezesResult = {
  readonly freezes: number;
  /** From the next encoder's connection to media at each target, in milliseconds. */
  readonly backMs: readonly number[];
  /** Two connections of one target with media at the same time, at most, in milliseconds. */
  readonly overlapMs: number;
  /** One sentence for each thing that is not as it must be. */
  readonly faults: readonly string[];
};

/**
 * Freezes the owner of a channel whose encoder another node relays. The encoder ends its stream properly, which lies in the
 * frozen node's socket; the next encoder takes the channel over. Then the owner wakes, and must write nothing.
 */
export async function freezeOwners(lab: Lab, freezes: number, forMs: number): Promise<FreezesResult> {
  const [channel] = lab.channels;
  if (channel === undefined) throw new Error("no channel");
  const watch = new PublisherWatch(channel.targets);
  const backMs: number[] = [];
  const faults: string[] = [];
  for (let no = 1; no <= freezes; no += 1) {
    const [owner, other] = [lab.nodes[no % 3], lab.nodes[(no + 1) % 3]];
    if (owner === undefined || other === undefined) throw new Error("no node");
    const relayed = await relayedEncoder(lab, channel, owner, other);
    const before = channel.targets.map(({ connections }) => connections.length);
    process.kill(owner.fanfare.pid, "SIGSTOP");
    const frozenMs = performance.now();
    await pass(STEP_MS);
    await relayed.stop("clean");
    await pass(STEP_MS);
    const startMs = performance.now();
    const next = await publish(channel, other);
    for (const [index, target] of channel.targets.entries())
      backMs.push((await mediaBehind(target, before[index] ?? 0, channel.channelId)) - startMs);
    await pass(Math.max(0, forMs - (performance.now() - frozenMs)));
    const written = writtenBefore(channel.targets, before);
    process.kill(owner.fanfare.pid, "SIGCONT");
    await pass(AFTER_MS);
    const after = writtenBefore(channel.targets, before);
    if (after.bytes !== written.bytes) faults.push(`freeze ${no}: ${after.bytes - written.bytes} bytes after the wake`);
    if (after.open > 0) faults.push(`freeze ${no}: ${after.open} old connections are open`);
    if (next.report.end !== undefined)
      faults.push(`freeze ${no}: the encoder was cut (${JSON.stringify(next.report.end)})`);
    await next.stop("clean");
    await released(channel.targets);
  }
  watch.stop();
  const { doubled, fallen } = await lab.claims.faults();
  if (doubled + fallen > 0) faults.push(`${doubled} epochs were owned by two nodes, ${fallen} fell`);
  return { freezes, backMs, overlapMs: watch.longestMs, faults };
}

/** The owner carries the channel, and the encoder that it has now comes through the other node. */
async function relayedEncoder(lab: Lab, channel: LabChannel, owner: LabNode, other: LabNode): Promise<KitEncoder> {
  const indexes = channel.targets.map(({ connections }) => connections.length);
  const first = await publish(channel, owner);
  await lab.onAir(channel, indexes);
  const isOwner = async () => ((await lab.claims.owners()).get(channel.channelId) === owner.name ? true : undefined);
  await waitFor("the ownership", DEADLINE_MS, isOwner);
  const relayed = await publish(channel, other);
  await first.closed;
  return relayed;
}

/** Publishes at a node, and tries again as an encoder would. */
export async function publish({ streamKey }: LabChannel, node: LabNode): Promise<KitEncoder> {
  const { fanfare } = node;
  const url = ingestUrl(node);
  const accepted = async () => {
    const encoder = new KitEncoder({ url, streamKey, clip: syntheticClip(CLIP) });
    return (await encoder.accepted) ? encoder : undefined;
  };
  return await waitFor(
    "an encoder to be accepted",
    DEADLINE_MS,
    accepted,
    () => fanfare.output.slice(-2_000),
    RETURN_MS,
  );
}

/** What came on the connections that were there before the freeze, and how many of them are open. */
function writtenBefore(targets: readonly KitTarget[], before: readonly number[]) {
  const old = targets.flatMap(({ connections }, index) => connections.slice(0, before[index]));
  return {
    bytes: old.reduce((sum, { report }) => sum + report.bytesReceived, 0),
    open: old.filter(({ report }) => report.state === "open").length,
  };
}

/** Waits until every connection is over: the next round begins from nothing. */
async function released(targets: readonly KitTarget[]): Promise<void> {
  const isOver = () => targets.every(({ connections }) => connections.every(({ report }) => report.state !== "open"));
  await waitFor("the targets to be left", DEADLINE_MS, () => isOver() || undefined);
}
