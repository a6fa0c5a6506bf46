import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import { ingestUrl, type LabNode } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import type { Child } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { gapsIn, type LoopedClip, readLoopedClip } from "../../support/streams/looped-stream.ts";
import { type Lab, type LabChannel, mediaBehind } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";
import { publish } from "./freezes.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** From the encoder's takeover until frames are compared, and how long they are, in milliseconds. */
const SETTLE_MS = 2_000;
const COMPARED_MS = 6_000;
/** A node asks another one to take a channel for 4 s, 2.5 s after it was told to move its channels. In milliseconds. */
const MOVE_MS = 12_000;
/** Three heartbeats, until every node knows one that has just started. In milliseconds. */
const KNOWN_MS = 7_000;
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;

const nodesAnswer = z.array(z.looseObject({ nodeId: z.string(), incarnation: z.int() }));

/** What happened with one node as the owner and the other as the node of the encoder. */
type Direction = {
  readonly owner: string;
  readonly visitor: string;
  readonly frames: number;
  /** From the kill of the owner until each target had media again, in milliseconds. */
  readonly backMs: readonly number[];
  /** The node to which the broadcast moved; undefined where it stayed. */
  readonly movedTo: string | undefined;
};

export type VersionsResult = {
  readonly directions: readonly Direction[];
  readonly overlapMs: number;
  readonly faults: readonly string[];
};

/**
 * Two versions side by side: the first node is of the other one, the second of this one. Each in turn owns a channel whose
 * encoder comes through the other: state and commands at each, a kill of the owner, a move, an end at the node that is not the
 * owner.
 */
export async function twoVersions(lab: Lab): Promise<VersionsResult> {
  const [first, second] = lab.channels;
  const [older, newer] = lab.nodes;
  if (first === undefined || second === undefined || older === undefined || newer === undefined)
    throw new Error("too few channels or nodes");
  const clip = await makeClip(CLIP);
  const looped = await readLoopedClip(clip.path);
  const watch = new PublisherWatch([...first.targets, ...second.targets]);
  const faults: string[] = [];
  const directions: Direction[] = [];
  // A channel stays with its owner for two minutes after its broadcast: each direction has one of its own.
  for (const [channel, owner, visitor] of [
    [first, older, newer],
    [second, newer, older],
  ] as const) {
    const start = () => startFfmpeg(clip, `${ingestUrl(visitor)}/${channel.streamKey}`, { loops: true });
    directions.push(await oneDirection({ lab, channel, owner, visitor, looped, faults }, start));
  }
  watch.stop();
  const { doubled, fallen } = await lab.claims.faults();
  if (doubled + fallen > 0) faults.push(`${doubled} epochs were owned by two nodes, ${fallen} fell`);
  return { directions, overlapMs: watch.longestMs, faults };
}

type Setting = {
  readonly lab: Lab;
  readonly channel: LabChannel;
  readonly owner: LabNode;
  readonly visitor: LabNode;
  readonly looped: LoopedClip;
  readonly faults: string[];
};

async function oneDirection(setting: Setting, startEncoder: () => Promise<Child>): Promise<Direction> {
  const { lab, channel, owner, visitor } = setting;
  const { targets } = channel;
  const first = await publish(channel, owner);
  await lab.onAir(channel, counts(channel));
  await ownedBy(lab, channel, owner);
  const before = counts(channel);
  const ffmpeg = await startEncoder();
  try {
    await first.closed;
    await pass(SETTLE_MS);
    if (counts(channel).join() !== before.join())
      setting.faults.push(`${owner.name}: the platforms were dialled again`);
    let frames = await compared(setting, "relayed");
    await checkStatus(setting);
    await edit(setting);
    const killedMs = performance.now();
    const dialled = counts(channel);
    await owner.fanfare.kill();
    const backMs = await Promise.all(
      targets.map(async (target, at) => (await mediaBehind(target, dialled[at] ?? 0, channel.channelId)) - killedMs),
    );
    await pass(SETTLE_MS);
    frames += await compared(setting, "taken over");
    await owner.fanfare.restart();
    await pass(KNOWN_MS);
    const movedTo = await move(setting);
    await pass(SETTLE_MS);
    frames += await compared(setting, "moved");
    const other = lab.nodes.find(({ name }) => name !== (movedTo ?? visitor.name));
    await other?.api.request("POST", `${pathOf(channel)}/end`);
    await left(channel);
    return { owner: owner.name, visitor: visitor.name, frames, backMs, movedTo };
  } finally {
    await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
    await left(channel);
  }
}

