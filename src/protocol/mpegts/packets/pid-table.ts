import { TS_PACKET_BYTES } from "./packet-reader.ts";

const HEADER_BYTES = 4;
const ADAPTATION_BYTES_MAX = 183;
const DISCONTINUITY = 0x80;

/** Takes what packets of one PID hold. */
export interface PidSink {
  /** `packet[from…end)`, lent. `isStart`: a section or PES packet begins in it. */
  take(packet: Buffer, from: number, end: number, isStart: boolean): void;
  /** Whether this is what was taken last: a packet may be sent twice. */
  isRepeat(packet: Buffer, from: number, end: number): boolean;
  /** Packets were lost, or may have been. */
  damaged(): void;
}

type Pid = { readonly sink: PidSink; continuity: number | undefined; isJumpAnnounced: boolean };

/** What was wrong with packets, counted. */
export type PacketCounts = {
  /** Gaps in the count of a PID's packets. */
  continuityErrors: number;
  /** Packets that a receiver before us marked as damaged. */
  transportErrors: number;
  /** Packets that are encrypted: left out. */
  scrambled: number;
};

/** Reads packets' headers (ISO/IEC 13818-1, 2.4.3.2), and gives their payloads to the sinks of their PIDs. */
export class PidTable {
  readonly #pids = new Map<number, Pid>();
  readonly counts: PacketCounts = { continuityErrors: 0, transportErrors: 0, scrambled: 0 };

  has(pid: number): boolean {
    return this.#pids.has(pid);
  }

  set(pid: number, sink: PidSink): void {
    this.#pids.set(pid, { sink, continuity: undefined, isJumpAnnounced: false });
  }

  remove(pid: number): void {
    this.#pids.delete(pid);
  }

  /** Packets of any PID were lost. */
  damaged(): void {
    for (const pid of this.#pids.values()) {
      pid.continuity = undefined;
      pid.sink.damaged();
    }
  }

  /** Takes the packet at `bytes[at]`. */
  take(bytes: Buffer, at: number): void {
    const second = bytes[at + 1] ?? 0;
    const pid = this.#pids.get(((second & 0x1f) << 8) | (bytes[at + 2] ?? 0));
    if (pid === undefined) return;
    // Its bytes may be wrong, also the PID; the next packet shows a gap.
    if ((second & 0x80) !== 0) {
      this.counts.transportErrors += 1;
      return;
    }
    const flags = bytes[at + 3] ?? 0;
    if ((flags & 0xc0) !== 0) {
      this.counts.scrambled += 1;
      return;
    }
    const end = at + TS_PACKET_BYTES;
    let from = at + HEADER_BYTES;
    if ((flags & 0x20) !== 0) {
      const length = bytes[from] ?? 0;
      if (length > ADAPTATION_BYTES_MAX) return;
      if (length > 0 && ((bytes[from + 1] ?? 0) & DISCONTINUITY) !== 0) pid.isJumpAnnounced = true;
      from += 1 + length;
    }
    if ((flags & 0x10) === 0 || from >= end) return;
    if (this.#isInOrder(pid, flags & 0x0f, bytes, from, end)) pid.sink.take(bytes, from, end, (second & 0x40) !== 0);
  }

  /** Returns false for a packet that was taken already. */
  #isInOrder(pid: Pid, continuity: number, bytes: Buffer, from: number, end: number): boolean {
    const last = pid.continuity;
    pid.continuity = continuity;
    if (last === undefined || continuity === ((last + 1) & 0x0f)) {
      pid.isJumpAnnounced = false;
      return true;
    }
    if (!pid.isJumpAnnounced) {
      if (continuity === last && pid.sink.isRepeat(bytes, from, end)) return false;
      this.counts.continuityErrors += 1;
      pid.sink.damaged();
    }
    pid.isJumpAnnounced = false;
    return true;
  }
}
