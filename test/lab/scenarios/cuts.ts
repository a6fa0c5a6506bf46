import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { LabNode } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { comparedFrames } from "../compared-frames.ts";
import type { Lab, LabChannel } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** From the cut to an encoder of the owner's channel at another node, in milliseconds. */
const VISIT_AFTER_MS = 3_000;
/** Everything has to be right again this long after a cut is mended, in milliseconds. */
const HEALED_MS = 10_000;
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;
const RETURN_MS = 500;

/** What an owner is cut off from. A cut is silence: connections stay, and nothing passes until it is mended. */
export const CUTS = ["nats", "postgres", "both", "links"] as const;
export type Cut = (typeof CUTS)[number];

export type CutResult = {
  readonly cut: Cut;
  /** Frames that were compared at the targets. */
  readonly frames: number;
  /** What an encoder of the owner's channel met at another node during the cut. */
  readonly visit: "relayed" | "took over" | "try again";
  readonly overlapMs: number;
  readonly faults: readonly string[];
};

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
  const ffmpeg = await startFfmpeg(clip, `${urlOf(owner)}/${channel.streamKey}`, { loops: true });
  const watch = new PublisherWatch(channel.targets);
  try {
    await lab.onAir(channel, before);
    const ways = lab.waysOf(owner.name);
    const cuts = { nats: [ways.nats], postgres: [ways.postgres], both: [ways.nats, ways.postgres], links: [ways.link] }[
      cut
    ];
    for (const way of cuts) way.stall();
    await pass(VISIT_AFTER_MS);
    const visit = await visitOf(lab, channel, owner, other);
    await pass(Math.max(0, forMs - VISIT_AFTER_MS));
    for (const way of cuts) way.resume();
    await pass(HEALED_MS);
    const result = await comparedFrames(channel, before, clip.path, cut);
    const { doubled, fallen } = await lab.claims.faults();
    const owners = await lab.claims.owners();
    const faults = [
      ...result.faults,
      ...(owners.get(channel.channelId) === owner.name ? [] : [`${cut}: the owner changed`]),
      ...(doubled + fallen > 0 ? [`${cut}: ${doubled} epochs were owned by two nodes, ${fallen} fell`] : []),
    ];
    return { cut, frames: result.frames, visit, overlapMs: watch.longestMs, faults };
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
  if (backupKey === undefined) throw new Error("the lab has no ways that can be cut");
  const encoder = new KitEncoder({
    ...{ url: urlOf(other), streamKey: backupKey, clip: syntheticClip({ video: "180p" }) },
  });
  const isAccepted = await encoder.accepted;
  await pass(RETURN_MS);
  await encoder.stop("clean");
  if (!isAccepted) return "try again";
  return (await lab.claims.owners()).get(channelId) === owner.name ? "relayed" : "took over";
}

const urlOf = ({ fanfare }: LabNode): string => `rtmp://127.0.0.1:${fanfare.rtmpPort}/live`;
