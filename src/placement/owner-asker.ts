import type { Clock, Timer } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { PlacementMeter } from "../control/ports/channel-placement.ts";
import type { HostSigns, KnownOwner, OwnerAnswer, OwnerQuestion } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { type Answers, type Verdict, verdictOf } from "./admission-steps.ts";
import type { KnownOwnerships } from "./known-ownerships.ts";
import type { NodeDirectory } from "./node-directory.ts";

const MS_PER_SECOND = 1_000;
/** A link that has taken nothing for longer may be broken by itself, in milliseconds. */
const FRESH_MS = 1_000;
/** The host and the bus have at least this long to show that they are there, in milliseconds. */
const SIGNS_MS_MIN = 150;
/** What an owner said, or that it said nothing, counts for this long, in milliseconds: then it is asked anew. */
const COUNTS_MS = 100;
const SLICE_MS = 20;
/** A timer of a loaded machine may be so late, in milliseconds. */
const SLICE_MS_MAX = 3 * SLICE_MS;

export type OwnerAskerDeps = {
  readonly clock: Pick<Clock, "startTimer" | "now" | "awakeNow">;
  readonly link: OwnerQuestion;
  readonly bus: OwnerQuestion;
  readonly host: HostSigns;
  /** How long an owner has to answer while this node runs, in milliseconds. */
  readonly silentMs: number;
  /** How long the host of an owner may be silent on every way, in milliseconds. */
  readonly hostSilentMs: number;
  readonly meter: PlacementMeter;
};

/** `epoch`: the owner's, as it says itself. */
export type Asked = { readonly verdict: Exclude<Verdict, "wait">; readonly epoch: number };

/** Asks the owner of a channel on both ways at once, and judges as soon as the answers allow it. */
export class OwnerAsker {
  readonly #deps: OwnerAskerDeps;

  constructor(deps: OwnerAskerDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves at the latest when the owner's time is over. Never rejects. `silence`: the asking visitor has a link to the owner,
   * which worked until a moment ago. `over`: ends the question, which then stays without an answer.
   */
  ask(owner: KnownOwner, silence?: LinkSilence, over?: AbortSignal): Promise<Asked> {
    const { clock, link, bus, silentMs, meter } = this.#deps;
    const askedMs = clock.now();
    return new Promise((resolve) => {
      const ending = new AbortController();
      let answers: Answers = {};
      const judge = (silent?: "owner" | "host") => {
        if (ending.signal.aborted) return;
        const verdict = verdictOf(answers, owner, silent !== undefined);
        if (verdict === "wait") return;
        timer.cancel();
        ending.abort();
        if (silent !== undefined && verdict === "claim") meter.ownerSilent(silent);
        const epoch = answers.link?.kind === "owner" ? answers.link.epoch : owner.epoch;
        resolve({ verdict, epoch });
      };
      const timer = startDeadline(clock, silentMs, () => judge("owner"));
      const take = (way: keyof Answers) => (answer: OwnerAnswer) => {
        if (answers[way] !== undefined) return;
        answers = { ...answers, [way]: answer };
        const hasAnswered = answer.kind === "owner" || answer.kind === "not-owner";
        if (hasAnswered) meter.answered(way, (clock.now() - askedMs) / MS_PER_SECOND);
        judge();
      };
      const askBus = () => void bus.ask(owner, ending.signal).then(take("bus"));
      void link.ask(owner, ending.signal).then((answer) => {
        take("link")(answer);
        // The first question may have reached the process as it died; by now the bus knows that nobody is there.
        if (answer.kind === "gone" && answers.bus === undefined) askBus();
      });
      askBus();
      over?.addEventListener("abort", () => {
        timer.cancel();
        ending.abort();
      });
      if (silence?.epoch !== owner.epoch || silence.silentMs > FRESH_MS) return;
      void this.#watchHost(owner, silence.silentMs, ending.signal, () => {
        if (answers.link === undefined && answers.bus === undefined) judge("host");
      });
    });
  }

  /**
   * Calls `onSilent` where the host accepts and refuses no connection, while the bus replies to this node. The host of a process
   * that stands still accepts. A node that is cut off itself hears no bus. An owner that only this node cannot reach answers
   * over the bus; should it stand still just then, it has its full time, unless the link broke less than `FRESH_MS` before.
   */
  async #watchHost(owner: KnownOwner, silentMs: number, over: AbortSignal, onSilent: () => void): Promise<void> {
    const { clock, host, hostSilentMs } = this.#deps;
    const askedMs = clock.now();
    const { reached } = await host.probe(owner, over);
    if (over.aborted) return;
    const wantedMs = Math.max(SIGNS_MS_MIN, hostSilentMs - silentMs - (clock.now() - askedMs));
    let isTimeUp = false;
    const pass = (delayMs: number) =>
      new Promise<void>((resolve) => {
        const timer = startSlicedDeadline(clock, delayMs, resolve);
        over.addEventListener("abort", () => timer.cancel(), { once: true });
        void reached.then(() => timer.cancel());
      });
    const signsTime = pass(wantedMs).then(() => {
      isTimeUp = true;
    });
    await host.busHeard();
    if (over.aborted) return;
    // What came with a late reply of the bus is read first.
    if (isTimeUp) await pass(SLICE_MS);
    await signsTime;
    onSilent();
  }
}

