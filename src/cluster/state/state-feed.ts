import type { Clock, Timer } from "../../base/clock.ts";
import type { SourceStatus } from "../../control/channels/source.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";
import type { IngestChecks } from "../../control/ingest-check/ingest-checks.ts";
import { BUS_MESSAGE_BYTES_MAX, type Bus, type BusMessage } from "../../control/ports/bus.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelLive } from "../../control/ports/runtime.ts";
import type { SlateState } from "../../control/ports/slate-maker.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { type NodeReport, subjectsOf } from "../node-report.ts";
import { fitted, sizeOf, type ToldChannel, tellLive, tellSource } from "./told-channel.ts";

const HEARTBEAT_MS = 2_000;
const SAMPLES_MS = 1_000;
/** A change is told after this time, with others of the same moment: the shortest that a timer can wait, in milliseconds … */
const SOON_MS = 1;
/** … and no sooner after the last message than this: further ones are gathered. In milliseconds. */
const GATHER_MS = 5;
/** Room for the rest of a message, in bytes. */
const LIST_BYTES_MAX = BUS_MESSAGE_BYTES_MAX - 1_024;
/** Channels whose state one question may ask for. */
export const STATUS_CHANNELS_MAX = 200;

/** The sources of channels that play at this node, or did last. */
export type OwnSources = {
  readonly channelIds: () => Iterable<ChannelId>;
  readonly status: (channelId: ChannelId) => SourceStatus | undefined;
  readonly slate: (channelId: ChannelId) => SlateState | undefined;
};

export type StateFeedDeps = {
  readonly self: Incarnation;
  readonly bus: Bus;
  readonly clock: Clock;
  /** The state of a channel of this node. */
  readonly live: (channelId: ChannelId) => ChannelLive | undefined;
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  readonly sources: OwnSources;
  /** The channels that this node owns, and the epoch of each. */
  readonly owned: () => ReadonlyMap<ChannelId, number>;
  /** What it says about itself. */
  readonly report: () => Omit<NodeReport, "no">;
};

/**
 * Tells the other nodes how the channels of this one are: each change at once, the counters once a second, and that it
 * lives every two seconds. Messages about changes are numbered, so that a node that missed one asks for all.
 */
export class StateFeed {
  readonly #deps: StateFeedDeps;
  readonly #subjects: ReturnType<typeof subjectsOf>;
  readonly #changed = new Map<ChannelId, number | undefined>();
  #no = 0;
  #nextTelling: Timer | undefined;
  /** When changes were told last. */
  #toldMs = Number.NEGATIVE_INFINITY;
  #timers: readonly Timer[] = [];

  constructor(deps: StateFeedDeps) {
    this.#deps = deps;
    this.#subjects = subjectsOf(deps.self);
  }

  start(): void {
    this.#beat();
    this.#repeat(0, HEARTBEAT_MS, () => this.#beat());
    this.#repeat(1, SAMPLES_MS, () => this.#tellSamples());
  }

