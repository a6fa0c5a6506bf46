import { z } from "zod";
import type { Log } from "../base/log.ts";
import type { Bus } from "../control/ports/bus.ts";
import type { KnownOwner } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { MovedBroadcast } from "../control/reports/moved-broadcast.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { subjectsOf } from "./node-report.ts";
import type { NodeRpc } from "./node-rpc.ts";

/** An owner stores what it knows of a broadcast before it gives that away: this long it may take, in milliseconds. */
const GIVE_MS = 1_500;
/** The other node asks the owner, and claims the channel. In milliseconds. */
const TAKE_MS = 4_000;

const count = z.number().min(0);
const time = z.number();
const text = z.string().max(4_096);
const fact = z.looseObject({
  kind: z.enum(["ingest-started", "publisher-active", "ingest-held", "hold-set", "target-status"]),
  time,
  channelId: text,
});
const interruptions = z.looseObject({
  list: z.array(z.looseObject({ time, durationMs: count, reason: text })).max(1_000),
  count,
});
const drops = z.looseObject({ overTime: count, overBytes: count, untilKeyframe: count });
const moved = z.looseObject({
  broadcast: z.looseObject({ channelId: text, facts: z.array(fact).min(1).max(2_000) }),
  report: z.looseObject({
    channelId: text,
    startTime: time,
    endTime: time,
    interruptions,
    targets: z
      .array(z.looseObject({ targetId: count, onAirMs: count, bytes: count, retryCount: count, drops, interruptions }))
      .max(1_000),
  }),
  onAirMs: z.array(z.tuple([count, count])).max(1_000),
});

export type ChannelMovesDeps = {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  readonly log: Log;
  /** Other nodes that take channels, the best one first. */
  readonly takers: () => readonly Incarnation[];
  /** Moves are about to come; resolves when what they need of the streams is kept. */
  readonly prepare: () => Promise<void>;
  /** No more moves come for now. */
  readonly done: () => void;
  /** The channels of this node that are on air with their encoders, with their epochs. */
  readonly onAir: () => ReadonlyMap<ChannelId, number>;
  /**
   * What another node needs to go on with a broadcast of this one; the rest is stored. From now on the claim of another
   * node moves the encoders too. Undefined where this node does not own the channel with this epoch, or the broadcast cannot
   * move.
   */
  readonly give: (channelId: ChannelId, epoch: number) => Promise<MovedBroadcast | undefined>;
  /** Whether the encoder of a channel of this node is connected to another one. */
  readonly isFedElsewhere: (channelId: ChannelId) => boolean;
  /** Disconnects the encoders of a channel. */
  readonly disconnect: (channelId: ChannelId) => void;
  /** Takes a channel with its broadcast from its living owner. Returns false where that was not possible. */
  readonly take: (channelId: ChannelId, epoch: number, from: Incarnation) => Promise<boolean>;
};

/** Moves broadcasts from one living node to another, with their start, their report and their encoders. */
export class ChannelMoves {
  readonly #deps: ChannelMovesDeps;
  /** Moves under way, by channel. */
  readonly #moves = new Map<ChannelId, Promise<boolean>>();
  #all: Promise<void> | undefined;

  constructor(deps: ChannelMovesDeps) {
    this.#deps = deps;
    const { rpc } = deps;
    rpc.on("hand-over", async ({ channelId, epoch }) => {
      if (typeof channelId !== "string" || typeof epoch !== "number") return undefined;
      const given = await deps.give(channelId, epoch);
      return given === undefined ? {} : { given };
    });
    rpc.on("take", async ({ channelId, epoch, from }) => {
      if (typeof channelId !== "string" || typeof epoch !== "number" || typeof from !== "number") return undefined;
      return { isTaken: await deps.take(channelId, epoch, from) };
    });
  }

  /** Asks the owner of a channel for its broadcast; undefined where it gives none. Never rejects. */
  async fetch({ channelId, epoch, incarnation }: Pick<KnownOwner, "channelId" | "epoch" | "incarnation">) {
    const request = { op: "hand-over", channelId, epoch };
    const reply = await this.#deps.bus.request(subjectsOf(incarnation).rpc, request, GIVE_MS);
    const given = reply.kind === "reply" ? reply.message["given"] : undefined;
    return isMoved(given) && given.broadcast.channelId === channelId ? given : undefined;
  }

  /**
   * Moves a channel of this node to the best taker. Resolves with false where it stays. Never rejects.
   */
  move(channelId: ChannelId): Promise<boolean> {
    const present = this.#moves.get(channelId);
    if (present !== undefined) return present;
    const move = this.#move(channelId).finally(() => this.#moves.delete(channelId));
    this.#moves.set(channelId, move);
    return move;
  }

  /**
   * Frees this node of a channel before its process ends. An encoder of another node stays connected. One of this node has
   * to connect again in any case: it is disconnected, and brings the broadcast to the node that it comes to. If the
   * broadcast moved before it, the platforms would be interrupted twice, and the encoder would come to a third node that
   * passes its stream on and may be the next to end. Never rejects.
   */
  async leave(channelId: ChannelId): Promise<void> {
    const { isFedElsewhere, disconnect } = this.#deps;
    if (!isFedElsewhere(channelId) || !(await this.move(channelId))) disconnect(channelId);
  }

  /** Moves every channel that is on air here, one after another. Does nothing more where that is under way. */
  moveAll(): void {
    this.#all ??= this.#moveAll().finally(() => {
      this.#all = undefined;
    });
  }

  async #moveAll(): Promise<void> {
    const { prepare, onAir, done } = this.#deps;
    await prepare();
    for (const channelId of onAir().keys()) await this.move(channelId);
    done();
  }

  async #move(channelId: ChannelId): Promise<boolean> {
    const { self, bus, onAir, takers, log } = this.#deps;
    const epoch = onAir().get(channelId);
    const [taker] = takers();
    if (epoch === undefined || taker === undefined) return false;
    const request = { op: "take", channelId, epoch, from: self };
    const reply = await bus.request(subjectsOf(taker).rpc, request, TAKE_MS);
    const isTaken = reply.kind === "reply" && reply.message["isTaken"] === true;
    if (!isTaken) log.warn("channel stays: the other node did not take it", { channelId, to: taker });
    return isTaken;
  }
}

function isMoved(value: unknown): value is MovedBroadcast {
  return moved.safeParse(value).success;
}
