import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { type Lab, type LabChannel, mediaBehind } from "../lab.ts";
import { linesOf } from "../node-log.ts";
import { PublisherWatch } from "../publisher-watch.ts";

const CLIP = { video: "180p", kilobits: 300 } as const;
const DEADLINE_MS = 20_000;
/** The exact moment at which a target is dialled is looked for this often, in milliseconds. */
const LOOK_MS = 5;
/** From both encoders on air to the loss, in milliseconds: at most one keyframe's distance later. */
const ON_AIR_MS = 1_000;
const SPREAD_MS = 2_000;
/** How long a host is without its cable, in milliseconds. */
const UNPLUGGED_MS = 15_000;
/** From a host's return until nothing may come from its old connections any more, and how long that is watched, in milliseconds. */
const AFTER_MS = 5_000;
/** What the second node logs. */
const CLAIMED = "channel taken over";
const GOES_ON = "encoder goes on at its channel's next node";

/** `process`: it is killed. `host`: power off, nothing comes from it any more. `cable`: the host is back after 15 s. */
export type Loss = "process" | "host" | "cable";

export type StandbysResult = {
  /** From the loss of the first node until each target was dialled by the second, in milliseconds. */
  readonly dialledMs: readonly number[];
  /** The same until the second node owned the channel, and until its encoder went on there. */
  readonly claimedMs: readonly number[];
  readonly goesOnMs: readonly number[];
  /** The same until media came. */
  readonly mediaMs: readonly number[];
  readonly overlapMs: number;
  readonly faults: readonly string[];
};

/**
 * The main encoder is at one node, the backup encoder at another. The first node is lost, again and again; the second must
 * dial the targets, and the backup encoder keep its connection. `onLoss`: called after each, with the longest time.
 */
export async function loseNodesWithBackup(
  lab: Lab,
  loss: Loss,
  times: number,
  onLoss: (no: number, longestMs: number) => void,
): Promise<StandbysResult> {
  const [channel] = lab.channels;
  if (channel === undefined) throw new Error("no channel");
  const watch = new PublisherWatch(channel.targets);
  const [dialledMs, mediaMs, faults]: [number[], number[], string[]] = [[], [], []];
  const [claimedMs, goesOnMs]: [number[], number[]] = [[], []];
  for (let no = 1; no <= times; no += 1) {
    const [first, second] = [lab.nodes[no % 3], lab.nodes[(no + 1) % 3]];
    if (first === undefined || second === undefined) throw new Error("no node");
    const onAir = channel.targets.map(({ connections }) => connections.length);
    const main = await publish(channel.streamKey, first);
    await lab.onAir(channel, onAir);
    const backup = await publish(channel.backupKey ?? "", second);
    await pass(ON_AIR_MS + Math.random() * SPREAD_MS);
    const before = channel.targets.map(({ connections }) => connections.length);
    await lose(lab, loss, first);
    const [lostMs, lostTime] = [performance.now(), Date.now()];
    const these = await Promise.all(channel.targets.map((target, index) => dialled(target, before[index] ?? 0)));
    dialledMs.push(...these.map((atMs) => atMs - lostMs));
    for (const [index, target] of channel.targets.entries())
      mediaMs.push((await mediaBehind(target, before[index] ?? 0, channel.channelId)) - lostMs);
    for (const { atMs, event } of linesOf(second, channel.channelId, lostTime)) {
      if (event === CLAIMED) claimedMs.push(atMs - lostTime);
      if (event === GOES_ON) goesOnMs.push(atMs - lostTime);
    }
    onLoss(no, Math.max(...these) - lostMs);
    if (loss === "cable") faults.push(...(await plugIn(lab, channel, first, before)).map((text) => `${no}: ${text}`));
    if (backup.report.end !== undefined) faults.push(`${no}: the backup encoder lost its connection`);
    await main.stop("reset");
    await backup.stop("clean");
    if (loss === "host") await lab.hostOf(first.name).setLink(true);
    if (loss !== "cable") await first.fanfare.restart();
    const isOver = async () => ((await isPublishing(second, channel)) ? undefined : true);
    await waitFor("the end of the broadcast", DEADLINE_MS, isOver);
  }
  watch.stop();
  const { doubled, fallen } = await lab.claims.faults();
  if (doubled + fallen > 0) faults.push(`${doubled} epochs were owned by two nodes, ${fallen} fell`);
  return { dialledMs, claimedMs, goesOnMs, mediaMs, overlapMs: watch.longestMs, faults };
}

async function lose(lab: Lab, loss: Loss, { name, fanfare }: LabNode): Promise<void> {
  if (loss !== "process") await lab.hostOf(name).setLink(false);
  if (loss === "cable") return;
  process.kill(fanfare.pid, "SIGKILL");
}

/** The cable is back. Returns what the former owner did wrong. */
async function plugIn(lab: Lab, { targets }: LabChannel, first: LabNode, known: readonly number[]): Promise<string[]> {
  await pass(UNPLUGGED_MS);
  const old = targets.flatMap(({ connections }, index) => connections.slice(0, known[index]));
  await lab.hostOf(first.name).setLink(true);
  const bytes = () => old.reduce((sum, { report }) => sum + report.bytesReceived, 0);
  await pass(AFTER_MS);
  const before = bytes();
  await pass(AFTER_MS);
  // The connections themselves may stay: their end was lost while the cable was out.
  return bytes() === before ? [] : [`${bytes() - before} bytes on old connections, 5 s after the host's return`];
}

async function dialled({ connections }: LabChannel["targets"][number], index: number): Promise<number> {
  const isThere = () => (connections.length > index ? performance.now() : undefined);
  return await waitFor("a target to be dialled", DEADLINE_MS, isThere, () => "", LOOK_MS);
}

async function publish(streamKey: string, node: LabNode): Promise<KitEncoder> {
  const accepted = async () => {
    const encoder = new KitEncoder({ url: ingestUrl(node), streamKey, clip: syntheticClip(CLIP) });
    return (await encoder.accepted) ? encoder : undefined;
  };
  const output = () => node.fanfare.output.slice(-2_000);
  return await waitFor("an encoder to be accepted", DEADLINE_MS, accepted, output, ON_AIR_MS);
}

async function isPublishing({ api }: LabNode, { channelId }: LabChannel): Promise<boolean> {
  return (await api.channel(channelId)).isPublishing;
}
