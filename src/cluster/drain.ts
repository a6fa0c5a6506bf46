import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";

/** How often it is looked whether all broadcasts are over, in milliseconds. */
const LOOK_MS = 1_000;
/**
 * A load balancer asks once a second whether a node is ready, and believes its second refusal. Until it has, encoders still
 * come, and the node takes them as before. In milliseconds.
 */
const NOTICE_MS = 4_000;
/** The share of the channels that is cut within a second once the time is over. */
const CUT_SHARE = 0.05;

export type DrainDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** How long broadcasts may go on, in milliseconds. */
  readonly drainMs: number;
  /** From now on this node takes no new channels. Never rejects. */
  readonly begin: () => Promise<void>;
  /** The channels of this node that are on air. */
  readonly onAir: () => readonly ChannelId[];
  /** How many encoders are connected here whose channels other nodes own. They are lost when this process ends. */
  readonly relayed: () => number;
  /** Brings a broadcast to another node, or disconnects its encoders, which come back to another one. Never rejects. */
  readonly cut: (channelId: ChannelId) => void | Promise<void>;
};

/**
 * Empties a node: it is not ready for encoders, soon takes no new channels, its broadcasts and those that it passes on to
 * other nodes go on until they end, and what is left when the time is over goes to other nodes, a few channels each second,
 * so that they are not overrun.
 */
export class Drain {
  readonly #deps: DrainDeps;
  readonly #emptied = Promise.withResolvers<void>();
  #endMs: number | undefined;
  #endTime: number | undefined;
  #perLook = 0;
  /** Channels that were cut and may be held still. */
  readonly #cut = new Set<ChannelId>();
  #timer: Timer | undefined;

  constructor(deps: DrainDeps) {
    this.#deps = deps;
  }

  /** When what is left is cut, milliseconds since the Unix epoch; undefined while it does not drain. */
  get endTime(): number | undefined {
    return this.#endTime;
  }

  get isDraining(): boolean {
    return this.#endTime !== undefined;
  }

  /** Begins, if it has not begun. */
  start(): void {
    const { clock, drainMs, onAir, log } = this.#deps;
    if (this.#endTime !== undefined) return;
    this.#endTime = clock.wallNow() + drainMs;
    this.#endMs = clock.now() + drainMs;
    log.info("draining", { onAir: onAir().length, seconds: drainMs / 1_000 });
    this.#timer = clock.startTimer(Math.min(NOTICE_MS, drainMs), () => void this.#begin());
  }

  /** Starts, and resolves once nothing is on air here and, while there is time, nothing is passed on. */
  async empty(): Promise<void> {
    this.start();
    await this.#emptied.promise;
  }

  /** Looks no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  async #begin(): Promise<void> {
    await this.#deps.begin();
    this.#look();
  }

  #look(): void {
    const { clock, onAir, relayed, log } = this.#deps;
    const left = onAir();
    const isTimeOver = clock.now() >= (this.#endMs ?? 0);
    if (left.length === 0 && (isTimeOver || relayed() === 0)) {
      log.info("drained");
      return this.#emptied.resolve();
    }
    if (isTimeOver) this.#cutSome(left);
    this.#timer = clock.startTimer(LOOK_MS, () => this.#look());
  }

  /** A channel that was cut may be held until its encoder is at another node: the others come first. */
  #cutSome(left: readonly ChannelId[]): void {
    const { cut, log } = this.#deps;
    if (this.#perLook === 0) {
      log.warn("the time to drain is over: broadcasts move or are cut", { onAir: left.length });
      this.#perLook = Math.max(1, Math.ceil(left.length * CUT_SHARE));
    }
    if (left.every((channelId) => this.#cut.has(channelId))) this.#cut.clear();
    for (const channelId of left.filter((each) => !this.#cut.has(each)).slice(0, this.#perLook)) {
      this.#cut.add(channelId);
      void cut(channelId);
    }
  }
}
