import { setTimeout as pass } from "node:timers/promises";
import { type Lab, type LabChannel, mediaBehind } from "../lab.ts";
import { linesOf } from "../node-log.ts";
import { PublisherWatch } from "../publisher-watch.ts";
import type { ReturningEncoder } from "../returning-encoder.ts";
import { Writer } from "../writers.ts";

const WRITERS = 2;
/** Between a node's return and the next kill, in milliseconds: HAProxy knows the node again. */
const PAUSE_MS = 1_500;

export type KillsResult = {
  readonly kills: number;
  /** From each kill until each target of a channel of the killed node had media again, in milliseconds. */
  readonly backMs: readonly number[];
  readonly refusals: number;
  readonly overlapMs: number;
  readonly writes: { readonly acknowledged: number; readonly unanswered: number };
  /** One sentence for each thing that is not as it must be. */
  readonly faults: readonly string[];
};

/**
 * Kills a node that owns channels, again and again, while encoders stream and clients write. `onKill`: called after each
 * kill with the longest time that a target had to wait, and what tells what encoders and nodes did since.
 */
export async function killOwners(
  lab: Lab,
  kills: number,
  onKill: (no: number, longestMs: number, story: () => readonly string[]) => void = () => undefined,
): Promise<KillsResult> {
  const encoders = lab.channels.map((channel) => lab.encoder(channel));
  await Promise.all(lab.channels.map((channel) => lab.onAir(channel)));
  const watch = new PublisherWatch(lab.channels.flatMap(({ targets }) => targets));
  let dead: string | undefined;
  const living = () => lab.nodes.filter(({ name }) => name !== dead);
  const writers = Array.from({ length: WRITERS }, (_, no) => new Writer(`writer_${no}`, living));
  const backMs: number[] = [];
  for (let no = 1; no <= kills; no += 1) {
    const owners = await lab.claims.owners();
    const victims = [...new Set(lab.channels.map(({ channelId }) => owners.get(channelId)))];
    const victim = lab.node(victims[no % victims.length]);
    const lost = lab.channels.filter(({ channelId }) => owners.get(channelId) === victim.name);
    const before = lost.map(({ targets }) => targets.map(({ connections }) => connections.length));
    dead = victim.name;
    const [killedMs, killedTime] = [performance.now(), Date.now()];
    void victim.fanfare.kill();
    const waits = lost.flatMap(({ targets, channelId }, at) =>
      targets.map(async (target, index) => {
        return (await mediaBehind(target, before[at]?.[index] ?? 0, channelId)) - killedMs;
      }),
    );
    const these = await Promise.all(waits);
    backMs.push(...these);
    const story = () =>
      lost.flatMap((channel) => storyOf(lab, channel, encoders[lab.channels.indexOf(channel)], killedTime));
    onKill(no, Math.max(0, ...these), story);
    await victim.fanfare.restart();
    dead = undefined;
    await pass(PAUSE_MS);
    // Encoders that only came through the killed node are back too.
    while (!encoders.every(({ isAccepted }) => isAccepted)) await pass(PAUSE_MS / 10);
  }
  watch.stop();
  const lostWrites = (await Promise.all(writers.map((writer) => writer.stop()))).flat();
  const { claims, doubled, fallen } = await lab.claims.faults();
  const faults = [
    ...lostWrites,
    ...(doubled > 0 ? [`${doubled} epochs were owned by two nodes`] : []),
    ...(fallen > 0 ? [`${fallen} epochs fell`] : []),
    ...(claims <= kills ? [`only ${claims} claims were noted`] : []),
    ...lab.nodes.flatMap(({ name, fanfare }) =>
      fanfare.output.includes('"level":"fatal"') ? [`node ${name} had a fatal error`] : [],
    ),
  ];
  const sum = (of: (writer: Writer) => number) => writers.reduce((total, writer) => total + of(writer), 0);
  return {
    ...{ kills, backMs, overlapMs: watch.longestMs, faults },
    refusals: encoders.reduce((total, encoder) => total + encoder.refusals, 0),
    writes: { acknowledged: sum((writer) => writer.acknowledged), unanswered: sum((writer) => writer.unanswered) },
  };
}

/** What a channel's encoder and the nodes did since a kill, by time: one sentence each. */
function storyOf(
  lab: Lab,
  { channelId }: LabChannel,
  encoder: ReturningEncoder | undefined,
  sinceMs: number,
): string[] {
  const attempts = encoder?.happened.filter(({ atMs }) => atMs >= sinceMs) ?? [];
  const told = lab.nodes.flatMap((node) =>
    linesOf(node, channelId, sinceMs).map(({ atMs, event }) => ({ atMs, what: `${node.name}: ${event}` })),
  );
  return [...attempts, ...told]
    .toSorted((left, right) => left.atMs - right.atMs)
    .map(({ atMs, what }) => `${channelId} +${Math.round(atMs - sinceMs)} ms ${what}`);
}
