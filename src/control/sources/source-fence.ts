import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { NodePeers } from "../ports/owner-question.ts";
import type { Sources } from "./sources.ts";

export type SourceFenceDeps = {
  readonly sources: Pick<Sources, "channelIds" | "plays" | "giveWay">;
  readonly peers: Pick<NodePeers, "unconfirmedMs" | "others" | "isSilent" | "abandon">;
  readonly clock: Pick<Clock, "startTimer">;
  readonly log: Log;
};

const LOOK_MS = 500;
/**
 * Without the database for this long the other processes are asked, in milliseconds. It confirms every 5 s. Another process takes a source
 * over 4 s after it has lost this one, or later, and a question takes 2 s: this one stops at most 11 s after a cut, when its
 * platforms have had two publishers for 7 s at most.
 */
const UNCONFIRMED_MS = 8_000;

/**
 * Stops the sources of this process where another one may have taken them over and this one cannot hear of it: the database is
 * away, and one of the others does not answer on any way. One that has ended, as its host says, plays nothing. An encoder decides by
 * itself where it sends, a source does not: both processes would play on.
 */
export class SourceFence {
  readonly #deps: SourceFenceDeps;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: SourceFenceDeps) {
    this.#deps = deps;
  }

  /** Looks now and again until it is stopped. Never rejects. */
  async start(): Promise<void> {
    if (await this.#isInDoubt()) this.#giveWay();
    if (!this.#isStopped) this.#timer = this.#deps.clock.startTimer(LOOK_MS, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #isInDoubt(): Promise<boolean> {
    const { peers } = this.#deps;
    if (this.#played().length === 0 || !this.#isUnconfirmed) return false;
    const silences = await Promise.all(peers.others().map((node) => peers.isSilent(node)));
    return silences.includes(true) && this.#isUnconfirmed && !this.#isStopped;
  }

  get #isUnconfirmed(): boolean {
    return this.#deps.peers.unconfirmedMs >= UNCONFIRMED_MS;
  }

  #played() {
    const { sources } = this.#deps;
    return [...sources.channelIds()].filter((channelId) => sources.plays(channelId));
  }

  #giveWay(): void {
    const { sources, peers, log } = this.#deps;
    for (const channelId of this.#played()) {
      log.warn("a source stops here: another server may have taken it over", { channelId });
      // First the links: a source that leaves would end the stream at platforms where the other process sends it by now.
      peers.abandon(channelId);
      void sources.giveWay(channelId);
    }
  }
}
