import { setTimeout as pass } from "node:timers/promises";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { type EncoderEnd, KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { ApiClient } from "../../support/dashboard/api-client.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { gapsIn, readLoopedClip } from "../../support/streams/looped-stream.ts";
import type { Lab, LabChannel } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";
import { Writer } from "../writers.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** As OBS waits before it connects again, in milliseconds. */
const RETURN_MS = 2_000;
/** From a node's return to the end of the next one: HAProxy knows it again. In milliseconds. */
const BETWEEN_MS = 5_000;
/** How often a new broadcast begins, and how long it lasts, in milliseconds. */
const VISIT_EVERY_MS = 250;
const VISIT_MS = 500;
const STOP_GRACE_MS = 3_000;

export type RollingOptions = {
  /** Whether the platforms of the long broadcasts are held while their encoder is away. Their frames are not compared then. */
  readonly isHeld?: boolean;
};

export type RollingResult = {
  /** Broadcasts that were begun meanwhile, and how those ended that were not accepted. */
  readonly begun: number;
  readonly refused: readonly string[];
  /** Frames of the long broadcasts that were compared within each connection of a target. */
  readonly frames: number;
  /** Times that a connection to a target was replaced, by channel. */
  readonly interruptions: readonly number[];
  readonly overlapMs: number;
  readonly writes: { readonly acknowledged: number; readonly unanswered: number };
  readonly faults: readonly string[];
};

/**
 * Ends each node in turn as for an upgrade, lets it drain, and starts it again, `rounds` times. Where the lab has a spare node, it
 * starts first, and the last node does not start again. Nodes of another version become nodes of this one. FFmpeg streams into
 * every channel but the last ten through HAProxy and comes back after 2 s; into those, short broadcasts begin all the time.
 */
export async function rollingUpgrade(
  lab: Lab,
  rounds: number,
  { isHeld = false }: RollingOptions = {},
): Promise<RollingResult> {
  const { proxy, spare } = lab;
  if (proxy === undefined) throw new Error("the lab has no proxy");
  const [long, short] = [lab.channels.slice(0, -10), lab.channels.slice(-10)];
  const clip = await makeClip(CLIP);
  // Without filler every frame at a target is one of the clip.
  for (const { channelId } of isHeld ? [] : long)
    await lab.nodes[0]?.api.request("PUT", `/api/v2/re-stream/channels/${channelId}`, { hold: { seconds: 0 } });
  let isOver = false;
  const publish = async ({ streamKey }: LabChannel) => {
    while (!isOver) {
      const ffmpeg = await startFfmpeg(clip, `${lab.proxiedUrl}/${streamKey}`, { loops: true });
      while (ffmpeg.isRunning() && !isOver) await pass(RETURN_MS / 20);
      await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
      if (!isOver) await pass(RETURN_MS);
    }
  };
  const encoders = long.map(publish);
  await Promise.all(long.map((channel) => lab.onAir(channel)));
  const watch = new PublisherWatch(long.flatMap(({ targets }) => targets));
  const proxied = `http://127.0.0.1:${proxy.httpPort}`;
  const api = new ApiClient(proxied, lab.services.credentials, () => undefined, lab.other === undefined);
  const writer = new Writer("writer", () => lab.nodes.slice(0, 1).map((node) => ({ ...node, api })));
  const visits = { begun: 0, refused: [] as string[] };
  const visiting = visit(lab, short, visits, () => isOver);
  await spare?.fanfare.restart();
  const turns = rounds * lab.nodes.length;
  for (let no = 1; no <= turns; no += 1) {
    const node = lab.nodes[(no - 1) % lab.nodes.length];
    await pass(BETWEEN_MS);
    await node?.fanfare.stop();
    node?.fanfare.installNewest();
    if (spare === undefined || no < turns) await node?.fanfare.restart();
  }
  await pass(BETWEEN_MS);
  watch.stop();
  const lostWrites = await writer.stop();
  isOver = true;
  await Promise.all([...encoders, visiting]);
  const { doubled, fallen } = await lab.claims.faults();
  const looped = await readLoopedClip(clip.path);
  const connections = long.flatMap(({ targets }) => targets.flatMap((target) => target.connections));
  const messages = connections.map(({ report }) => report.messages);
  const gaps = (isHeld ? [] : messages).flatMap((each, index) =>
    gapsIn(each, looped).map((gap) => `connection ${index}: ${gap}`),
  );
  return {
    ...visits,
    frames: (isHeld ? [] : messages.flat()).filter(({ isConfig, kind }) => !isConfig && kind !== "data").length,
    interruptions: long.map(({ targets }) => Math.max(...targets.map((target) => target.connections.length)) - 1),
    overlapMs: watch.longestMs,
    writes: { acknowledged: writer.acknowledged, unanswered: writer.unanswered },
    faults: [
      ...lostWrites,
      ...gaps,
      ...(doubled + fallen > 0 ? [`${doubled} epochs were owned by two nodes, ${fallen} fell`] : []),
    ],
  };
}

/** Begins one short broadcast after another, each in another channel than the last ones. */
async function visit(
  lab: Lab,
  channels: readonly LabChannel[],
  visits: { begun: number; refused: string[] },
  isOver: () => boolean,
): Promise<void> {
  const open: Promise<void>[] = [];
  while (!isOver()) {
    const channel = channels[visits.begun % channels.length];
    visits.begun += 1;
    if (channel !== undefined)
      open.push(
        visitOnce(lab.proxiedUrl, channel).then((refused) => {
          if (refused !== undefined) visits.refused.push(refused);
        }),
      );
    await pass(VISIT_EVERY_MS);
  }
  await Promise.all(open);
}

/** Returns how it ended where it was not accepted. */
async function visitOnce(url: string, { streamKey }: LabChannel): Promise<string | undefined> {
  const encoder = new KitEncoder({ url, streamKey, clip: syntheticClip({ video: "180p" }) });
  const startMs = performance.now();
  const isAccepted = await encoder.accepted;
  if (isAccepted) await pass(VISIT_MS);
  const { end } = await encoder.stop("clean");
  return isAccepted ? undefined : `${howOf(end)} after ${Math.round(performance.now() - startMs)} ms`;
}

function howOf(end: EncoderEnd | undefined): string {
  if (end === undefined) return "open";
  return end.how === "refused" ? `refused (${end.failure.kind})` : end.how;
}
