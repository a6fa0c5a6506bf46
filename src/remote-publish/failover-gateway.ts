import type { Clock } from "../base/clock.ts";
import type { AdmitResult, PublisherArrival, PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { MediaMessage } from "../relay/stream/media-message.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import type { ChannelId, Latency } from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import { type Keep, KeptMedia } from "./kept-media.ts";
import type { RemoteGateway } from "./remote-publisher.ts";

/** A new owner is looked for this long, as long as a whole stream is kept. Then the encoder has to come again. In milliseconds. */
const SEARCH_MS = 3_000;
/** The pause behind the first look, and the longest; each is twice as long as the one before. In milliseconds. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 400;
/** An owner that takes nothing for this long may be gone: its platforms have nothing of what came since, in milliseconds. */
const BEHIND_MS = 60;
/** An owner that takes nothing for this long is asked whether it lives, … */
const SUSPECT_MS = 150;
/** … and again after this long, if it does. In milliseconds. */
const ASK_PAUSE_MS = 1_000;

/** A way into the channel. */
export type Way = {
  readonly gateway: PublishGateway | RemoteGateway;
  /** Of the ownership at another node; absent for one of this node. */
  readonly epoch?: number;
};

export type FailoverDeps = {
  readonly clock: Clock;
  /**
   * Finds a way into the channel by the same key, at any node; undefined where there is none now. `silence`: the present
   * way takes nothing; undefined then also where its owner is alive and still the owner. Never rejects.
   */
  readonly again: (silence?: LinkSilence) => Promise<Way | undefined>;
  /** Whether this node may give its channels away soon: their streams are kept from the next keyframe on. */
  readonly areMovesExpected: () => boolean;
  /** Whether this node gives the channel to another one now, so that an encoder which is dismissed goes on there. */
  readonly isMoving: () => boolean;
  /** The owner died or gave the channel away, and the encoder publishes on. */
  readonly onFailover: () => void;
  /** The encoder has left, or must. */
  readonly onOver?: () => void;
};

/**
 * The way of an encoder into a channel that another node owns, or may own later. If that node dies, falls silent and no
 * longer owns the channel, or gives it away, the encoder stays connected: its stream goes on at the channel's next node, from
 * the last keyframe on.
 */
export class FailoverGateway implements PublishGateway {
  readonly channelId: ChannelId;
  readonly #deps: FailoverDeps;
  readonly #kept = new KeptMedia();
  #gateway: PublishGateway | RemoteGateway;
  #arrival: PublisherArrival | undefined;
  #handle: PublisherHandle | undefined;
  #isOver = false;
  /** The present owner's, at another node. */
  #epoch: number | undefined;
  #isAsking = false;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor({ gateway, epoch }: Way, deps: FailoverDeps) {
    this.channelId = gateway.channelId;
    this.#gateway = gateway;
    this.#epoch = epoch;
    this.#deps = deps;
  }

  get latency(): Latency {
    return this.#gateway.latency;
  }

  get isFull(): boolean {
    return this.#gateway.isFull;
  }

  /** An owner that ends between its answer and this one is replaced, as later. */
  async tryAdmit(): Promise<AdmitResult> {
    const untilMs = this.#deps.clock.awakeNow() + SEARCH_MS;
    let result = await this.#gateway.tryAdmit();
    const isLate = this.#deps.clock.awakeNow() >= untilMs;
    if (result !== "unavailable" || this.#epoch === undefined || isLate) return result;
    await this.#search(untilMs, async ({ gateway, epoch }) => {
      this.#gateway.leave();
      this.#gateway = gateway;
      this.#epoch = epoch;
      result = await gateway.tryAdmit();
      return result !== "unavailable";
    });
    return result;
  }

  open(arrival: PublisherArrival): PublisherHandle | undefined {
    if (this.#isOver) return undefined;
    this.#arrival = arrival;
    this.#handle = this.#openIn(this.#gateway, arrival);
    if (this.#handle === undefined) return undefined;
    return { push: (message) => this.#push(message), end: (end) => this.#end(end) };
  }

  flush(): void {
    this.#gateway.flush();
  }

  leave(): void {
    this.#gateway.leave();
    this.#deps.onOver?.();
  }

  /**
   * The encoder's key is none of the channel's any more. Another node, which owns the channel, may be cut off and not hear of it. Where
   * this node owns it, its relay lets the encoder go.
   */
  revoke(): void {
    if (this.#epoch === undefined) return;
    this.#handle?.end("ended");
    this.#giveUp();
  }

  #push(message: MediaMessage): void {
    if (this.#isOver) return;
    const nowMs = this.#deps.clock.now();
    const gateway = this.#gateway;
    const untakenMs = this.#epoch !== undefined && "untakenMs" in gateway ? gateway.untakenMs : 0;
    this.#kept.take(message, nowMs, this.#keep(untakenMs));
    this.#handle?.push(message);
    if (this.#epoch === undefined || !("untakenMs" in gateway) || untakenMs < SUSPECT_MS) return;
    if (!this.#isAsking && nowMs - this.#askedMs >= ASK_PAUSE_MS) void this.#suspect(gateway, this.#epoch);
  }

  /** Another node may die at any time. This one gives a channel away on purpose. */
  #keep(untakenMs: number): Keep {
    if (this.#handle === undefined || untakenMs >= BEHIND_MS) return "all";
    return this.#epoch !== undefined || this.#deps.areMovesExpected() ? "group" : "headers";
  }

  #end(end: IngestEnd): void {
    this.#isOver = true;
    this.#deps.onOver?.();
    this.#handle?.end(end);
  }

  #openIn(gateway: PublishGateway, arrival: PublisherArrival): PublisherHandle | undefined {
    return gateway.open({ ...arrival, onDismissed: () => this.#dismissed(gateway, arrival) });
  }

  #dismissed(gateway: PublishGateway | RemoteGateway, arrival: PublisherArrival): void {
    if (gateway !== this.#gateway || this.#isOver) return;
    this.#handle = undefined;
    const wasLost = "wasLost" in gateway && gateway.wasLost;
    if (!wasLost && !this.#deps.isMoving()) return this.#giveUp();
    void this.#failOver(arrival);
    // It may have been full.
    arrival.onRoom();
  }

  /** The owner is asked by the way of every visitor. This ends the present way only where the channel has another owner. */
  async #suspect(silent: RemoteGateway, epoch: number): Promise<void> {
    this.#isAsking = true;
    const way = await this.#deps.again({ epoch, silentMs: silent.untakenMs });
    this.#isAsking = false;
    this.#askedMs = this.#deps.clock.now();
    if (way === undefined) return;
    const arrival = this.#arrival;
    // The encoder left, or the way broke and a new one is looked for already.
    if (arrival === undefined || this.#isOver || this.#handle === undefined) return way.gateway.leave();
    this.#handle = undefined;
    silent.abandon();
    // It may have been full.
    arrival.onRoom();
    if (!(await this.#enter(way, arrival))) await this.#failOver(arrival);
  }

  async #failOver(arrival: PublisherArrival): Promise<void> {
    const untilMs = this.#deps.clock.awakeNow() + SEARCH_MS;
    if (!(await this.#search(untilMs, (way) => this.#enter(way, arrival)))) this.#giveUp();
  }

  /** Looks for a way that `enter` takes. Returns whether there was one in time. */
  async #search(untilMs: number, enter: (way: Way) => Promise<boolean>): Promise<boolean> {
    const { clock, again } = this.#deps;
    for (let pauseMs = PAUSE_MS; !this.#isOver; pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
      const way = await again();
      if (way !== undefined && (await enter(way))) return true;
      if (clock.awakeNow() + pauseMs > untilMs) return false;
      await new Promise<void>((resolve) => clock.startTimer(pauseMs, resolve));
    }
    return false;
  }

  /** The stream goes on by this way. Returns false where it is not taken there. */
  async #enter({ gateway, epoch }: Way, arrival: PublisherArrival): Promise<boolean> {
    const isAdmitted = (await gateway.tryAdmit()) === "admitted";
    if (!isAdmitted || this.#isOver) {
      gateway.leave();
      return false;
    }
    this.#gateway = gateway;
    this.#epoch = epoch;
    this.#handle = this.#openIn(gateway, { ...arrival, isGoingOn: true });
    if (this.#handle === undefined) return false;
    for (const message of this.#kept.messages(this.#deps.clock.now())) this.#handle?.push(message);
    gateway.flush();
    this.#deps.onFailover();
    return true;
  }

  #giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deps.onOver?.();
    this.#arrival?.onDismissed();
  }
}
