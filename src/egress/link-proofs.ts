import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { KernelQueues } from "../net/kernel/kernel-queues.ts";
import { KernelSocket } from "../net/kernel/kernel-socket.ts";
import type { TcpReading } from "../net/kernel/tcp-table.ts";
import { AckTotal } from "../protocol/rtmp/client/ack-total.ts";
import type { KernelQueue, PeerAcks } from "../relay/subscriber/rtmp-push/link.ts";

/**
 * The kernel may hold this much of the stream, in seconds: media there can no longer be dropped, and no viewer sees it.
 */
const KERNEL_SECONDS_MAX = 2.5;
/** … and always at least this many bytes. */
const KERNEL_BYTES_MIN = 16 * 1024;
/**
 * A reading of the kernel's queue is valid for this long, in milliseconds: shorter than a stall, and than the credit
 * that it gives lasts.
 */
const READING_GOOD_MS = 2_500;

export type LinkProofsDeps = {
  readonly socket: Socket;
  readonly queues: KernelQueues;
  readonly clock: Clock;
  /** There was no credit, and now there is. */
  readonly onCredit: () => void;
};

/** What is known of one connection beyond a successful `write`: the kernel's queue, and the peer's acknowledgements. */
export class LinkProofs {
  readonly #acks = new AckTotal();
  readonly #deps: LinkProofsDeps;
  readonly #kernel: KernelSocket | undefined;
  #stop = (): void => undefined;
  /** Bytes that the kernel took by direct writes. */
  #directBytes = 0;
  /** Bytes given to the socket, directly or through Node. */
  #givenBytes = 0;
  #budgetBytes = Number.POSITIVE_INFINITY;
  /** The total number of bytes that may be given so far. */
  #creditEnd = Number.POSITIVE_INFINITY;
  #atReading = { givenBytes: 0, takenBytes: 0 };
  #reading: (KernelQueue & { readonly atMs: number }) | undefined;

  constructor(deps: LinkProofsDeps) {
    this.#deps = deps;
    this.#kernel = KernelSocket.of(deps.socket);
  }

  /** From here on the kernel's queue is read. */
  start(): void {
    this.#stop();
    this.#stop = this.#watch();
  }

  /** Ends the connection so that the peer learns of it at once. */
  reset(): void {
    if (this.#kernel === undefined) this.#deps.socket.destroy();
    else this.#kernel.reset();
  }

  /** Bytes were given to the socket. `direct`: how many of them the kernel took past Node. */
  gave(bytes: number, direct: number): void {
    const hadCredit = this.#givenBytes < this.#creditEnd;
    this.#givenBytes += bytes;
    this.#directBytes += direct;
    if (hadCredit && this.#givenBytes >= this.#creditEnd) this.#deps.queues.hurry();
  }

  /** Whether the kernel had no room for some of what it was given; true where that is not known. */
  get isKernelFull(): boolean {
    return this.#kernel === undefined || this.#kernel.isWaiting;
  }

  /** The peer acknowledged this running total. */
  acknowledged(total: number): void {
    this.#acks.take(total, this.#givenBytes);
  }

  /** Undefined before the first acknowledgement. */
  acksOf(windowBytes: number): PeerAcks | undefined {
    const { count, bytes } = this.#acks;
    return count === 0 ? undefined : { count, bytes, windowBytes };
  }

  get creditBytes(): number {
    return this.#creditEnd - this.#givenBytes;
  }

  get kernelQueue(): KernelQueue | undefined {
    const reading = this.#reading;
    return reading !== undefined && this.#deps.clock.awakeNow() - reading.atMs < READING_GOOD_MS ? reading : undefined;
  }

  /** Sets the rate at which bytes leave the kernel, in bytes a second. */
  suit(bytesPerSecond: number): void {
    this.#budgetBytes = Math.max(KERNEL_BYTES_MIN, bytesPerSecond * KERNEL_SECONDS_MAX);
    if (this.kernelQueue === undefined) this.#creditEnd = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.#stop();
  }

  #watch(): () => void {
    const { localAddress, localPort, remoteAddress, remotePort } = this.#deps.socket;
    const kernel = this.#kernel;
    if (kernel === undefined || localAddress === undefined || localPort === undefined) return () => undefined;
    if (remoteAddress === undefined || remotePort === undefined) return () => undefined;
    return this.#deps.queues.watch(
      { localAddress, localPort, remoteAddress, remotePort },
      {
        descriptor: () => kernel.descriptor,
        begin: () => {
          this.#atReading = { givenBytes: this.#givenBytes, takenBytes: kernel.takenBytes + this.#directBytes };
        },
        take: (reading) => this.#read(reading),
      },
    );
  }

  /** Bytes that were written during a reading may or may not be in it, so this is the least that was acknowledged. */
  #read({ queuedBytes, isWindowShut, isResending }: TcpReading): void {
    const { givenBytes, takenBytes } = this.#atReading;
    const wasSpent = this.creditBytes <= 0;
    const before = this.#reading?.ackedBytes ?? 0;
    const ackedBytes = Math.max(before, takenBytes - queuedBytes);
    this.#reading = { queuedBytes, ackedBytes, isWindowShut, isResending, atMs: this.#deps.clock.awakeNow() };
    this.#creditEnd = givenBytes - queuedBytes + this.#budgetBytes;
    if (!wasSpent) return;
    if (this.creditBytes > 0) this.#deps.onCredit();
    else if (ackedBytes > before) this.#deps.queues.hurry();
  }
}