/**
 * Calls `run` once, when so much time has passed in short slices. While this thread is busy for longer than a slice, little counts,
 * and what came meanwhile is read before the next one: `startDeadline` counts pauses of up to half a second.
 */
function startSlicedDeadline(clock: Pick<Clock, "now" | "startTimer">, delayMs: number, run: () => void): Timer {
  let countedMs = 0;
  let lookedMs = clock.now();
  const look = () => {
    const nowMs = clock.now();
    countedMs += Math.min(SLICE_MS_MAX, nowMs - lookedMs);
    lookedMs = nowMs;
    if (countedMs >= delayMs) run();
    else timer = start();
  };
  const start = () => clock.startTimer(Math.min(SLICE_MS, delayMs - countedMs), look);
  let timer = start();
  return { cancel: () => timer.cancel() };
}

export type EarlyQuestionsDeps = {
  readonly self: Incarnation;
  readonly known: Pick<KnownOwnerships, "get">;
  readonly nodes: Pick<NodeDirectory, "stateOf" | "knownAddressOf">;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /** How often this node has stood still so far. */
  readonly wakes: () => number;
};

type Early = {
  readonly owner: KnownOwner;
  readonly wakes: number;
  readonly answer: Promise<Asked>;
  readonly ending: AbortController;
  answeredMs: number | undefined;
  /** Forgets an answer that nobody took. */
  timer: Timer | undefined;
};

/**
 * Questions to the owners that this node knows of, asked while the database is still being asked who owns the channel. What
 * is known is nearly always right; an answer counts only where the database then names that same ownership.
 */
export class EarlyQuestions {
  readonly #deps: EarlyQuestionsDeps;
  readonly #asked = new Map<ChannelId, Early>();

  constructor(deps: EarlyQuestionsDeps) {
    this.#deps = deps;
  }

  /**
   * Asks the owner that is known of a channel. Does nothing where none is known, or that owner is being asked. `silence`: as for
   * `OwnerAsker.ask`.
   */
  begin(channelId: ChannelId, silence?: LinkSilence): void {
    const owner = this.#ownerOf(channelId);
    const present = this.#asked.get(channelId);
    if (present !== undefined) {
      if (owner !== undefined && isSame(present.owner, owner)) return;
      this.end(channelId);
    }
    if (owner === undefined) return;
    const { clock, asker, wakes } = this.#deps;
    const ending = new AbortController();
    const answer = asker.ask(owner, silence, ending.signal);
    const early: Early = { owner, wakes: wakes(), answer, ending, answeredMs: undefined, timer: undefined };
    this.#asked.set(channelId, early);
    void answer.then(() => {
      early.answeredMs = clock.now();
      if (this.#asked.get(channelId) !== early) return;
      early.timer = clock.startTimer(COUNTS_MS, () => this.#asked.delete(channelId));
    });
  }

  /**
   * The answer to a question that was asked of this owner, for one caller. Undefined where none was asked, the answer is too
   * old, or this node stood still meanwhile.
   */
  take(owner: KnownOwner): Promise<Asked> | undefined {
    const early = this.#asked.get(owner.channelId);
    if (early === undefined) return undefined;
    const { clock, wakes } = this.#deps;
    const isOld = early.answeredMs !== undefined && clock.now() - early.answeredMs > COUNTS_MS;
    if (isOld || !isSame(early.owner, owner) || early.wakes !== wakes()) {
      this.end(owner.channelId);
      return undefined;
    }
    this.#forget(owner.channelId, early);
    return early.answer;
  }

  /** The answer about this channel is not wanted. */
  end(channelId: ChannelId): void {
    const early = this.#asked.get(channelId);
    if (early === undefined) return;
    this.#forget(channelId, early);
    early.ending.abort();
  }

  #forget(channelId: ChannelId, { timer }: Early): void {
    this.#asked.delete(channelId);
    timer?.cancel();
  }

  #ownerOf(channelId: ChannelId): KnownOwner | undefined {
    const { self, known, nodes } = this.#deps;
    const { epoch, owner } = known.get(channelId) ?? { epoch: 0 };
    if (owner === undefined || owner.incarnation === self || nodes.stateOf(owner.incarnation) === "left")
      return undefined;
    const address = nodes.knownAddressOf(owner.incarnation, owner.home);
    return address === undefined ? undefined : { channelId, epoch, ...owner, address };
  }
}

function isSame(one: KnownOwner, other: KnownOwner): boolean {
  return one.epoch === other.epoch && one.incarnation === other.incarnation && one.address === other.address;
}
