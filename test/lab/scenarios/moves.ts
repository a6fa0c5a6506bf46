import { hash } from "node:crypto";
import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import type { TargetConnection } from "../../../src/testkit/target/target-connection.ts";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { type Lab, mediaBehind } from "../lab.ts";

const CLIP = { video: "180p", kilobits: 300 } as const;
/** So many frames are a second. */
export const SECOND_OF_FRAMES = 25;
/** Between two moves, in milliseconds: at any distance from the last keyframe. */
const PAUSE_MS = 1_500;
const SPREAD_MS = 1_000;
/** A move takes 2.5 s until every stream has had a keyframe, and the rest. In seconds. */
const MOVE_SECONDS_MAX = 20;

const nodesAnswer = z.array(z.looseObject({ incarnation: z.int(), isSelf: z.boolean() }));

/** Where a target's stream goes on: the last frame of its old connection and the first of the new one, by their numbers. */
export type Seam = { readonly move: number; readonly last: number; readonly first: number };

export type MovesResult = {
  readonly seams: readonly Seam[];
  /** Frames compared within connections. */
  readonly frames: number;
  readonly faults: readonly string[];
};

/** A broadcast moves from node to node, again and again. `onMove`: called after each, with the frames that each target misses. */
export async function moveBroadcast(
  lab: Lab,
  times: number,
  onMove: (no: number, missing: readonly number[]) => void,
): Promise<MovesResult> {
  const [channel] = lab.channels;
  const [entry] = lab.nodes;
  if (channel === undefined || entry === undefined) throw new Error("no channel or node");
  const { channelId, streamKey, targets } = channel;
  const numbers = numbersOf(times * MOVE_SECONDS_MAX);
  const encoder = new KitEncoder({ url: ingestUrl(entry), streamKey, clip: syntheticClip(CLIP) });
  await lab.onAir(channel);
  const seams: Seam[] = [];
  for (let no = 1; no <= times; no += 1) {
    await pass(PAUSE_MS + Math.random() * SPREAD_MS);
    const before = targets.map(({ connections }) => connections.length);
    const owner = lab.node((await lab.claims.owners()).get(channelId));
    await owner.api.request("POST", `/api/v2/nodes/${await incarnationOf(owner)}/move`);
    for (const [index, target] of targets.entries()) await mediaBehind(target, before[index] ?? 0, channelId);
    const these = targets.map(({ connections }, index) => {
      const [old, next] = [connections[(before[index] ?? 0) - 1], connections[before[index] ?? 0]];
      return { move: no, last: framesOf(old, numbers).at(-1) ?? -1, first: framesOf(next, numbers)[0] ?? -1 };
    });
    seams.push(...these);
    onMove(no, these.map(missingAt));
  }
  const faults = encoder.report.end === undefined ? [] : ["the encoder lost its connection"];
  await encoder.stop("clean");
  const found = targets.flatMap(({ connections }) => connections.map((each) => framesOf(each, numbers)));
  faults.push(...found.flatMap(gapsWithin));
  return { seams, frames: found.flat().length, faults };
}

/** Frames that a target never got; 0 where it got some again. */
export function missingAt({ last, first }: Seam): number {
  return Math.max(0, first - last - 1);
}

async function incarnationOf({ api }: LabNode): Promise<number | undefined> {
  const nodes = nodesAnswer.parse(await api.request("GET", "/api/v2/nodes"));
  return nodes.find(({ isSelf }) => isSelf)?.incarnation;
}

/** The number of each frame of the clip, by the hash of its payload. */
function numbersOf(seconds: number): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  // The clip's first video tag is its header.
  let number = -1;
  for (const { type, payload } of syntheticClip({ ...CLIP, audio: "none", seconds }).tags()) {
    if (type !== MessageType.Video) continue;
    if (number >= 0) numbers.set(hash("sha256", payload), number);
    number += 1;
  }
  return numbers;
}

function framesOf(connection: TargetConnection | undefined, numbers: ReadonlyMap<string, number>): readonly number[] {
  const messages = connection?.report.messages ?? [];
  return messages
    .filter(({ kind, isConfig }) => kind === "video" && !isConfig)
    .map((message) => numbers.get(message.hash) ?? -1);
}

function gapsWithin(frames: readonly number[]): readonly string[] {
  return frames.flatMap((number, at) => {
    const before = frames[at - 1];
    return before === undefined || number === before + 1 ? [] : [`frame ${number} came after ${before}`];
  });
}
