import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "../exchange/channel-spec.ts";
import type { IngestEnd } from "../exchange/facts.ts";
import type { FromEncoder, ToEncoder } from "../exchange/hand-over.ts";
import type { Engine } from "../relay/engine.ts";
import { type Entrance, entranceTo } from "../relay/entrance.ts";
import type { Source } from "../relay/feed.ts";
import type { Carrier } from "./carrier.ts";
import { readBlock } from "./media-block.ts";

/** For a thread that is too busy to say that it has read: its encoder is cut nevertheless. In milliseconds. */
const READ_DEADLINE_MS = 1_000;

export type HostDeps = {
  readonly clock: Clock;
  readonly engine: Pick<Engine, "introduce" | "admits" | "open" | "latency" | "flush" | "isOnAir">;
};

type EncoderCarrier = Carrier<ToEncoder, FromEncoder>;

/** Encoders of channels that are at home in this thread, and whose connections are in others. */
export class HostedEncoders {
  readonly #deps: HostDeps;
  readonly #hosted = new Set<HostedEncoder>();

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  /** An encoder that another thread asked about was admitted. */
  take(spec: ChannelSpec, slot: IngestSlot, carrier: EncoderCarrier): void {
    const entrance = entranceTo(this.#deps.engine, spec, slot);
    const hosted: HostedEncoder = new HostedEncoder({ entrance, slot, carrier }, () => {
      this.#hosted.delete(hosted);
    });
    this.#hosted.add(hosted);
  }

  /** The channel may have another latency now. */
  changed(channelId: ChannelId): void {
    for (const hosted of this.#of(channelId)) hosted.tellLatency();
  }

  /** Whoever was admitted and has not come yet must not: its key, or its channel, is not what it was. */
  dismissWaiting(channelId: ChannelId, slot?: IngestSlot): void {
    for (const hosted of this.#of(channelId, slot)) if (!hosted.isOpen) hosted.dismiss();
  }

  /** Runs when what encoders of this key had said up to now was read, where they are connected. */
  afterReads(channelId: ChannelId, slot: IngestSlot, run: () => void): void {
    const reads = this.#of(channelId, slot).map((hosted) => hosted.read());
    if (reads.length === 0) return run();
    const deadline = new Promise<void>((resolve) => startDeadline(this.#deps.clock, READ_DEADLINE_MS, resolve));
    void Promise.race([Promise.all(reads), deadline]).then(run);
  }

  #of(channelId: ChannelId, slot?: IngestSlot): HostedEncoder[] {
    return [...this.#hosted].filter(
      (hosted) => hosted.channelId === channelId && (slot === undefined || hosted.slot === slot),
    );
  }
}

type HostedParts = { readonly entrance: Entrance; readonly slot: IngestSlot; readonly carrier: EncoderCarrier };

class HostedEncoder {
  readonly slot: IngestSlot;
  readonly #entrance: Entrance;
  readonly #carrier: EncoderCarrier;
  readonly #onOver: () => void;
  #source: Source | undefined;
  #latency: Latency;
  #isOver = false;
  #onRead: (() => void)[] = [];

  constructor({ entrance, slot, carrier }: HostedParts, onOver: () => void) {
    this.slot = slot;
    this.#entrance = entrance;
    this.#carrier = carrier;
    this.#onOver = onOver;
    this.#latency = entrance.latency;
    carrier.listen(
      (message) => this.#take(message),
      () => this.#leave("connection-lost"),
    );
    void this.#welcome();
  }

  get channelId(): ChannelId {
    return this.#entrance.channelId;
  }

  get isOpen(): boolean {
    return this.#source !== undefined;
  }

  tellLatency(): void {
    const { latency } = this.#entrance;
    if (latency === this.#latency) return;
    this.#latency = latency;
    this.#carrier.post({ kind: "latency", latency });
  }

  read(): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onRead.push(resolve);
      this.#carrier.post({ kind: "read-wanted" });
    });
  }

  /** The relay let go of it, or it came too late: the other thread closes its connection. */
  dismiss(): void {
    this.#finish();
  }

  async #welcome(): Promise<void> {
    const isWelcome = (await this.#entrance.knock()) === "welcome";
    this.#carrier.post({ kind: "welcome", isWelcome });
    this.tellLatency();
    if (!isWelcome) this.#finish();
  }

  #take(message: FromEncoder): void {
    switch (message.kind) {
      case "open":
        return this.#open(message);
      case "media":
        for (const each of readBlock(message)) this.#source?.push(each);
        if (message.isFlush) this.#entrance.flush();
        // Nobody keeps a payload that was pushed: the block may be written again.
        return this.#carrier.post({ kind: "taken", bytes: message.length, buffer: message.buffer }, [message.buffer]);
      case "read":
        return this.#onRead.shift()?.();
      case "end":
        return this.#leave(message.end);
    }
  }

  #open({ remoteAddress, encoder, keyRemoved }: Extract<FromEncoder, { kind: "open" }>): void {
    const onDismissed = () => this.#finish();
    // What is given here is taken at once: this way is never full.
    const entering = { slot: this.slot, remoteAddress, encoder, keyRemoved, onDismissed, onRoom: () => undefined };
    const source = this.#entrance.open(entering);
    if (source === undefined) return this.#finish();
    this.#source = source;
  }

  #leave(end: IngestEnd): void {
    this.#source?.end(end);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source = undefined;
    this.#carrier.close();
    for (const resolve of this.#onRead) resolve();
    this.#onRead = [];
    this.#onOver();
  }
}
