import type { Clock, Timer } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { PlacementMeter } from "../control/ports/channel-placement.ts";
import type { HostSigns, KnownOwner, OwnerAnswer, OwnerQuestion } from "../control/ports/owner-question.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import { type Answers, type Verdict, verdictOf } from "./admission-steps.ts";

const MS_PER_SECOND = 1_000;
/** A link that has taken nothing for longer may be broken by itself, in milliseconds. */
const FRESH_MS = 1_000;
/** The host and the bus have at least this long to show that they are there, in milliseconds. */
const SIGNS_MS_MIN = 150;
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
