import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { ingestUrl } from "../../support/cluster/lab-node.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { type Lab, mediaBehind } from "../lab.ts";

const DEADLINE_MS = 20_000;
const LOOK_MS = 5;

export type RacesResult = {
  /** From both connections until one encoder is left, which is accepted, in milliseconds. */
  readonly settledMs: readonly number[];
  /** Times that both were accepted first, and one of them then replaced the other. */
  readonly replaced: number;
  /** Ownerships that the database noted. */
  readonly claims: number;
  readonly faults: readonly string[];
};

/**
 * Two encoders with the same key come to two nodes at the same moment, each time for a channel that no node owned before.
 * One encoder must be left, with one connection to the target, and one node must own the channel.
 */
export async function raceForChannels(
  lab: Lab,
  times: number,
  onRace: (no: number) => void = () => undefined,
): Promise<RacesResult> {
  const [first, second] = lab.nodes;
  const [target] = lab.channels[0]?.targets ?? [];
  if (first === undefined || second === undefined || target === undefined) throw new Error("no node or target");
  const clip = syntheticClip({ video: "180p", kilobits: 300 });
  const settledMs: number[] = [];
  const faults: string[] = [];
  let replaced = 0;
  const { claims: before } = await lab.claims.faults();
  for (let no = 1; no <= times; no += 1) {
    const platform = { rtmpUrl: target.url, streamKey: `race-${no}` };
    const { streamKey, channelId } = await first.api.createChannel(`race_${no}`, [platform]);
    const known = target.connections.length;
    const startMs = performance.now();
    const both = [first, second].map((node) => new KitEncoder({ url: ingestUrl(node), streamKey, clip }));
    const left = () => both.filter(({ report }) => report.end === undefined);
    const isSettled = () => (left().length === 1 && left()[0]?.report.isAccepted === true) || left().length === 0;
    await waitFor(
      "one encoder to be left",
      DEADLINE_MS,
      () => isSettled() || undefined,
      () => "",
      LOOK_MS,
    );
    settledMs.push(performance.now() - startMs);
    if (both.every(({ report }) => report.isAccepted)) replaced += 1;
    if (left().length === 0) faults.push(`race ${no}: no encoder is left`);
    else await mediaBehind(target, known, channelId);
    const open = target.connections.slice(known).filter(({ report }) => report.state === "open").length;
    if (open > 1) faults.push(`race ${no}: ${open} connections to the target`);
    for (const encoder of both) await encoder.stop("clean");
    onRace(no);
  }
  const { claims: all, doubled, fallen } = await lab.claims.faults();
  const claims = all - before;
  if (doubled + fallen > 0) faults.push(`${doubled} epochs were owned by two nodes, ${fallen} fell`);
  if (claims !== times) faults.push(`${claims} ownerships of ${times} channels`);
  return { settledMs, replaced, claims, faults };
}