const pathOf = ({ channelId }: LabChannel) => `/api/v2/re-stream/channels/${channelId}`;
const counts = ({ targets }: LabChannel) => targets.map(({ connections }) => connections.length);

/** Compares what every target gets from now on with the clip. Returns how many frames that were. */
async function compared({ channel: { targets }, looped, faults, owner }: Setting, what: string): Promise<number> {
  const from = targets.map(({ connections }) => connections.at(-1)?.report.messages.length ?? 0);
  await pass(COMPARED_MS);
  let frames = 0;
  for (const [index, { connections }] of targets.entries()) {
    const messages = connections.at(-1)?.report.messages.slice(from[index]) ?? [];
    const media = messages.filter(({ isConfig, kind }) => !isConfig && kind !== "data");
    frames += media.length;
    if (media.length === 0) faults.push(`${owner.name}, ${what}: target ${index} got no frame`);
    faults.push(...gapsIn(messages, looped).map((gap) => `${owner.name}, ${what}: target ${index}: ${gap}`));
  }
  return frames;
}

/** Every node says the same about the channel. */
async function checkStatus({ lab, channel, faults }: Setting): Promise<void> {
  for (const { name, api } of lab.nodes) {
    const { isPublishing } = await api.channel(channel.channelId);
    const statuses = (await api.platforms(channel.channelId)).map(({ connectStatus }) => connectStatus);
    if (!isPublishing || statuses.some((status) => status !== "PUBLISHING"))
      faults.push(`node ${name} says ${isPublishing ? "on air" : "off air"}, ${statuses.join(", ")}`);
  }
}

/** Turns the last platform off and on again at the encoder's node, which is not the owner. */
async function edit({ channel, visitor }: Setting): Promise<void> {
  const target = channel.targets.at(-1);
  const platform = (await visitor.api.platforms(channel.channelId)).at(-1);
  if (target === undefined || platform === undefined) throw new Error("no platform");
  for (const action of ["off", "on"] as const) {
    await visitor.api.request("PUT", `${pathOf(channel)}/platforms/${platform.platId}/${action}`);
    const open = () => target.connections.filter(({ report }) => report.state === "open").length;
    await waitFor(`a platform to be ${action}`, DEADLINE_MS, () => open() === (action === "on" ? 1 : 0) || undefined);
  }
}

/** Moves the broadcast away from the encoder's node, which owns it now. Returns the node that has it then. */
async function move({ lab, channel, visitor }: Setting): Promise<string | undefined> {
  const nodes = nodesAnswer.parse(await visitor.api.request("GET", "/api/v2/nodes"));
  const incarnation = nodes.findLast(({ nodeId }) => nodeId === visitor.name)?.incarnation;
  const dialled = counts(channel);
  const isKnown = await visitor.api.request("POST", `/api/v2/nodes/${incarnation}/move`).then(
    () => true,
    () => false,
  );
  const untilMs = performance.now() + MOVE_MS;
  while (isKnown && performance.now() < untilMs) {
    const owner = (await lab.claims.owners()).get(channel.channelId);
    if (owner !== undefined && owner !== visitor.name) {
      await lab.onAir(channel, dialled);
      return owner;
    }
    await pass(SETTLE_MS / 20);
  }
  return undefined;
}

async function ownedBy(lab: Lab, { channelId }: LabChannel, node: LabNode): Promise<void> {
  const isOwner = async () => (await lab.claims.owners()).get(channelId) === node.name || undefined;
  await waitFor("the ownership", DEADLINE_MS, isOwner);
}

async function left({ targets }: LabChannel): Promise<void> {
  const isOver = () => targets.every(({ connections }) => connections.every(({ report }) => report.state !== "open"));
  await waitFor("the targets to be left", DEADLINE_MS, () => isOver() || undefined);
}
