import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { NodeReport } from "./node-report.ts";
import type { NodeSeen } from "./state/cluster-live-state.ts";

/** A node that was not heard for longer gets no channel, in milliseconds. */
const SILENT_MS = 6_000;

/** A node that takes channels. `isUpgraded`: it runs the version that the cluster goes to, and this node does not. */
export type Taker = { readonly incarnation: Incarnation; readonly isUpgraded: boolean };

export type TakersDeps = {
  /** The other nodes, with what each said last. */
  readonly nodes: () => readonly NodeSeen[];
  readonly self: Incarnation;
  /** Of this node. */
  readonly version: string;
};

/**
 * Chooses the nodes that take channels of this one: those of the version that the cluster goes to, and of these the one with
 * the fewest channels. A node of another version still has to end, and would give the channel away again.
 */
export class Takers {
  readonly #deps: TakersDeps;
  /** Channels that a node took since it reported how many it has. */
  readonly #taken = new WeakMap<NodeReport, number>();

  constructor(deps: TakersDeps) {
    this.#deps = deps;
  }

  /** The best node first. */
  ranked(): readonly Taker[] {
    const { version } = this.#deps;
    const serving = this.#serving();
    const next = this.#nextVersion(serving);
    const rank = ({ report }: NodeSeen) => Number(report.version !== next);
    return serving
      .toSorted((left, right) => rank(left) - rank(right) || this.#channelsOf(left) - this.#channelsOf(right))
      .map(({ incarnation, report }) => ({ incarnation, isUpgraded: report.version === next && next !== version }));
  }

  /** A node took a channel. */
  took(incarnation: Incarnation): void {
    const node = this.#serving().find((each) => each.incarnation === incarnation);
    if (node !== undefined) this.#taken.set(node.report, (this.#taken.get(node.report) ?? 0) + 1);
  }

  #serving(): readonly NodeSeen[] {
    return this.#deps.nodes().filter(({ report, heardAgoMs }) => report.state === "serving" && heardAgoMs < SILENT_MS);
  }

  /**
   * The version that the cluster goes to: the newest. Where this node has that one itself and the node that started last has
   * an older one, somebody goes back to it.
   */
  #nextVersion(serving: readonly NodeSeen[]): string {
    const { self, version } = this.#deps;
    const newest = serving
      .map(({ report }) => report.version)
      .reduce((left, right) => (compareVersions(left, right) < 0 ? right : left), version);
    const last = serving.toSorted((left, right) => right.incarnation - left.incarnation)[0];
    return newest === version && last !== undefined && last.incarnation > self ? last.report.version : newest;
  }

  #channelsOf({ report }: NodeSeen): number {
    return report.load.channels + (this.#taken.get(report) ?? 0);
  }
}

/**
 * Compares two versions of the form `MAJOR.MINOR.PATCH`, with or without `-PRERELEASE`: below 0 where the first one is older.
 * A prerelease is older than its version. Texts of another form are compared in the same way, so that the order is the same at
 * every node.
 */
function compareVersions(left: string, right: string): number {
  const [one, other] = [partsOf(left), partsOf(right)];
  const byNumbers = one.version.localeCompare(other.version, "en", { numeric: true });
  if (byNumbers !== 0) return byNumbers;
  if (one.prerelease === undefined || other.prerelease === undefined)
    return Number(one.prerelease === undefined) - Number(other.prerelease === undefined);
  return one.prerelease.localeCompare(other.prerelease, "en", { numeric: true });
}

function partsOf(text: string): { readonly version: string; readonly prerelease: string | undefined } {
  const [version = "", ...rest] = text.split("-");
  return { version, prerelease: rest.length === 0 ? undefined : rest.join("-") };
}