  stop(): void {
    for (const timer of [...this.#timers, this.#nextTelling]) timer?.cancel();
    this.#timers = [];
  }

  /** Something happened to a channel of this node. */
  fact(fact: ServerFact): void {
    if (!("channelId" in fact) || fact.channelId === undefined) return;
    const isOfSource = fact.kind === "source-changed" || (fact.kind === "channel-changed" && fact.change === "deleted");
    if (isOfSource || this.#deps.owned().has(fact.channelId)) this.changed(fact.channelId);
  }

  /** The channel's state must be told again. `releasedEpoch`: that ownership has ended. */
  changed(channelId: ChannelId, releasedEpoch?: number): void {
    this.#changed.set(channelId, releasedEpoch ?? this.#changed.get(channelId));
    if (this.#nextTelling !== undefined) return;
    const { clock } = this.#deps;
    const waitMs = Math.max(SOON_MS, this.#toldMs + GATHER_MS - clock.now());
    this.#nextTelling = clock.startTimer(waitMs, () => {
      this.#nextTelling = undefined;
      this.#toldMs = clock.now();
      this.#tellChanges();
    });
  }

  /** Says at once that this node lives, and how. */
  beatNow(): void {
    this.#beat();
  }

  /** The state of these channels of this node, as far as it fits into one message. */
  status(channelIds: readonly ChannelId[]): BusMessage {
    const owned = this.#deps.owned();
    const channels = channelIds
      .slice(0, STATUS_CHANNELS_MAX)
      .flatMap((channelId) => this.#told(channelId, owned) ?? []);
    return { no: this.#no, channels: chunks(channels)[0] ?? [] };
  }

  /** A part of the state of all channels, in the order of their ids: those after `after`. `next`: more follow it. */
  snapshot(after: ChannelId | undefined): BusMessage {
    const owned = this.#deps.owned();
    const all = new Set([...owned.keys(), ...this.#deps.sources.channelIds()]);
    const ids = [...all].filter((channelId) => after === undefined || channelId > after).sort();
    const channels: ToldChannel[] = [];
    let bytes = 0;
    for (const channelId of ids) {
      const told = this.#told(channelId, owned);
      if (told === undefined) continue;
      bytes += sizeOf(told);
      const last = channels.at(-1);
      if (bytes > LIST_BYTES_MAX && last !== undefined) return { no: this.#no, channels, next: last.channelId };
      channels.push(told);
    }
    return { no: this.#no, channels };
  }

  #told(channelId: ChannelId, owned: ReadonlyMap<ChannelId, number>): ToldChannel | undefined {
    const { live: liveOf, ingestChecks, sources } = this.#deps;
    const epoch = owned.get(channelId);
    const live = epoch === undefined ? undefined : liveOf(channelId);
    const status = sources.status(channelId);
    const source = status === undefined ? {} : { source: tellSource(status) };
    if (epoch === undefined || live === undefined)
      return status === undefined ? undefined : { channelId, epoch: 0, ...source };
    const checkState = ingestChecks.state(channelId);
    const slate = sources.slate(channelId);
    const told = {
      channelId,
      epoch,
      live: tellLive(live),
      warnings: ingestChecks.warnings(channelId),
      ...(checkState === undefined ? {} : { checkState }),
      ...source,
      ...(slate === undefined ? {} : { slate }),
    };
    return fitted(told, LIST_BYTES_MAX);
  }

  #tellChanges(): void {
    const owned = this.#deps.owned();
    const told: ToldChannel[] = [];
    for (const [channelId, releasedEpoch] of this.#changed) {
      const state = this.#told(channelId, owned);
      if (state !== undefined && state.epoch > 0) told.push(state);
      else told.push({ ...state, channelId, epoch: releasedEpoch ?? 0 });
    }
    this.#changed.clear();
    for (const channels of chunks(told)) {
      this.#no += 1;
      // A message that is not sent leaves a gap, which the others notice by the next one.
      this.#deps.bus.publish(this.#subjects.state, { no: this.#no, channels });
    }
  }

  #tellSamples(): void {
    const { bus } = this.#deps;
    if (!bus.isConnected) return;
    const owned = this.#deps.owned();
    const told = [...owned.keys()].flatMap((channelId) => this.#told(channelId, owned) ?? []);
    const onAir = told.filter(({ live }) => live?.isPublishing === true);
    for (const channels of chunks(onAir)) bus.publish(this.#subjects.samples, { channels });
  }

  #beat(): void {
    const { bus, report } = this.#deps;
    if (bus.isConnected) bus.publish(this.#subjects.heartbeat, { ...report(), no: this.#no });
  }

  #repeat(index: number, everyMs: number, run: () => void): void {
    const again = () => {
      const timers = [...this.#timers];
      timers[index] = this.#deps.clock.startTimer(everyMs, () => {
        again();
        run();
      });
      this.#timers = timers;
    };
    again();
  }
}

/** Parts that fit into one message each. A channel that is too long even without its details is left out. */
function chunks(channels: readonly ToldChannel[]): readonly (readonly ToldChannel[])[] {
  const parts: ToldChannel[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const channel of channels) {
    const size = sizeOf(channel);
    if (size > LIST_BYTES_MAX) continue;
    bytes += size;
    if (bytes > LIST_BYTES_MAX) {
      parts.push([]);
      bytes = size;
    }
    parts.at(-1)?.push(channel);
  }
  return parts;
}
