import type { Clock } from "../../base/clock.ts";
import { NewWallSteps } from "../../base/wall-steps.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import { movedFact, movedIngest } from "./present-times.ts";
import type { ServerFact } from "./server-fact.ts";

type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

/** A broadcast under way, as another process needs it to go on with its state. Plain data. */
export type RunningBroadcast = {
  readonly channelId: ChannelId;
  /** Facts from which the present state follows, in the order in which they happened. The first begins the broadcast. */
  readonly facts: readonly Fact[];
  /** The last sample, as the media thread counted; absent before the first. */
  readonly sample?: ChannelSample;
};

type Entry = {
  readonly first: FactOf<"ingest-started">;
  /** Encoders that are connected, beside the first one. */
  readonly others: Map<number, FactOf<"ingest-started">>;
  active: FactOf<"publisher-active"> | undefined;
  held: FactOf<"ingest-held"> | undefined;
  holdSet: FactOf<"hold-set"> | undefined;
  recording: FactOf<"recording-status"> | undefined;
  /** Of each target the last status that was no attempt, with what READY followed, and behind it the attempt that runs. */
  readonly statuses: Map<TargetId, readonly FactOf<"target-status">[]>;
  sample: ChannelSample | undefined;
};

/**
 * Remembers of each broadcast on air what another process needs to go on with its state: a few facts, whatever has
 * happened since it began. Their times follow the present wall clock.
 */
export class RunningBroadcasts {
  readonly #broadcasts = new Map<ChannelId, Entry>();
  readonly #clockSteps: NewWallSteps;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clockSteps = new NewWallSteps(clock);
  }

  get channelIds(): readonly ChannelId[] {
    return [...this.#broadcasts.keys()];
  }

  fact(fact: ServerFact): void {
    this.#followClock();
    if (fact.kind === "channel-changed" && fact.change === "target-removed" && fact.target !== undefined) {
      this.#broadcasts.get(fact.channelId)?.statuses.delete(fact.target.targetId);
    }
    if (fact.kind === "ingest-started") return this.#started(fact);
    if (!("channelId" in fact) || fact.channelId === undefined) return;
    const broadcast = this.#broadcasts.get(fact.channelId);
    if (broadcast !== undefined) this.#take(broadcast, fact);
  }

  /** Goes on with broadcasts that another process of this server began. */
  resume(broadcasts: readonly RunningBroadcast[]): void {
    for (const { facts, sample } of broadcasts) {
      const [first, ...others] = facts;
      if (first !== undefined) this.fact(first);
      if (sample !== undefined) this.samples([sample]);
      for (const fact of others) this.fact(fact);
    }
  }

  /** The samples as media threads counted them. */
  samples(samples: readonly ChannelSample[]): void {
    this.#followClock();
    for (const sample of samples) {
      const broadcast = this.#broadcasts.get(sample.channelId);
      if (broadcast !== undefined) broadcast.sample = sample;
    }
  }

  /** All broadcasts on air. */
  list(): readonly RunningBroadcast[] {
    this.#followClock();
    return [...this.#broadcasts].map(
      ([channelId, { first, others, active, held, holdSet, recording, statuses, sample }]) => {
        const later = [...others.values(), active, held, holdSet, recording].filter((fact) => fact !== undefined);
        const facts = [first, ...later, ...[...statuses.values()].flat()];
        return { channelId, facts, ...(sample === undefined ? {} : { sample }) };
      },
    );
  }

  #followClock(): void {
    const stepMs = this.#clockSteps.take();
    if (stepMs === 0) return;
    for (const [channelId, entry] of this.#broadcasts) this.#broadcasts.set(channelId, movedEntry(entry, stepMs));
  }

  #started(fact: FactOf<"ingest-started">): void {
    const present = this.#broadcasts.get(fact.channelId);
    if (present !== undefined) {
      present.others.set(fact.ingestId, fact);
      return;
    }
    const nothing = { active: undefined, held: undefined, holdSet: undefined, recording: undefined, sample: undefined };
    this.#broadcasts.set(fact.channelId, { first: fact, others: new Map(), statuses: new Map(), ...nothing });
  }

  #take(broadcast: Entry, fact: ServerFact): void {
    switch (fact.kind) {
      case "publisher-active":
        broadcast.active = fact;
        broadcast.held = undefined;
        broadcast.holdSet = undefined;
        return;
      case "ingest-held":
        broadcast.held = fact;
        return;
      case "hold-set":
        broadcast.holdSet = fact;
        return;
      case "recording-status":
        broadcast.recording = fact;
        return;
      case "target-status":
        // A target that never began has no state.
        if (fact.status.status !== "READY" || hasBegun(broadcast, fact.targetId)) noteStatus(broadcast, fact);
        return;
      case "ingest-ended":
        broadcast.others.delete(fact.ingestId);
        if (fact.isBroadcastOver) this.#broadcasts.delete(fact.channelId);
        return;
      default:
        // Other facts leave no state behind.
        return;
    }
  }
}

/** The same broadcast by a wall clock that was set. */
function movedEntry(
  { first, others, active, held, holdSet, recording, statuses, sample }: Entry,
  stepMs: number,
): Entry {
  return {
    first: movedFact(first, stepMs),
    others: new Map([...others].map(([ingestId, fact]) => [ingestId, movedFact(fact, stepMs)])),
    active: active && movedFact(active, stepMs),
    held: held && movedFact(held, stepMs),
    holdSet: holdSet && movedFact(holdSet, stepMs),
    recording: recording && movedFact(recording, stepMs),
    statuses: new Map(
      [...statuses].map(([targetId, facts]) => [targetId, facts.map((fact) => movedFact(fact, stepMs))]),
    ),
    sample: sample && { ...sample, ingest: movedIngest(sample.ingest, stepMs) },
  };
}

function hasBegun({ statuses, sample }: Entry, targetId: TargetId): boolean {
  return statuses.has(targetId) || sample?.targets.some((target) => target.targetId === targetId) === true;
}

function noteStatus({ statuses }: Entry, fact: FactOf<"target-status">): void {
  const before = statuses.get(fact.targetId) ?? [];
  switch (fact.status.status) {
    case "CONNECTING":
      statuses.set(fact.targetId, [...settledIn(before), fact]);
      return;
    case "READY":
      // READY says nothing about a target that never began.
      statuses.set(fact.targetId, [...before.filter(({ status }) => status.status !== "READY").slice(0, 1), fact]);
      return;
    default:
      statuses.set(fact.targetId, [fact]);
  }
}

/** READY is what a target begins with: it need not be told. */
function settledIn(facts: readonly FactOf<"target-status">[]): readonly FactOf<"target-status">[] {
  const settled = facts.findLast(({ status }) => status.status !== "CONNECTING");
  return settled === undefined || settled.status.status === "READY" ? [] : [settled];
}
