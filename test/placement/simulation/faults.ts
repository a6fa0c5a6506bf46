import type { Encoder } from "./encoder.ts";
import type { Cluster, SimNode } from "./sim-node.ts";

/** What may break. */
export const FAULT_NAMES = [
  ...(["process-dies", "host-dies", "host-cut", "bus-split", "pause", "freeze", "database-away"] as const),
  ...(["failover", "database-cut", "bus-cut", "bus-away", "link-cut", "drain", "encoders-leave"] as const),
] as const;
export type FaultName = (typeof FAULT_NAMES)[number];

export type FaultsDeps = {
  readonly cluster: Cluster;
  readonly encoders: readonly Encoder[];
  /** From then on everything is repaired. */
  readonly untilMs: number;
  /** Only these faults; default all. */
  readonly only?: readonly FaultName[] | undefined;
  /** Starts one more process. */
  readonly start: () => void;
};

/** Breaks something every few seconds, and repairs it a while later. */
export function breakThings(deps: FaultsDeps): void {
  const { cluster, encoders, untilMs, only, start } = deps;
  const { world, network, database, nodes } = cluster;
  const living = () => [...nodes.values()].filter(({ process }) => !process.isDead);
  const later = (repair: () => void, maxMs: number) =>
    world.after(Math.min(world.between(200, maxMs), untilMs - world.nowMs), repair);
  const pair = (): readonly [SimNode, SimNode] | undefined => {
    const [one, other] = [world.pick(living()), world.pick(living())];
    return one === undefined || other === undefined || one === other ? undefined : [one, other];
  };
  const move = () => {
    const [one, other] = pair() ?? [];
    const owned = world.pick(one?.placement.all() ?? []);
    if (one === undefined || other === undefined || owned === undefined) return;
    const { channelId, epoch, home } = owned;
    other.takeFrom({ channelId, epoch, home, incarnation: one.incarnation, address: "host:1" });
  };
  const faults: Readonly<Record<FaultName, () => void>> = {
    "process-dies": () => {
      const node = world.pick(living());
      node?.die();
      if (node !== undefined) later(start, 8_000);
    },
    "host-dies": () => {
      const node = world.pick(living());
      if (node === undefined) return;
      // Its host is gone: nothing says that the process has ended.
      network.cutHost(node.incarnation, true, () => undefined);
      node.die();
      later(start, 8_000);
    },
    "host-cut": () => {
      const node = world.pick(living());
      if (node === undefined) return;
      const set = (isCut: boolean) => network.cutHost(node.incarnation, isCut, () => node.busChanged());
      set(true);
      later(() => set(false), 35_000);
    },
    "bus-split": () => {
      const node = world.pick(living());
      if (node === undefined) return;
      network.splitBus(node.incarnation, true);
      later(() => network.splitBus(node.incarnation, false), 25_000);
    },
    pause: () => {
      const node = world.pick(living());
      // A pause that is no freeze.
      node?.freeze();
      if (node !== undefined) world.after(world.between(50, 900), () => node.wake());
    },
    freeze: () => {
      const node = world.pick(living());
      node?.freeze();
      if (node !== undefined) later(() => node.wake(), 25_000);
    },
    "database-away": () => {
      const set = (isAway: boolean) => {
        world.trace(`database away: ${isAway}`);
        database.setAway(isAway);
      };
      set(true);
      later(() => set(false), 15_000);
    },
    failover: () => {
      database.markStandby();
      later(() => {
        world.trace("the database loses its last commits");
        database.failOver();
      }, 2_000);
    },
    "database-cut": () => {
      const node = world.pick(living());
      if (node === undefined) return;
      network.cutDatabase(node.incarnation, true);
      later(() => network.cutDatabase(node.incarnation, false), 15_000);
    },
    "bus-cut": () => {
      const node = world.pick(living());
      if (node === undefined) return;
      const set = (isCut: boolean) => {
        network.cutBus(node.incarnation, isCut);
        node.busChanged();
      };
      set(true);
      later(() => set(false), 15_000);
    },
    "bus-away": () => {
      const set = (isAway: boolean) => {
        network.setBusAway(isAway);
        for (const node of living()) node.busChanged();
      };
      set(true);
      later(() => set(false), 15_000);
    },
    "link-cut": () => {
      const [one, other] = pair() ?? [];
      if (one === undefined || other === undefined) return;
      const isBothWays = world.chance(0.5);
      const set = (isCut: boolean) => {
        network.cutLink(one.incarnation, other.incarnation, isCut);
        if (isBothWays) network.cutLink(other.incarnation, one.incarnation, isCut);
      };
      set(true);
      later(() => set(false), 15_000);
    },
    drain: () => {
      const node = world.pick(living());
      if (node === undefined || living().length < 2) return;
      node.drain();
      later(() => {
        if (!node.process.isDead) start();
        node.die();
      }, 10_000);
    },
    "encoders-leave": () => {
      const stopping = world.pick(encoders);
      const awayMs = world.between(0, 9_000);
      for (const encoder of encoders) if (encoder.channelId === stopping?.channelId) encoder.leave(awayMs);
    },
  };
  const chosen = (only ?? FAULT_NAMES).map((name) => faults[name]);
  // As often as all faults together.
  const moves = cluster.hasMoves ? Array.from({ length: chosen.length }, () => move) : [];
  const breakOne = () => {
    if (world.nowMs >= untilMs) return;
    world.pick([...moves, ...chosen])?.();
    world.after(world.between(300, 5_000), breakOne);
  };
  world.after(world.between(500, 4_000), breakOne);
}
