import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { comparedFrames } from "../compared-frames.ts";
import type { Lab, LabChannel } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** From the cut to an encoder of the owner's channel at another node, in milliseconds. */
const VISIT_AFTER_MS = 3_000;
/** Everything has to be right again this long after a cut has ended, in milliseconds. */
const HEALED_MS = 10_000;
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;
const RETURN_MS = 500;

/** What an owner is cut off from. A cut is silence: connections stay, and nothing passes until it ends. */
export type Cut = { readonly name: string; readonly begin: () => Promise<void>; readonly end: () => Promise<void> };

export type CutResult = {
  /** Frames that were compared at the targets. */
  readonly frames: number;
  /** What an encoder of the owner's channel met at another node during the cut. */
  readonly visit: "relayed" | "took over" | "try again";
  readonly overlapMs: number;
  readonly faults: readonly string[];
};

/** The owner and its ways to the services, and the other nodes' to it, in a lab with proxies. */
export function proxyCuts(lab: Lab): readonly Cut[] {
  const { nats, postgres, link } = lab.waysOf(ownerIn(lab).name);
  const cut = (name: string, ...ways: readonly FaultProxy[]): Cut => ({
    name,
    begin: async () => {
      for (const way of ways) way.stall();
    },
    end: async () => {
      for (const way of ways) way.resume();
    },
  });
  return [cut("nats", nats), cut("postgres", postgres), cut("both", nats, postgres), cut("links", link)];
}

/** Packets of the owner's host that are dropped, in a lab with hosts; most of them in one direction only. */
export function packetCuts(lab: Lab): readonly Cut[] {
  const owner = ownerIn(lab);
  const host = lab.hostOf(owner.name);
  const others = lab.nodes.filter((node) => node !== owner).map(({ name }) => lab.hostOf(name).host);
  const { nats, postgres } = lab.services;
  const cut = (name: string, rules: { readonly input?: string; readonly output?: string }): Cut => ({
    name,
    begin: () => host.filter(rules),
    end: () => host.unfilter(),
  });
  const both = `{ ${nats.port}, ${postgres.port} }`;
  const all = `{ ${others.join(", ")} }`;
  return [
    cut("its packets to NATS", { output: `tcp dport ${nats.port} drop` }),
    cut("packets from NATS", { input: `tcp sport ${nats.port} drop` }),
    cut("its packets to PostgreSQL", { output: `tcp dport ${postgres.port} drop` }),
    cut("packets from PostgreSQL", { input: `tcp sport ${postgres.port} drop` }),
    cut("NATS and PostgreSQL", { output: `tcp dport ${both} drop`, input: `tcp sport ${both} drop` }),
    cut("its packets to the other nodes", { output: `ip daddr ${all} drop` }),
    cut("packets from the other nodes", { input: `ip saddr ${all} drop` }),
    cut("one other node", { input: `ip saddr ${others[0]} drop`, output: `ip daddr ${others[0]} drop` }),
  ];
}

function ownerIn(lab: Lab): LabNode {
  const [owner] = lab.nodes;
  if (owner === undefined) throw new Error("no node");
  return owner;
}

/**
 * Cuts the owner of a channel on air off from something, and lets an encoder of a second key come to another node meanwhile.
 * Whatever that one meets, the stream on air must not be disturbed.
 */
export async function cutOwner(lab: Lab, cut: Cut, forMs: number): Promise<CutResult> {
  const [channel] = lab.channels;
  const [owner, other] = lab.nodes;
  if (channel === undefined || owner === undefined || other === undefined) throw new Error("no channel or node");
  const clip = await makeClip(CLIP);
  const before = channel.targets.map(({ connections }) => connections.length);
  const ffmpeg = await startFfmpeg(clip, `${ingestUrl(owner)}/${channel.streamKey}`, { loops: true });
  const watch = new PublisherWatch(channel.targets);
  try {
    await lab.onAir(channel, before);
    await cut.begin();
    await pass(VISIT_AFTER_MS);
    const visit = await visitOf(lab, channel, owner, other);
    await pass(Math.max(0, forMs - VISIT_AFTER_MS));
    await cut.end();
    await pass(HEALED_MS);
    const result = await comparedFrames(channel, before, clip.path, cut.name);
    const { doubled, fallen } = await lab.claims.faults();
    const owners = await lab.claims.owners();
    const faults = [
      ...result.faults,
      ...(owners.get(channel.channelId) === owner.name ? [] : [`${cut.name}: the owner changed`]),
      ...(doubled + fallen > 0 ? [`${cut.name}: ${doubled} epochs were owned by two nodes, ${fallen} fell`] : []),
    ];
    return { frames: result.frames, visit, overlapMs: watch.longestMs, faults };
  } finally {
    watch.stop();
    await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
    const isOver = () =>
      channel.targets.every(({ connections }) => connections.every(({ report }) => report.state !== "open"));
    await waitFor("the targets to be left", DEADLINE_MS, () => isOver() || undefined);
  }
}

/** A backup encoder of the channel comes to the other node, sends for a moment, and leaves. */
async function visitOf(lab: Lab, { channelId, backupKey }: LabChannel, owner: LabNode, other: LabNode) {
  if (backupKey === undefined) throw new Error("the channel has no second key");
  const encoder = new KitEncoder({
    ...{ url: ingestUrl(other), streamKey: backupKey, clip: syntheticClip({ video: "180p" }) },
  });
  const isAccepted = await encoder.accepted;
  await pass(RETURN_MS);
  await encoder.stop("clean");
  if (!isAccepted) return "try again";
  return (await lab.claims.owners()).get(channelId) === owner.name ? "relayed" : "took over";
}
