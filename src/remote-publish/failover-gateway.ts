import type { Clock } from "../base/clock.ts";
import type { AdmitResult, PublisherArrival, PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { MediaMessage } from "../relay/stream/media-message.ts";
import type { ChannelId, Latency } from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import { KeptMedia } from "./kept-media.ts";
import type { RemoteGateway } from "./remote-publisher.ts";

/** A new owner is looked for this often, with this pause, in milliseconds. Then the encoder has to come again. */
const TRIES_MAX = 4;
const PAUSE_MS = 250;

export type FailoverDeps = {
  readonly clock: Clock;
  /** Finds a way into the channel by the same key, at whatever node; undefined where there is none now. Never rejects. */
  readonly again: () => Promise<PublishGateway | RemoteGateway | undefined>;
  /** The owner died, and the encoder publishes on. */
  readonly onFailover: () => void;
};

/**
 * The way of an encoder into a channel that another node owns. If that node dies, the encoder stays connected: its stream
 * goes on at this node, or at the one that was faster, from the last keyframe on.
 */
export class FailoverGateway implements PublishGateway {
  readonly channelId: ChannelId;
  readonly #deps: FailoverDeps;
  readonly #kept = new KeptMedia();
  #gateway: PublishGateway | RemoteGateway;
  #arrival: PublisherArrival | undefined;
  #handle: PublisherHandle | undefined;
  #isOver = false;

  constructor(first: RemoteGateway, deps: FailoverDeps) {
    this.channelId = first.channelId;
    this.#gateway = first;
    this.#deps = deps;
  }

  get latency(): Latency {
    return this.#gateway.latency;
  }

  get isFull(): boolean {
    return this.#gateway.isFull;
  }

  tryAdmit(): Promise<AdmitResult> {
    return this.#gateway.tryAdmit();
  }

  open(arrival: PublisherArrival): PublisherHandle | undefined {
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
  }

  #push(message: MediaMessage): void {
    if (this.#isOver) return;
    this.#kept.take(message, this.#deps.clock.now());
    this.#handle?.push(message);
  }

  #end(end: IngestEnd): void {
    this.#isOver = true;
    this.#handle?.end(end);
  }

  #openIn(gateway: PublishGateway, arrival: PublisherArrival): PublisherHandle | undefined {
    return gateway.open({ ...arrival, onDismissed: () => this.#dismissed(gateway, arrival) });
  }

  #dismissed(gateway: PublishGateway | RemoteGateway, arrival: PublisherArrival): void {
    if (gateway !== this.#gateway || this.#isOver) return;
    this.#handle = undefined;
    if (!("wasLost" in gateway) || !gateway.wasLost) return this.#giveUp();
    void this.#failOver(arrival);
    // It may have been full.
    arrival.onRoom();
  }

  async #failOver(arrival: PublisherArrival): Promise<void> {
    const { clock, again, onFailover } = this.#deps;
    for (let count = 0; count < TRIES_MAX && !this.#isOver; count += 1) {
      if (count > 0) await new Promise<void>((resolve) => clock.startTimer(PAUSE_MS, resolve));
      const gateway = await again();
      if (gateway === undefined) continue;
      const isAdmitted = (await gateway.tryAdmit()) === "admitted";
      if (!isAdmitted || this.#isOver) {
        gateway.leave();
        continue;
      }
      this.#gateway = gateway;
      this.#handle = this.#openIn(gateway, arrival);
      if (this.#handle === undefined) continue;
      for (const message of this.#kept.messages(clock.now())) this.#handle?.push(message);
      gateway.flush();
      return onFailover();
    }
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#arrival?.onDismissed();
  }
}
