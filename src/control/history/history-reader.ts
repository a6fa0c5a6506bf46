import type { Clock } from "../../base/clock.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { HistoryBlock, HistoryStep, HistoryStore } from "./history.ts";
import type { HistoryWriter } from "./history-writer.ts";

/** The most points of one answer. */
const POINTS_MAX = 3_600;
/** About how many points an answer has where no step is asked for. */
const POINTS_USUAL = 300;
const HOUR_MS = 60 * 60 * 1_000;
/** The longest range that is read in seconds, in milliseconds; longer ones are read in minutes. */
const SECONDS_RANGE_MS = 2 * HOUR_MS;
const MINUTE_SECONDS = 60;
/** The longest range that can be read, in milliseconds. */
const RANGE_MS_MAX = 31 * 24 * HOUR_MS;

export type HistoryQuery = {
  /** Milliseconds since the Unix epoch. Absent: when the present broadcast began, or an hour ago. */
  readonly from?: number | undefined;
  /** Absent: now. */
  readonly to?: number | undefined;
  /** Seconds that a point stands for; absent: chosen so that there are some hundred points. */
  readonly step?: number | undefined;
};

/** What is not stored yet of a channel on air: when its broadcast began, and its blocks, oldest first. */
export type UnstoredHistory = { readonly startTime: number; readonly blocks: readonly HistoryBlock[] };

/** Asks the node that owns a channel; undefined where none does, or it does not answer. Never rejects. */
export type AskElsewhere = (channelId: ChannelId) => Promise<UnstoredHistory | undefined>;

type Points = readonly (number | null)[];

/** One value for each step; `null` where nothing is known: off air, or the target did not exist. */
export type HistoryAnswer = {
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  /** Means, in bytes a second. */
  readonly ingestRates: Points;
  readonly targets: readonly {
    readonly targetId: TargetId;
    readonly rates: Points;
    /** The largest value within the step, in milliseconds. */
    readonly queueMs: Points;
    /** The number within the step. */
    readonly drops: Points;
    readonly retries: Points;
  }[];
};

/** Reads the history of a channel, stored or not yet, as one line of points. */
export class HistoryReader {
  readonly #store: HistoryStore;
  readonly #writer: HistoryWriter;
  readonly #clock: Clock;
  readonly #elsewhere: AskElsewhere;

  /** `elsewhere`: where several nodes share the database. */
  constructor(
    store: HistoryStore,
    writer: HistoryWriter,
    clock: Clock,
    elsewhere: AskElsewhere = async () => undefined,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#clock = clock;
    this.#elsewhere = elsewhere;
  }

