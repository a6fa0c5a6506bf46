import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { ReadChannel } from "../../../cluster/changed-channel.ts";
import { ChannelMoves, type ChannelMovesDeps } from "../../../cluster/channel-moves.ts";
import { ExpectedMoves } from "../../../cluster/expected-moves.ts";
import { completeEvent } from "../../../control/events/complete-event.ts";
import { broadcastMoved } from "../../../control/events/event-drafts.ts";
import type { ChannelEvent, EventStore } from "../../../control/events/events.ts";
import type { RunningBroadcast } from "../../../control/facts/running-broadcasts.ts";
import type { ServerFact } from "../../../control/facts/server-fact.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import type { MoveBegun, StayReason } from "../../../control/ports/nodes.ts";
import type { Incarnation } from "../../../control/ports/ownership-store.ts";
import type { ChannelLive } from "../../../control/ports/runtime.ts";
import type { MovedBroadcast } from "../../../control/reports/moved-broadcast.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../../thread-protocol/facts.ts";
import type { ChannelSample, TargetSample } from "../../../thread-protocol/samples.ts";
import type { MediaPool } from "../media/media-pool.ts";
import type { Notifications } from "../notifications.ts";
import type { ClusterNode } from "./cluster-node.ts";

/** What is not stored yet is waited for no longer than this before a broadcast is given away, in milliseconds. */
const STORE_MS = 500;
/** A broadcast whose encoder does not come to this node within this time is over, in milliseconds. */
const ENCODER_MS = 15_000;
const NOTHING_COUNTED = {
  ...{ bytesTotal: 0, playMs: 0, retryCount: 0, droppedFrames: 0 },
  drops: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
};

export type BroadcastMovesParts = Pick<ChannelMovesDeps, "takers"> & {
  readonly node: ClusterNode;
  readonly pool: MediaPool;
  readonly liveState: LiveState;
  readonly metrics: Metrics;
  readonly events: Pick<EventStore, "findEventSubjects" | "moveBroadcast">;
  readonly log: Log;
  /** Made later than this. */
  readonly notifications: () => Notifications;
  /** Stores the totals. Never rejects. */
  readonly storeTotals: () => Promise<void>;
  readonly readChannel: ReadChannel;
  readonly onEvent: (event: ChannelEvent) => void;
  readonly onChanged: (channelId: ChannelId) => void;
};

/** This node's part in moves of broadcasts: it gives away what it knows of one, and goes on with those of other nodes. */
export class BroadcastMoves {
  readonly moves: ChannelMoves;
  readonly #parts: BroadcastMovesParts;
  /** Broadcasts whose encoders have not come yet. */
  readonly #expected = new Map<ChannelId, { cancel(): void }>();
  readonly #expectedMoves: ExpectedMoves;

