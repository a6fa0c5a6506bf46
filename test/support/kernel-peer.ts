import type { FakeLink } from "./fake-links.ts";

/** The kernel may hold so much of the stream, as `egress/link-proofs` has it. */
const KERNEL_SECONDS = 2.5;
const KERNEL_BYTES_MIN = 16 * 1024;

export type PeerHabits = {
  /** Bytes a second that its TCP takes at most; all unless told. */
  takesPerSecond?: number;
  /** Whether its window is shut where it takes nothing, and its TCP answers; the path is silent unless told. */
  isAnswering?: boolean;
  /** Whether the kernel sends again what was lost; it does not unless told. */
  isLossy?: boolean;
  /** Whether its program reads what its TCP took; it does unless told. */
  isReading?: boolean;
  /** Acknowledges once in so many bytes; never unless told. */
  acksEach?: number;
  /** How often it says each acknowledgement; once unless told. */
  ackTimes?: number;
};

/** What is at the far end of a link whose kernel's queue can be read: how much of it arrives, and what is acknowledged. */
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

  /** A second of it, and a reading of the kernel's queue. */
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