  async read(channelId: ChannelId, query: HistoryQuery): Promise<HistoryAnswer> {
    const to = query.to ?? Math.round(this.#clock.wallNow());
    const began = this.#writer.startOf(channelId);
    const told = began === undefined ? await this.#elsewhere(channelId) : undefined;
    const wanted = query.from ?? began ?? told?.startTime ?? to - HOUR_MS;
    const from = Math.min(to, Math.max(wanted, to - RANGE_MS_MAX));
    const rangeMs = to - from;
    const isLong = rangeMs > SECONDS_RANGE_MS;
    const finest = Math.max(isLong ? MINUTE_SECONDS : 1, Math.ceil(rangeMs / 1_000 / POINTS_MAX));
    const usual = Math.ceil(rangeMs / 1_000 / POINTS_USUAL);
    const stepSeconds = Math.max(finest, query.step ?? usual);
    const step: HistoryStep = stepSeconds < MINUTE_SECONDS ? "second" : "minute";
    const blocks = await this.#blocks(channelId, step, { from, to }, told?.blocks ?? []);
    return { from, to, stepSeconds, ...pointsOf(blocks, from, to, stepSeconds) };
  }

  /** Seconds that are no longer kept are read as minutes. */
  async #blocks(
    channelId: ChannelId,
    step: HistoryStep,
    { from, to }: { readonly from: number; readonly to: number },
    told: readonly HistoryBlock[],
  ): Promise<readonly HistoryBlock[]> {
    const read = async (each: HistoryStep) => {
      // Memory first: what is written meanwhile is then in both rather than in neither.
      const unstored = [...this.#writer.unstored(channelId, each), ...told.filter((block) => block.step === each)];
      const stored = await this.#store.readBlocks(channelId, each, from, to);
      const starts = new Set(unstored.map(({ times }) => times[0]));
      return [...stored.filter(({ times }) => !starts.has(times[0])), ...unstored];
    };
    const minutes = await read("minute");
    const running = this.#writer.running(channelId, "second") ?? told.findLast((block) => block.step === "second");
    if (step === "minute") return running === undefined ? minutes : [...minutes, running];
    const seconds = await read("second");
    const firstSecond = Math.min(...seconds.map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
    return [...minutes.map((block) => before(block, firstSecond)), ...seconds];
  }
}

/** The values of a block up to a time. */
function before(block: HistoryBlock, time: number): HistoryBlock {
  const count = block.times.filter((each) => each < time).length;
  if (count === block.times.length) return block;
  const cut = (values: readonly number[]) => values.slice(0, count);
  return {
    ...block,
    times: cut(block.times),
    ingestRates: cut(block.ingestRates),
    targets: block.targets.map(({ targetId, rates, queueMs, drops, retries }) => ({
      ...{ targetId, rates: cut(rates), queueMs: cut(queueMs), drops: cut(drops), retries: cut(retries) },
    })),
  };
}

type How = "mean" | "most" | "sum";

/** Collects the values of each step. */
class Line {
  readonly #values: (number | null)[];
  readonly #counts: number[];
  readonly #how: How;

  constructor(count: number, how: How) {
    this.#values = new Array<number | null>(count).fill(null);
    this.#counts = new Array<number>(count).fill(0);
    this.#how = how;
  }

  add(index: number, value: number): void {
    const present = this.#values[index] ?? 0;
    this.#values[index] = this.#how === "most" ? Math.max(present, value) : present + value;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  get points(): Points {
    if (this.#how !== "mean") return this.#values;
    return this.#values.map((value, index) => (value === null ? null : Math.round(value / (this.#counts[index] ?? 1))));
  }
}

type TargetLines = { readonly rates: Line; readonly queueMs: Line; readonly drops: Line; readonly retries: Line };

function pointsOf(
  blocks: readonly HistoryBlock[],
  from: number,
  to: number,
  stepSeconds: number,
): Pick<HistoryAnswer, "ingestRates" | "targets"> {
  const count = Math.floor((to - from) / (stepSeconds * 1_000)) + 1;
  const ingest = new Line(count, "mean");
  const lines = new Map<TargetId, TargetLines>();
  const linesOf = (targetId: TargetId) => {
    const known = lines.get(targetId);
    if (known !== undefined) return known;
    const made = {
      rates: new Line(count, "mean"),
      queueMs: new Line(count, "most"),
      drops: new Line(count, "sum"),
      retries: new Line(count, "sum"),
    };
    lines.set(targetId, made);
    return made;
  };
  for (const { times, ingestRates, targets } of blocks) {
    for (const [at, time] of times.entries()) {
      if (time < from || time > to) continue;
      const index = Math.floor((time - from) / (stepSeconds * 1_000));
      ingest.add(index, ingestRates[at] ?? 0);
      for (const target of targets) {
        const { rates, queueMs, drops, retries } = linesOf(target.targetId);
        rates.add(index, target.rates[at] ?? 0);
        queueMs.add(index, target.queueMs[at] ?? 0);
        drops.add(index, target.drops[at] ?? 0);
        retries.add(index, target.retries[at] ?? 0);
      }
    }
  }
  return {
    ingestRates: ingest.points,
    targets: [...lines].map(([targetId, { rates, queueMs, drops, retries }]) => ({
      ...{ targetId, rates: rates.points, queueMs: queueMs.points, drops: drops.points, retries: retries.points },
    })),
  };
}
