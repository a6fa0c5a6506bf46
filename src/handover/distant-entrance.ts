import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { ChannelId, Latency } from "../exchange/channel-spec.ts";
import type { IngestEnd } from "../exchange/facts.ts";
import type { FromEncoder, ToEncoder } from "../exchange/hand-over.ts";
import type { Message } from "../protocol/rtmp/message.ts";
import type { Entering, Entrance, Welcome } from "../relay/entrance.ts";
import type { Source } from "../relay/feed.ts";
import type { Carrier } from "./carrier.ts";
import { BlockWriter } from "./media-block.ts";

/** On the way to the channel's home and not taken there yet; beyond it nothing more is read from the encoder. */
export const AHEAD_BYTES_MAX = 16 * 1024 * 1024;
/** Read on from here, so that a home that is behind is not asked about every message. */
const ROOM_BYTES = AHEAD_BYTES_MAX / 2;
/** More than this leaves as a block of its own, without waiting for the flush. */
const BLOCK_BYTES_MAX = 1024 * 1024;
/** The home answers at once; one that does not is as good as dead. In milliseconds. */
const WELCOME_DEADLINE_MS = 5_000;

type EntranceDeps = DistantDeps & { readonly onOpen: () => void; readonly onOver: () => void };
type EncoderCarrier = Carrier<FromEncoder, ToEncoder>;

export type DistantDeps = {
  readonly clock: Clock;
  /** Runs when what encoders have said up to now was read. */
  readonly afterReads: (run: () => void) => void;
  /** An encoder is not read for a while, because its channel's home is behind. */
  readonly onWait: () => void;
};

/** Encoders of this thread whose channels are at home in others. */
export class DistantEntrances {
  readonly #deps: DistantDeps;
  readonly #open = new Set<DistantEntrance>();

  constructor(deps: DistantDeps) {
    this.#deps = deps;
  }

  /** The way that leads through this carrier. */
  to(home: { readonly channelId: ChannelId; readonly latency: Latency }, carrier: EncoderCarrier): Entrance {
    const entrance: DistantEntrance = new DistantEntrance(home, carrier, {
      ...this.#deps,
      onOpen: () => this.#open.add(entrance),
      onOver: () => this.#open.delete(entrance),
    });
    return entrance;
  }

  /** What encoders gave leaves for their channels' homes, and from there. */
  flush(): void {
    for (const entrance of this.#open) entrance.flush();
  }
}

class DistantEntrance implements Entrance {
  readonly channelId: ChannelId;
  readonly #deps: EntranceDeps;
  readonly #carrier: EncoderCarrier;
  readonly #welcome: Promise<Welcome>;
  #answerKnock: (welcome: Welcome) => void = () => undefined;
  #latency: Latency;
  #entering: Entering | undefined;
  #isOver = false;
  #isFull = false;
  readonly #gathered = new BlockWriter();
  #untakenBytes = 0;
  #needsFlush = false;

  constructor(
    home: { readonly channelId: ChannelId; readonly latency: Latency },
    carrier: EncoderCarrier,
    deps: EntranceDeps,
  ) {
    this.channelId = home.channelId;
    this.#latency = home.latency;
    this.#carrier = carrier;
    this.#deps = deps;
    this.#welcome = new Promise((resolve) => {
      this.#answerKnock = resolve;
    });
    carrier.listen(
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

  async knock(): Promise<Welcome> {
    const timer = startDeadline(this.#deps.clock, WELCOME_DEADLINE_MS, () => this.#answerKnock("unavailable"));
    const welcome = await this.#welcome;
    timer.cancel();
    return welcome;
  }

  open(entering: Entering): Source | undefined {
    if (this.#isOver) return undefined;
    this.#entering = entering;
    this.#deps.onOpen();
    const { remoteAddress, encoder, keyRemoved = [] } = entering;
    this.#carrier.post({ kind: "open", remoteAddress, encoder, keyRemoved });
    return { push: (message) => this.#push(message), end: (end) => this.#end(end) };
  }

  flush(): void {
    if (this.#needsFlush && !this.#isOver) this.#postBlock(true);
  }

  leave(): void {
    if (this.#entering === undefined) this.#finish();
  }

  #push(message: Message): void {
    if (this.#isOver) return;
    this.#gathered.add(message);
    this.#needsFlush = true;
    if (this.#gathered.length >= BLOCK_BYTES_MAX) this.#postBlock(false);
    if (this.#isFull || this.#untakenBytes + this.#gathered.length <= AHEAD_BYTES_MAX) return;
    this.#isFull = true;
    this.#deps.onWait();
  }

  #postBlock(isFlush: boolean): void {
    const { buffer, length } = this.#gathered.take();
    this.#untakenBytes += length;
    this.#needsFlush = !isFlush;
    this.#carrier.post({ kind: "media", buffer, length, isFlush }, [buffer]);
  }

  #end(end: IngestEnd): void {
    if (this.#isOver) return;
    if (this.#needsFlush) this.#postBlock(false);
    this.#carrier.post({ kind: "end", end });
    this.#finish();
  }

  #take(message: ToEncoder): void {
    switch (message.kind) {
      case "welcome":
        return this.#answerKnock(message.isWelcome ? "welcome" : "fight");
      case "taken":
        this.#untakenBytes -= message.bytes;
        this.#gathered.reuse(message.buffer);
        if (!this.#isFull || this.#untakenBytes > ROOM_BYTES) return;
        this.#isFull = false;
        this.#entering?.onRoom();
        return;
      case "latency":
        this.#latency = message.latency;
        return;
      case "read-wanted":
        return this.#deps.afterReads(() => {
          this.flush();
          this.#carrier.post({ kind: "read" });
        });
    }
  }

  /** By the home: it let go of the encoder, or died. */
  #closed(): void {
    const wasOver = this.#isOver;
    this.#finish();
    if (!wasOver) this.#entering?.onDismissed();
  }

  #finish(): void {
    this.#isOver = true;
    this.#isFull = false;
    this.#gathered.take();
    this.#answerKnock("unavailable");
    this.#carrier.close();
    this.#deps.onOver();
  }
}
