import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { KernelQueues } from "../net/kernel/kernel-queues.ts";
import { KernelSocket } from "../net/kernel/kernel-socket.ts";
import type { TcpReading } from "../net/kernel/tcp-table.ts";
import { AckTotal } from "../protocol/rtmp/client/ack-total.ts";
import type { KernelQueue, PeerAcks } from "../relay/subscriber/rtmp-push/link.ts";

/** The kernel may hold so much of the stream: what lies there is no longer ours to drop, and nobody sees it. */
const KERNEL_SECONDS_MAX = 2.5;
/** … and never has to make do with less than this. */
const KERNEL_BYTES_MIN = 16 * 1024;
/** A reading says nothing any more after so long: before its lack could be taken for a stall, and before credit given by it is spent. */
const READING_GOOD_MS = 2_500;

export type LinkProofsDeps = {
  readonly socket: Socket;
  readonly queues: KernelQueues;
  readonly clock: Clock;
  /** There was no credit, and now there is. */
  readonly onCredit: () => void;
};

/** What is known of one connection beyond that `write` succeeded: the kernel's queue, and the peer's acknowledgements. */
export class LinkProofs {
  readonly #acks = new AckTotal();
  readonly #deps: LinkProofsDeps;
  readonly #kernel: KernelSocket | undefined;
  #stop = (): void => undefined;
  /** Bytes the kernel took past Node. */
  #directBytes = 0;
  /** Bytes that were given to the socket, whoever took them. */
  #givenBytes = 0;
  #budgetBytes = Number.POSITIVE_INFINITY;
  /** Up to this total may be given. */
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

  /** Bytes were given to the socket; of those the kernel took so many past Node. */
  gave(bytes: number, direct: number): void {
    const hadCredit = this.#givenBytes < this.#creditEnd;
    this.#givenBytes += bytes;
    this.#directBytes += direct;
    if (hadCredit && this.#givenBytes >= this.#creditEnd) this.#deps.queues.hurry();
  }

  /** The peer named this running total. */
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

  /** So much a second goes by the kernel. */
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
        begin: () => {
          this.#atReading = { givenBytes: this.#givenBytes, takenBytes: kernel.takenBytes + this.#directBytes };
        },
        take: (reading) => this.#read(reading),
      },
    );
  }

  /** What was written while it was read may or may not be in it: what was acknowledged is at least this. */
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
