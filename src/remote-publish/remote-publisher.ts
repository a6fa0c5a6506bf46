import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { AdmitResult, PublisherArrival, PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { MediaMessage } from "../relay/stream/media-message.ts";
import type { ChannelId, Latency } from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import type { FromEncoder, ToEncoder } from "../thread-protocol/remote-publish.ts";
import { BlockWriter } from "./media-block.ts";
import type { MessageTransport } from "./message-transport.ts";

/** Bytes sent to the channel's thread that it has not taken yet. Above this limit the encoder is not read. */
export const AHEAD_BYTES_MAX = 16 * 1024 * 1024;
/** Reading goes on below this limit, so that a slow thread does not stop and start its encoder at every message. */
const ROOM_BYTES = AHEAD_BYTES_MAX / 2;
/** A block of more bytes than this is sent without waiting for the flush. */
const BLOCK_BYTES_MAX = 1024 * 1024;
/** The owning thread replies at once. One that does not reply within this time counts as dead, in milliseconds. */
const ADMIT_DEADLINE_MS = 5_000;

type RemotePublisherParts = RemotePublisherDeps & { readonly onOpen: () => void; readonly onOver: () => void };
type PublisherTransport = MessageTransport<FromEncoder, ToEncoder>;

export type RemotePublisherDeps = {
  readonly clock: Clock;
  /** Calls `run` when everything that encoders have sent up to now has been read. */
  readonly afterReads: (run: () => void) => void;
  /** An encoder is not read for a while, because the thread that owns its channel is behind. */
  readonly onWait: () => void;
  /** How many encoders publish to other threads now. */
  readonly onCount: (count: number) => void;
};

/** Encoders of this thread whose channels other threads own. */
export class RemotePublishers {
  readonly #deps: RemotePublisherDeps;
  readonly #open = new Set<RemotePublisher>();

  constructor(deps: RemotePublisherDeps) {
    this.#deps = deps;
  }

  /** Returns the gateway into the channel behind this transport. */
  to(
    channel: { readonly channelId: ChannelId; readonly latency: Latency },
    transport: PublisherTransport,
  ): RemoteGateway {
    const gateway: RemotePublisher = new RemotePublisher(channel, transport, {
      ...this.#deps,
      onOpen: () => this.#count(() => this.#open.add(gateway)),
      onOver: () => this.#count(() => this.#open.delete(gateway)),
    });
    return gateway;
  }

  #count(change: () => void): void {
    change();
    this.#deps.onCount(this.#open.size);
  }

  /** Sends the gathered messages to the threads that own the channels, which send them on to targets. */
  flush(): void {
    for (const gateway of this.#open) gateway.flush();
  }
}

/** A way into a channel that another thread owns. */
export interface RemoteGateway extends PublishGateway {
  /** The owner's thread or process died: it did not drop the encoder. */
  readonly wasLost: boolean;
  /** How long the owner has taken nothing of what waits for it, in milliseconds in which this process ran. 0: nothing waits. */
  readonly untakenMs: number;
  /** Closes the way to an owner that is no longer the owner, without a word and without a dismissal. */
  abandon(): void;
}

class RemotePublisher implements RemoteGateway {
  readonly channelId: ChannelId;
  readonly #deps: RemotePublisherParts;
  readonly #transport: PublisherTransport;
  readonly #admitResult: Promise<AdmitResult>;
  #answerAdmit: (result: AdmitResult) => void = () => undefined;
  #latency: Latency;
  #arrival: PublisherArrival | undefined;
  #isOver = false;
  #isFull = false;
  #isDismissed = false;
  #wasLost = false;
  readonly #block = new BlockWriter();
  #untakenBytes = 0;
  /** When the first untaken bytes were sent, or the last were taken. */
  #takenMs = 0;
  #needsFlush = false;

  constructor(
    channel: { readonly channelId: ChannelId; readonly latency: Latency },
    transport: PublisherTransport,
    deps: RemotePublisherParts,
  ) {
    this.channelId = channel.channelId;
    this.#latency = channel.latency;
    this.#transport = transport;
    this.#deps = deps;
    this.#admitResult = new Promise((resolve) => {
      this.#answerAdmit = resolve;
    });
    transport.listen(
      (message) => this.#take(message),
      () => this.#closed(),
    );
  }

  get latency(): Latency {
    return this.#latency;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get wasLost(): boolean {
    return this.#wasLost;
  }

  get untakenMs(): number {
    return this.#untakenBytes === 0 ? 0 : this.#deps.clock.awakeNow() - this.#takenMs;
  }

  async tryAdmit(): Promise<AdmitResult> {
    const timer = startDeadline(this.#deps.clock, ADMIT_DEADLINE_MS, () => this.#answerAdmit("unavailable"));
    const result = await this.#admitResult;
    timer.cancel();
    return result;
  }

  open(arrival: PublisherArrival): PublisherHandle | undefined {
    if (this.#isOver) return undefined;
    this.#arrival = arrival;
    this.#deps.onOpen();
    const { remoteAddress, encoder, keyRemoved = [], sourceKind, isGoingOn } = arrival;
    const more = {
      ...(sourceKind === undefined ? {} : { sourceKind }),
      ...(isGoingOn === undefined ? {} : { isGoingOn }),
    };
    this.#transport.post({ kind: "open", remoteAddress, encoder, keyRemoved, ...more });
    return { push: (message) => this.#push(message), end: (end) => this.#end(end) };
  }

  flush(): void {
    if (this.#needsFlush && !this.#isOver) this.#postBlock(true);
  }

  leave(): void {
    if (this.#arrival === undefined) this.#finish();
  }

  abandon(): void {
    if (!this.#isOver) this.#finish();
  }

  #push(message: MediaMessage): void {
    if (this.#isOver) return;
    this.#block.add(message);
    this.#needsFlush = true;
    if (this.#block.length >= BLOCK_BYTES_MAX) this.#postBlock(false);
    if (this.#isFull || this.#untakenBytes + this.#block.length <= AHEAD_BYTES_MAX) return;
    this.#isFull = true;
    this.#deps.onWait();
  }

  #postBlock(isFlush: boolean): void {
    const { buffer, length } = this.#block.take();
    if (this.#untakenBytes === 0) this.#takenMs = this.#deps.clock.awakeNow();
    this.#untakenBytes += length;
    this.#needsFlush = !isFlush;
    this.#transport.post({ kind: "media", buffer, length, isFlush }, [buffer]);
  }

  #end(end: IngestEnd): void {
    if (this.#isOver) return;
    if (this.#needsFlush) this.#postBlock(false);
    this.#transport.post({ kind: "end", end });
    this.#finish();
  }

  #take(message: ToEncoder): void {
    switch (message.kind) {
      case "admit-result":
        return this.#answerAdmit(message.isAdmitted ? "admitted" : "fight");
      case "taken":
        this.#untakenBytes -= message.bytes;
        this.#takenMs = this.#deps.clock.awakeNow();
        this.#block.reuse(message.buffer);
        if (!this.#isFull || this.#untakenBytes > ROOM_BYTES) return;
        this.#isFull = false;
        this.#arrival?.onRoom();
        return;
      case "latency":
        this.#latency = message.latency;
        return;
      case "dismissed":
        this.#isDismissed = true;
        return;
      case "read-wanted":
        return this.#deps.afterReads(() => {
          this.flush();
          this.#transport.post({ kind: "read" });
        });
    }
  }

  /** The owning thread closed the transport: it dropped the encoder, or died. */
  #closed(): void {
    const wasOver = this.#isOver;
    this.#wasLost = !wasOver && !this.#isDismissed;
    this.#finish();
    if (!wasOver) this.#arrival?.onDismissed();
  }

  #finish(): void {
    this.#isOver = true;
    this.#isFull = false;
    this.#block.take();
    this.#answerAdmit("unavailable");
    this.#transport.close();
    this.#deps.onOver();
  }
}
