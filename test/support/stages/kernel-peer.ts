import type { FakeLink } from "./fake-links.ts";

/** How much of the stream the kernel may hold, as `egress/link-proofs` has it. */
const KERNEL_SECONDS = 2.5;
const KERNEL_BYTES_MIN = 16 * 1024;

export type PeerHabits = {
  /** Bytes a second that its TCP takes at most; all by default. */
  takesPerSecond?: number;
  /** Whether its window is shut where it takes nothing, and its TCP answers; the path is silent by default. */
  isAnswering?: boolean;
  /** Whether the kernel retransmits what was lost; it does not by default. */
  isLossy?: boolean;
  /** Whether its program reads what its TCP took; it does by default. */
  isReading?: boolean;
  /** Acknowledges once in so many bytes; never by default. */
  acksEach?: number;
  /** How often it sends each acknowledgement; once by default. */
  ackTimes?: number;
};

/** The far end of a link whose kernel's queue can be read: how much of it arrives, and what is acknowledged. */
export class KernelPeer {
  readonly link: FakeLink;
  habits: PeerHabits;
  #delivered = 0;
  #read = 0;
  #acknowledged = 0;

  constructor(link: FakeLink, habits: PeerHabits = {}) {
    this.link = link;
    this.habits = habits;
  }

  /** Simulates a second, and a reading of the kernel's queue. */
  second(): void {
    const {
      takesPerSecond = Number.POSITIVE_INFINITY,
      isReading = true,
      isAnswering = false,
      isLossy = false,
    } = this.habits;
    const { link } = this;
    this.#delivered += Math.min(link.takenBytes - this.#delivered, takesPerSecond);
    if (isReading) this.#read = this.#delivered;
    this.#acknowledge();
    const queuedBytes = link.takenBytes - this.#delivered;
    link.kernelQueue = {
      ...{ queuedBytes, ackedBytes: this.#delivered },
      isWindowShut: isAnswering && takesPerSecond === 0,
      isResending: isLossy,
    };
    const wasSpent = link.creditBytes <= 0;
    if (link.suitedTo !== undefined)
      link.creditBytes = Math.max(KERNEL_BYTES_MIN, link.suitedTo * KERNEL_SECONDS) - queuedBytes;
    if (wasSpent && link.creditBytes > 0 && link.closedHow === undefined) link.drain();
  }

  #acknowledge(): void {
    const { acksEach, ackTimes = 1 } = this.habits;
    if (acksEach === undefined) return;
    for (; this.#read - this.#acknowledged >= acksEach; this.#acknowledged += acksEach) {
      this.link.acknowledge(acksEach, acksEach);
      for (let again = 1; again < ackTimes; again += 1) this.link.acknowledge(0, acksEach);
    }
  }
}
