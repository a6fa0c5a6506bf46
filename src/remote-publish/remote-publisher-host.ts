import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { Engine } from "../relay/engine.ts";
import { gatewayTo, type PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import type { FromEncoder, ToEncoder } from "../thread-protocol/remote-publish.ts";
import { readBlock } from "./media-block.ts";
import type { MessageTransport } from "./message-transport.ts";

/** After this long an encoder is cut even if its thread is too busy to say that it has read, in milliseconds. */
const READ_DEADLINE_MS = 1_000;

export type HostDeps = {
  readonly clock: Clock;
  readonly engine: Pick<Engine, "introduce" | "admits" | "open" | "latency" | "flush" | "isOnAir">;
};

type PublisherTransport = MessageTransport<ToEncoder, FromEncoder>;

/** Publishers of channels that this thread owns and whose connections are in other threads. */
export class RemotePublisherHost {
  readonly #deps: HostDeps;
  readonly #hosted = new Set<HostedPublisher>();

  constructor(deps: HostDeps) {
    this.#deps = deps;
  }

  /** Takes an encoder that another thread accepted and the control thread admitted. */
  take(spec: ChannelSpec, slot: IngestSlot, transport: PublisherTransport): void {
    const gateway = gatewayTo(this.#deps.engine, spec, slot);
    const hosted: HostedPublisher = new HostedPublisher({ gateway, slot, transport }, () => {
      this.#hosted.delete(hosted);
    });
    this.#hosted.add(hosted);
  }

  /** The channel may have another latency now: reports it to the threads that hold its encoders. */
  changed(channelId: ChannelId): void {
    for (const hosted of this.#of(channelId)) hosted.postLatency();
  }

  /** Dismisses encoders that were admitted and have not started: their key or their channel has changed. */
  dismissWaiting(channelId: ChannelId, slot?: IngestSlot): void {
    for (const hosted of this.#of(channelId, slot)) if (!hosted.isOpen) hosted.dismiss();
  }

  /** Another node owns the channel: those who have its encoders bring their streams there. */
  letGo(channelId: ChannelId): void {
    for (const hosted of this.#of(channelId)) hosted.letGo();
  }

  /**
   * Calls `run` when the threads with the connections have read everything that encoders of this key have sent up to
   * now; after a second at the latest.
   */
  afterReads(channelId: ChannelId, slot: IngestSlot, run: () => void): void {
    const reads = this.#of(channelId, slot).map((hosted) => hosted.read());
    if (reads.length === 0) return run();
    const deadline = new Promise<void>((resolve) => startDeadline(this.#deps.clock, READ_DEADLINE_MS, resolve));
    void Promise.race([Promise.all(reads), deadline]).then(run);
  }

  #of(channelId: ChannelId, slot?: IngestSlot): HostedPublisher[] {
    return [...this.#hosted].filter(
      (hosted) => hosted.channelId === channelId && (slot === undefined || hosted.slot === slot),
    );
  }
}

type HostedPublisherParts = {
  readonly gateway: PublishGateway;
  readonly slot: IngestSlot;
  readonly transport: PublisherTransport;
};

class HostedPublisher {
  readonly slot: IngestSlot;
  readonly #gateway: PublishGateway;
  readonly #transport: PublisherTransport;
  readonly #onOver: () => void;
  #publisher: PublisherHandle | undefined;
  #latency: Latency;
  #isOver = false;
  #onRead: (() => void)[] = [];

  constructor({ gateway, slot, transport }: HostedPublisherParts, onOver: () => void) {
    this.slot = slot;
    this.#gateway = gateway;
    this.#transport = transport;
    this.#onOver = onOver;
    this.#latency = gateway.latency;
    transport.listen(
      (message) => this.#take(message),
      () => this.#leave("connection-lost"),
    );
    void this.#admit();
  }

  get channelId(): ChannelId {
    return this.#gateway.channelId;
  }

  get isOpen(): boolean {
    return this.#publisher !== undefined;
  }

  postLatency(): void {
    const { latency } = this.#gateway;
    if (latency === this.#latency) return;
    this.#latency = latency;
    this.#transport.post({ kind: "latency", latency });
  }

  read(): Promise<void> {
    if (!this.isOpen) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onRead.push(resolve);
      this.#transport.post({ kind: "read-wanted" });
    });
  }

  /** The relay has dropped the encoder, or it came too late: the other thread closes its connection. */
  dismiss(): void {
    if (!this.#isOver) this.#transport.post({ kind: "dismissed" });
    this.#finish();
  }

  /** Closes the transport without the word that the encoder is dropped: for the other side its owner is lost. */
  letGo(): void {
    this.#finish();
  }

  async #admit(): Promise<void> {
    // A fault of the gateway concerns this encoder only: the thread and its other encoders go on.
    const isAdmitted = await this.#gateway.tryAdmit().then(
      (result) => result === "admitted",
      () => false,
    );
    this.#transport.post({ kind: "admit-result", isAdmitted });
    this.postLatency();
    if (!isAdmitted) this.dismiss();
  }

  #take(message: FromEncoder): void {
    switch (message.kind) {
      case "open":
        return this.#open(message);
      case "media":
        for (const each of readBlock(message)) this.#publisher?.push(each);
        if (message.isFlush) this.#gateway.flush();
        // The relay keeps no payload after `push`, so the block may be written again.
        return this.#transport.post({ kind: "taken", bytes: message.length, buffer: message.buffer }, [message.buffer]);
      case "read":
        return this.#onRead.shift()?.();
      case "end":
        return this.#leave(message.end);
    }
  }

  #open({ kind: _kind, ...encoder }: Extract<FromEncoder, { kind: "open" }>): void {
    const onDismissed = () => this.dismiss();
    // This gateway is never full: the relay takes every message at once.
    const arrival = { slot: this.slot, ...encoder, onDismissed, onRoom: () => undefined };
    const publisher = this.#gateway.open(arrival);
    if (publisher === undefined) return this.dismiss();
    this.#publisher = publisher;
  }

  #leave(end: IngestEnd): void {
    this.#publisher?.end(end);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#publisher = undefined;
    this.#transport.close();
    for (const resolve of this.#onRead) resolve();
    this.#onRead = [];
    this.#onOver();
  }
}
