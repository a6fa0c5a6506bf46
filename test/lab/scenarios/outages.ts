import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { comparedFrames } from "../compared-frames.ts";
import type { Lab, LabChannel } from "../lab.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** From the begin of the outage to an encoder whose key a node knows, in milliseconds. */
const KNOWN_KEY_AFTER_MS = 3_000;
/** From the end of the outage to the comparison: what has to be made up for is, in milliseconds. */
const SETTLE_MS = 8_000;
const STOP_GRACE_MS = 3_000;

export type OutageResult = {
  /** Frames that were compared with the clip, at all targets. */
  readonly frames: number;
  /** From the connection of an encoder with a known key to its acceptance during the outage, in milliseconds. */
  readonly knownKeyMs: number | undefined;
  /** One sentence for each thing that is not as it must be. */
  readonly faults: readonly string[];
};

/**
 * Takes a service away while FFmpeg streams into one channel, and lets an encoder publish into another that was on air at
 * this node before. Compares every frame that the targets of the first channel got.
 */
export async function outage(lab: Lab, service: "nats" | "postgres", forMs: number): Promise<OutageResult> {
  const [channel, known] = lab.channels;
  const [first, second] = lab.nodes;
  if (channel === undefined || known === undefined || first === undefined || second === undefined)
    throw new Error("too few channels or nodes");
  const clip = await makeClip(CLIP);
  const ffmpeg = await startFfmpeg(clip, `${ingestUrl(first)}/${channel.streamKey}`, { loops: true });
  const before = channel.targets.map(({ connections }) => connections.length);
  try {
    await lab.onAir(channel, before);
    await publishOnce(lab, known, second);
    const { nats, postgres } = lab.services;
    await (service === "nats" ? nats.kill() : postgres.stop());
    const awayMs = performance.now();
    await pass(KNOWN_KEY_AFTER_MS);
    const knownKeyMs = await publishOnce(lab, known, second);
    await pass(Math.max(0, forMs - (performance.now() - awayMs)));
    await (service === "nats" ? nats.resume() : postgres.resume());
    await pass(SETTLE_MS);
    return { knownKeyMs, ...(await comparedFrames(channel, before, clip.path, `${service} away`)) };
  } finally {
    await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
  }
}

/** Publishes for a moment. Returns how long the acceptance took; undefined where the node did not accept. */
async function publishOnce(lab: Lab, channel: LabChannel, node: LabNode): Promise<number | undefined> {
  const { streamKey, targets } = channel;
  const startMs = performance.now();
  const before = targets.map(({ connections }) => connections.length);
  const clip = syntheticClip({ video: "180p" });
  const encoder = new KitEncoder({ url: ingestUrl(node), streamKey, clip });
  const isAccepted = await encoder.accepted;
  const tookMs = performance.now() - startMs;
  if (isAccepted) await lab.onAir(channel, before);
  await encoder.stop("clean");
  return isAccepted ? tookMs : undefined;
}
