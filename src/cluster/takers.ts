import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { NodeSeen } from "./state/cluster-live-state.ts";

/** A node that was not heard for longer gets no channel, in milliseconds. */
const SILENT_MS = 6_000;

/**
 * The nodes that take a channel from one of this version, the best first: those of another version, then those that own
 * fewer channels. In an upgrade of one node after the other, a node of this version still has to end, and would give the
 * channel away again.
 */
export function takersAmong(nodes: readonly NodeSeen[], version: string): readonly Incarnation[] {
  const isSame = ({ report }: NodeSeen) => Number(report.version === version);
  return nodes
    .filter(({ report, heardAgoMs }) => report.state === "serving" && heardAgoMs < SILENT_MS)
    .sort((left, right) => isSame(left) - isSame(right) || left.report.load.channels - right.report.load.channels)
    .map(({ incarnation }) => incarnation);
}
