import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import { MEDIA_CHUNK_SIZE } from "../../../src/relay/packing/media-chunk-size.ts";
import type {
  Dialer,
  KernelQueue,
  Link,
  LinkEvents,
  PathAnswer,
  PeerAcks,
} from "../../../src/relay/subscriber/rtmp-push/link.ts";
import type { LinkClose } from "../../../src/relay/subscriber/subscriber.ts";
import type { TargetSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { TargetError } from "../../../src/thread-protocol/targets/target-status.ts";

const UNBOUNDED = {
  messageBytesMax: () => 16_777_215,
  partialMessagesMax: 64,
  chunkStreamsMax: 256,
  partialBytesMax: 64 * 1024 * 1024,
  chunkSizeMin: 1,
};

/** A link without a network: a test says when it is accepted, when it takes bytes, and how it ends. */
export class FakeLink implements Link {
  readonly target: TargetSpec;
  readonly #events: LinkEvents;
  readonly writes: Buffer[] = [];
  /** The buffers that `write` got, where they lie. */
  readonly given: Buffer[] = [];
  closedHow: LinkClose | undefined;
  /** False: what is written stays pending until `drain`. */
  isTaking = true;
  pendingBytes = 0;
  takenBytes = 0;
  get isHolding(): boolean {
    return this.pendingBytes > 0;
  }

  /** True: what is pending is in the kernel, as behind TLS. */
  isReportedLater = false;
  get isBehind(): boolean {
    return this.pendingBytes > 0 && !this.isReportedLater;
  }

  acks: PeerAcks | undefined = undefined;
  /** Undefined: as where the kernel's queue cannot be read. */
  kernelQueue: KernelQueue | undefined = undefined;
  creditBytes = Number.POSITIVE_INFINITY;
  /** The path's reply when it is probed. */
  path: PathAnswer = "same";
  probes = 0;
  /** The rate that the kernel's share was last fitted to, in bytes a second. */
  suitedTo: number | undefined;
  readonly #reader = new ChunkReader(UNBOUNDED);
  /** Which of `writes` are pending. */
  readonly #pending: number[] = [];
  readonly #messages: Message[] = [];
  #read = 0;

  constructor(target: TargetSpec, events: LinkEvents) {
    this.target = target;
    this.#events = events;
    const setChunkSize = Buffer.from("02000000000004010000000000001000", "hex");
    setChunkSize.writeUInt32BE(MEDIA_CHUNK_SIZE, 12);
    this.#reader.receive(setChunkSize, () => undefined);
  }

  /**
   * Bytes that are taken at once are the kernel's own copy; pending bytes lie where they were, and must not be
   * overwritten.
   */
  write(bytes: Buffer): void {
    this.given.push(bytes);
    this.creditBytes -= bytes.length;
    if (!this.isTaking) this.#pending.push(this.writes.length);
    this.writes.push(this.isTaking ? Buffer.from(bytes) : bytes);
    if (this.isTaking) this.takenBytes += bytes.length;
    else this.pendingBytes += bytes.length;
  }

  suit(_streamPerSecond: number, kernelPerSecond: number): void {
    this.suitedTo = kernelPerSecond;
  }

  probe(onAnswer: (answer: PathAnswer) => void): void {
    this.probes += 1;
    onAnswer(this.path);
  }

  /** Acknowledges so many bytes more. */
  acknowledge(bytes: number, windowBytes = 2_500_000): void {
    this.acks = { count: (this.acks?.count ?? 0) + 1, bytes: (this.acks?.bytes ?? 0) + bytes, windowBytes };
  }

  close(how: LinkClose): void {
    this.closedHow ??= how;
  }

  accept(streamId = 1, takesHevcEnhanced = false, takesEnhanced = false): void {
    this.#events.onPublishing(streamId, takesHevcEnhanced, takesEnhanced);
  }

  wantReconnect(url: string | undefined): void {
    this.#events.onReconnectWanted?.(url);
  }

  fail(error: TargetError): void {
    this.#events.onClosed(error);
  }

  drain(): void {
    for (const index of this.#pending) this.writes[index] = Buffer.from(this.writes[index] ?? Buffer.alloc(0));
    this.#pending.length = 0;
    this.takenBytes += this.pendingBytes;
    this.pendingBytes = 0;
    this.#events.onDrained();
  }

  /** Everything that was written, read as the target's RTMP reader would. */
  messages(): readonly Message[] {
    while (this.#read < this.writes.length) {
      const bytes = this.writes[this.#read] ?? Buffer.alloc(0);
      this.#reader.receive(bytes, (message) => this.#messages.push(message));
      this.#read += 1;
    }
    return this.#messages;
  }
}

/** Answers every dial with a fake link and keeps them all. */
export class FakeDialer implements Dialer {
  readonly links: FakeLink[] = [];

  dial(target: TargetSpec, events: LinkEvents): FakeLink {
    const link = new FakeLink(target, events);
    this.links.push(link);
    return link;
  }

  /** The newest link to a target. */
  latest(targetId: number): FakeLink {
    const link = this.links.findLast(({ target }) => target.targetId === targetId);
    if (link === undefined) throw new Error(`target ${targetId} was never dialled`);
    return link;
  }
}
