import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { ClaimNewsLog } from "../claim-news-log.ts";
import { comparedFrames } from "../compared-frames.ts";
import { type Lab, type LabChannel, mediaBehind } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";
import { ReturningEncoder } from "../returning-encoder.ts";
import { publish } from "./freezes.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
const VISITOR = { video: "180p", kilobits: 300 } as const;
const AGREED_MS = 15_000;
const DEADLINE_MS = 30_000;
const STOP_GRACE_MS = 3_000;
const LOOK_MS = 20;

export type FailoversResult = {
  readonly failovers: number;
  /** Ownerships that nodes told each other of. */
  readonly claims: number;
  /** Frames of the broadcast that nothing but the failover concerned. */
  readonly frames: number;
  /** From the failover until a platform that was turned off by a lost change was dialled again, in milliseconds. */
  readonly revertedMs: readonly number[];
  /** From the failover until a node that the database had forgotten owned a channel, in milliseconds. */
  readonly ownsMs: readonly number[];
  readonly overlapMs: number;
  readonly faults: readonly string[];
};

/**
 * PostgreSQL fails over to a standby that lacks the last commits, again and again. Lost each time: a takeover after a kill, the
 * registration of the killed node's next process, and a change of a platform. FFmpeg streams into the first channel at a node
 * that is never killed; the second channel's encoder returns to the other nodes, and an encoder of another channel comes to the
 * forgotten node.
 */
export async function failOverDatabase(lab: Lab, failovers: number): Promise<FailoversResult> {
  const [steady, moving, ...rest] = lab.channels;
  const [first, second, third] = lab.nodes;
  if (steady === undefined || moving === undefined || rest.length < 2) throw new Error("too few channels");
  if (first === undefined || second === undefined || third === undefined) throw new Error("too few nodes");
  const { postgres, natsServers } = lab.services;
  const news = await ClaimNewsLog.start(natsServers.map(({ url }) => url));
  const clip = await makeClip(CLIP);
  const ffmpeg = await startFfmpeg(clip, `${ingestUrl(third)}/${steady.streamKey}`, { loops: true });
  let place: LabNode = first;
  const encoder = new ReturningEncoder(() => ingestUrl(place), moving.streamKey, syntheticClip(VISITOR));
  const watch = new PublisherWatch(lab.channels.flatMap(({ targets }) => targets));
  const faults: string[] = [];
  const [revertedMs, ownsMs]: [number[], number[]] = [[], []];
  const [kept] = steady.targets;
  try {
    await lab.onAir(steady);
    await lab.onAir(moving);
    for (let no = 1; no <= failovers; no += 1) {
      await postgres.addStandby();
      await postgres.cutStandby();
      const [victim, heir] = no % 2 === 1 ? [first, second] : [second, first];
      place = heir;
      // A channel stays with its owner for two minutes after its broadcast: each of the two nodes has one of its own.
      const late = rest[no % 2];
      if (late === undefined) throw new Error("no channel");
      const dialled = moving.targets.map(({ connections }) => connections.length);
      await victim.fanfare.kill();
      await lab.onAir(moving, dialled);
      await victim.fanfare.restart();
      await lostChange(steady, third);
      await postgres.failOver();
      const failedMs = performance.now();
      const [reverted, owns] = await Promise.all([dialledAgain(steady), ownsAgain(lab, late, victim)]);
      revertedMs.push(reverted - failedMs);
      ownsMs.push(owns - failedMs);
      await pass(AGREED_MS);
      if ((await lab.claims.owners()).get(moving.channelId) !== heir.name)
        faults.push(`failover ${no}: the channel that was taken over is not of node ${heir.name}`);
      if (!encoder.isAccepted) faults.push(`failover ${no}: the encoder of the channel that was taken over is gone`);
    }
    // The first platform was never turned off.
    const only = { ...steady, targets: kept === undefined ? [] : [kept] };
    const compared = await comparedFrames(only, [0], clip.path, "failover");
    const { claims, faults: wrong } = await news.stop();
    faults.push(...compared.faults, ...wrong);
    return { failovers, claims, frames: compared.frames, revertedMs, ownsMs, overlapMs: watch.longestMs, faults };
  } finally {
    watch.stop();
    await encoder.stop();
    await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
  }
}

/** Turns the last platform off, and waits until that is in effect. */
async function lostChange(channel: LabChannel, { api }: LabNode): Promise<void> {
  const platform = (await api.platforms(channel.channelId)).at(-1);
  const target = channel.targets.at(-1);
  if (platform === undefined || target === undefined) throw new Error("no platform");
  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}/platforms/${platform.platId}/off`);
  const isLeft = () => target.connections.every(({ report }) => report.state !== "open") || undefined;
  await waitFor("the platform to be left", DEADLINE_MS, isLeft);
}

/** The database has the platform on, and its owner follows. Returns when. */
async function dialledAgain({ targets, channelId }: LabChannel): Promise<number> {
  const target = targets.at(-1);
  if (target === undefined) throw new Error("no platform");
  return await mediaBehind(target, target.connections.length, channelId);
}

/** An encoder comes to a node and publishes there for a moment. Returns when the node owned its channel. */
async function ownsAgain(lab: Lab, channel: LabChannel, node: LabNode): Promise<number> {
  const before = channel.targets.map(({ connections }) => connections.length);
  const encoder = await publish(channel, node);
  await lab.onAir(channel, before);
  const owns = async () =>
    (await lab.claims.owners()).get(channel.channelId) === node.name ? performance.now() : undefined;
  const atMs = await waitFor("the ownership", DEADLINE_MS, owns, () => node.fanfare.output.slice(-2_000), LOOK_MS);
  await encoder.stop("clean");
  return atMs;
}
