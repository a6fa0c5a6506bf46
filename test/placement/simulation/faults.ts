import type { Encoder } from "./encoder.ts";
import type { Cluster, SimNode } from "./sim-node.ts";

export type FaultsDeps = {
  readonly cluster: Cluster;
  readonly encoders: readonly Encoder[];
  /** From then on everything is repaired. */
  readonly untilMs: number;
  /** Starts one more process. */
  readonly start: () => void;
};

/** Breaks something every few seconds, and repairs it a while later. */
export function breakThings(deps: FaultsDeps): void {
  const { cluster, encoders, untilMs, start } = deps;
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
  const faults: readonly (() => void)[] = [
    // As often as all faults together.
    ...(cluster.hasMoves ? Array.from({ length: 10 }, () => move) : []),
    () => {
      const node = world.pick(living());
      node?.die();
      if (node !== undefined) later(start, 8_000);
    },
    () => {
      const node = world.pick(living());
      if (node === undefined) return;
      // Its host is gone: nothing says that the process has ended.
      network.cutHost(node.incarnation, true, () => undefined);
      node.die();
      later(start, 8_000);
    },
    () => {
      const node = world.pick(living());
      if (node === undefined) return;
      const set = (isCut: boolean) => network.cutHost(node.incarnation, isCut, () => node.busChanged());
      set(true);
      later(() => set(false), 15_000);
    },
    () => {
      const node = world.pick(living());
      // A pause that is no freeze.
      node?.freeze();
      if (node !== undefined) world.after(world.between(50, 900), () => node.wake());
    },
    () => {
      const node = world.pick(living());
      node?.freeze();
      if (node !== undefined) later(() => node.wake(), 25_000);
    },
    () => {
      const set = (isAway: boolean) => {
        world.trace(`database away: ${isAway}`);
        database.setAway(isAway);
      };
      set(true);
      later(() => set(false), 15_000);
    },
    () => {
      database.markStandby();
      later(() => {
        world.trace("the database loses its last commits");
        database.failOver();
      }, 2_000);
    },
    () => {
      const node = world.pick(living());
      if (node === undefined) return;
      network.cutDatabase(node.incarnation, true);
      later(() => network.cutDatabase(node.incarnation, false), 15_000);
    },
    () => {
      const node = world.pick(living());
      if (node === undefined) return;
      const set = (isCut: boolean) => {
        network.cutBus(node.incarnation, isCut);
        node.busChanged();
      };
      set(true);
      later(() => set(false), 15_000);
    },
    () => {
      const set = (isAway: boolean) => {
        network.setBusAway(isAway);
        for (const node of living()) node.busChanged();
      };
      set(true);
      later(() => set(false), 15_000);
    },
    () => {
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
    () => {
      const node = world.pick(living());
      if (node === undefined || living().length < 2) return;
      node.drain();
      later(() => {
        if (!node.process.isDead) start();
        node.die();
      }, 10_000);
    },
    () => {
      const stopping = world.pick(encoders);
      const awayMs = world.between(0, 9_000);
      for (const encoder of encoders) if (encoder.channelId === stopping?.channelId) encoder.leave(awayMs);
    },
  ];
  const breakOne = () => {
    if (world.nowMs >= untilMs) return;
    world.pick(faults)?.();
    world.after(world.between(300, 5_000), breakOne);
  };
  world.after(world.between(500, 4_000), breakOne);
}