  constructor(parts: BroadcastMovesParts) {
    this.#parts = parts;
    const { node, log, takers, pool, readChannel } = parts;
    this.#expectedMoves = new ExpectedMoves({
      clock: systemClock,
      isDraining: () => node.isDraining,
      tell: (areExpected) => pool.workers.expectMoves(areExpected),
    });
    // Its next owner tells of it: what this node has not told yet would be told twice.
    node.placement.changes(({ channelId, isMoved }) => {
      if (isMoved === true) parts.notifications().alerts.leave(channelId);
    });
    this.moves = new ChannelMoves({
      ...{ self: node.self, bus: node.bus, rpc: node.rpc, log, takers },
      prepare: () => this.#expectedMoves.prepare(),
      done: () => this.#expectedMoves.done(),
      onAir: () => new Map([...node.placement.epochs].filter(([channelId]) => isMovable(pool.live(channelId)))),
      give: (channelId, epoch) => this.#give(channelId, epoch),
      take: (channelId, epoch, from) => this.#take(channelId, epoch, from),
      isFedElsewhere: (channelId) => pool.routes.isFedElsewhere(channelId),
      isHeldOnLoss: async (channelId) => ((await readChannel(channelId).catch(() => undefined))?.holdSeconds ?? 0) > 0,
      disconnect: (channelId) => {
        for (const slot of ["main", "backup"] as const) pool.disconnectPublisher(channelId, slot);
      },
    });
  }

  /** Channels may soon go to other nodes: this node drains. */
  expect(): void {
    this.#expectedMoves.begin();
  }

  /** Begins to move the broadcasts of this node to the node `to`, or to those that take channels. */
  moveAll(to: Incarnation | undefined): MoveBegun {
    const { node, pool } = this.#parts;
    const onAir = [...node.placement.epochs.keys()].filter((channelId) => pool.live(channelId)?.isPublishing === true);
    const staying = onAir.flatMap((channelId) => {
      const why = whyStaying(pool.live(channelId));
      return why === undefined ? [] : [{ channelId, why }];
    });
    this.moves.moveAll(to);
    return { moving: onAir.length - staying.length, staying };
  }

  /** Follows which encoders have come. */
  fact(fact: ServerFact): void {
    if (fact.kind === "ingest-started") this.#arrived(fact.channelId);
  }

  /** Goes on with a broadcast of another node. Never rejects. */
  async goOn(channelId: ChannelId, formerEpoch: number, moved: MovedBroadcast): Promise<void> {
    const { events, liveState, pool, notifications, metrics, log, onEvent, onChanged } = this.#parts;
    try {
      const [subject] = await events.findEventSubjects([channelId]);
      if (subject !== undefined) {
        const event = completeEvent(broadcastMoved({ time: systemClock.wallNow(), channelId }), subject);
        const stored = await events.moveBroadcast(channelId, formerEpoch, event);
        if (stored !== undefined) onEvent(stored);
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.error("a moved broadcast was not stored", { channelId, epoch: formerEpoch, detail });
    }
    const broadcast = this.#asHere(moved.broadcast);
    const broadcasts = [broadcast];
    liveState.resume(broadcasts, new Map(moved.onAirMs), systemClock.now());
    pool.running.resume(broadcasts);
    notifications().resume(broadcasts, [moved.report], moved.told === undefined ? [] : [[channelId, moved.told]]);
    metrics.resume(broadcasts);
    onChanged(channelId);
    this.#expect(channelId);
  }

  async #give(channelId: ChannelId, epoch: number): Promise<MovedBroadcast | undefined> {
    const { node, pool, liveState, notifications, storeTotals } = this.#parts;
    const live = pool.live(channelId);
    const why = whyStaying(live);
    const isOwnMedia = why === "source" || why === "test-pattern";
    if (live?.isPublishing !== true || isOwnMedia || !node.placement.give(channelId, epoch)) return undefined;
    const late = new Promise<void>((resolve) => systemClock.startTimer(STORE_MS, resolve));
    await Promise.race([Promise.all([storeTotals(), notifications().events.settled()]), late]);
    const broadcast = pool.running.list().find((each) => each.channelId === channelId);
    const report = notifications()
      .reports.running()
      .find((each) => each.channelId === channelId);
    if (broadcast === undefined || report === undefined) return undefined;
    const told = notifications().alerts.told(channelId);
    return { broadcast, report, onAirMs: liveState.onAirMs(channelId), ...(told === undefined ? {} : { told }) };
  }

  async #take(channelId: ChannelId, epoch: number, from: number): Promise<boolean> {
    const { node, log } = this.#parts;
    try {
      const owner = await node.findElsewhere(channelId);
      if (owner?.incarnation !== from || owner.epoch !== epoch) return false;
      return await node.placement.takeFrom(owner, { thread: this.#idlestThread() });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.warn("a channel could not be taken", { channelId, epoch, detail });
      return false;
    }
  }

  #idlestThread(): number {
    const { pool } = this.#parts;
    const running = pool.workers.all.filter(({ life }) => life !== undefined);
    const [idlest] = running.sort((left, right) => pool.ownedBy(left).length - pool.ownedBy(right).length);
    return idlest?.index ?? 0;
  }

  /** Encoders come with other numbers here, and this node's media threads count by themselves. */
  #asHere({ channelId, facts, sample }: RunningBroadcast): RunningBroadcast {
    const counted = this.#parts.liveState.live(channelId)?.targets;
    const asHere = (target: TargetSample): TargetSample => {
      const here = counted?.get(target.targetId)?.sample ?? NOTHING_COUNTED;
      const { bytesTotal, playMs, retryCount, droppedFrames, drops } = here;
      return { ...target, bytesTotal, playMs, retryCount, droppedFrames, drops };
    };
    const sampleHere = (each: ChannelSample): ChannelSample => ({ ...each, targets: each.targets.map(asHere) });
    return {
      channelId,
      facts: facts.map(withOtherNumber),
      ...(sample === undefined ? {} : { sample: sampleHere(sample) }),
    };
  }

  #expect(channelId: ChannelId): void {
    this.#arrived(channelId);
    const timer = systemClock.startTimer(ENCODER_MS, () => {
      this.#expected.delete(channelId);
      this.#parts.log.warn("no encoder came for a moved broadcast", { channelId });
      this.#parts.pool.endLost([channelId]);
      this.#parts.pool.routes.removed(channelId);
    });
    this.#expected.set(channelId, timer);
  }

  #arrived(channelId: ChannelId): void {
    this.#expected.get(channelId)?.cancel();
    this.#expected.delete(channelId);
  }
}

/** Whether a channel is on air with its encoder. */
function isMovable(live: ChannelLive | undefined): boolean {
  return live?.isPublishing === true && whyStaying(live) === undefined;
}

/**
 * What this server plays by itself cannot go on elsewhere. A broadcast that is held moves when its encoder comes back to
 * another node.
 */
function whyStaying(live: ChannelLive | undefined): StayReason | undefined {
  if (live?.ingest?.testPatternEndTime !== undefined) return "test-pattern";
  if (live?.ingest?.sourceKind !== undefined) return "source";
  return live?.hold === undefined ? undefined : "encoder-lost";
}

/** This node counts its encoders from 1. */
function withOtherNumber(fact: Fact): Fact {
  return "ingestId" in fact ? { ...fact, ingestId: -1 - Math.abs(fact.ingestId) } : fact;
}
