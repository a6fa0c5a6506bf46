import { z } from "zod";
import type { Log } from "../base/log.ts";
import type { Bus } from "../control/ports/bus.ts";
import type { KnownOwner } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../control/reports/moved-broadcast.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { subjectsOf } from "./node-report.ts";
import type { NodeRpc } from "./node-rpc.ts";
import type { Takers } from "./takers.ts";

/** An owner stores what it knows of a broadcast before it gives that away: this long it may take, in milliseconds. */
const GIVE_MS = 1_500;
/** The other node asks the owner, and claims the channel. In milliseconds. */
const TAKE_MS = 4_000;

const count = z.number().min(0);
const time = z.number();
const text = z.string().max(4_096);
const KINDS = ["ingest-started", "publisher-active", "ingest-held", "hold-set", "target-status"];
const fact = z.looseObject({ kind: text, time, channelId: text });
const interruptions = z.looseObject({
  list: z.array(z.looseObject({ time, durationMs: count, reason: text })).max(1_000),
  count,
});
const drops = z.looseObject({ overTime: count, overBytes: count, untilKeyframe: count });
const moved = z.looseObject({
  broadcast: z.looseObject({
    channelId: text,
    // A newer node may keep facts that this one does not know: the broadcast goes on without them.
    facts: z
      .array(fact)
      .max(2_000)
      .transform((facts) => facts.filter(({ kind }) => KINDS.includes(kind)))
      .refine((facts) => facts.length > 0),
  }),
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
  // Without it the broadcast goes on all the same.
  told: z.looseObject({ key: text, rank: count, quietMs: count }).optional().catch(undefined),
});

export type ChannelMovesDeps = {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  readonly log: Log;
  /** The nodes that take channels of this one. */
  readonly takers: Pick<Takers, "ranked" | "took">;
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
  /** Whether the platforms of a channel are held while its encoder is away. Never rejects. */
  readonly isHeldOnLoss: (channelId: ChannelId) => Promise<boolean>;
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
  /** Where the channels go that are being moved; undefined: to the best taker. */
  #to: Incarnation | undefined;

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

  /** Asks the owner of a channel for its broadcast. Never rejects. */
  async fetch(owner: Pick<KnownOwner, "channelId" | "epoch" | "incarnation">): Promise<GivenBroadcast> {
    const { channelId, epoch, incarnation } = owner;
    const request = { op: "hand-over", channelId, epoch };
    const reply = await this.#deps.bus.request(subjectsOf(incarnation).rpc, request, GIVE_MS);
    if (reply.kind !== "reply") return "no-reply";
    const given = movedFrom(reply.message["given"]);
    return given?.broadcast.channelId === channelId ? given : undefined;
  }

  /**
   * Moves a channel of this node to the node `to`, or to the best node. Resolves with false where it stays. Never rejects.
   */
  move(channelId: ChannelId, to?: Incarnation): Promise<boolean> {
    const present = this.#moves.get(channelId);
    if (present !== undefined) return present;
    const move = this.#move(channelId, to).finally(() => this.#moves.delete(channelId));
    this.#moves.set(channelId, move);
    return move;
  }

  /**
   * Frees this node of a channel before its process ends. An encoder of another node stays connected, and the broadcast
   * moves. An encoder of this node has to connect again in any case, to any node. Where the platforms are held meanwhile and
   * another node was upgraded already, the broadcast moves there: wherever the encoder comes to, and whichever node ends
   * next, the platforms keep that node. Otherwise the encoder is disconnected and brings the broadcast along: platforms that
   * are not held would be interrupted twice by a move. Never rejects.
   */
  async leave(channelId: ChannelId): Promise<void> {
    const { isFedElsewhere, isHeldOnLoss, takers, disconnect } = this.#deps;
    const isMoving =
      isFedElsewhere(channelId) || (takers.ranked()[0]?.isUpgraded === true && (await isHeldOnLoss(channelId)));
    if (!isMoving || !(await this.move(channelId))) disconnect(channelId);
  }

  /**
   * Moves every channel that is on air here, one after another, to the node `to` or each to the best taker. Where that is
   * under way, those that are left go there.
   */
  moveAll(to?: Incarnation): void {
    this.#to = to;
    this.#all ??= this.#moveAll().finally(() => {
      this.#all = undefined;
    });
  }

  async #moveAll(): Promise<void> {
    const { prepare, onAir, done } = this.#deps;
    await prepare();
    for (const channelId of onAir().keys()) await this.move(channelId, this.#to);
    done();
  }

  async #move(channelId: ChannelId, to: Incarnation | undefined): Promise<boolean> {
    const { self, bus, onAir, takers, log } = this.#deps;
    const epoch = onAir().get(channelId);
    const taker = to ?? takers.ranked()[0]?.incarnation;
    if (epoch === undefined || taker === undefined) return false;
    const request = { op: "take", channelId, epoch, from: self };
    const reply = await bus.request(subjectsOf(taker).rpc, request, TAKE_MS);
    const isTaken = reply.kind === "reply" && reply.message["isTaken"] === true;
    if (isTaken) takers.took(taker);
    else log.warn("channel stays: the other node did not take it", { channelId, to: taker });
    return isTaken;
  }
}

/** Undefined for what another program gave that is no broadcast. */
function movedFrom(value: unknown): MovedBroadcast | undefined {
  const { data } = moved.safeParse(value);
  return isMoved(data) ? data : undefined;
}

function isMoved(value: unknown): value is MovedBroadcast {
  return moved.safeParse(value).success;
}
