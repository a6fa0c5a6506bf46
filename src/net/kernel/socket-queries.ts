import type { TcpReading } from "./tcp-table.ts";

/** What both calls have on the systems below: Linux on these processors. */
const SYSTEM_CALLS = {
  processors: new Set(["arm64", "x64"]),
  siocoutq: 0x54_11,
  ipprotoTcp: 6,
  tcpInfo: 11,
};
/** Of the kernel's `struct tcp_info`: what every Linux since 2.6 has. */
const INFO = { bytes: 32, state: 0, retransmits: 2, probes: 3, unackedWord: 6 };
/** Connections that may still have something to send: established, or closed by the peer alone. */
const STATES_SENDING: ReadonlySet<number> = new Set([1, 8]);
/** The reply to the last probe may be on its way. */
const PROBES_UNANSWERED_MAX = 1;

type Call = (...args: readonly unknown[]) => unknown;

/**
 * Asks the kernel for the queue of one socket, by its descriptor: `ioctl(SIOCOUTQ)` and `getsockopt(TCP_INFO)`, which
 * Node does not have. A socket takes about 1 µs. The kernel's table of all connections takes 6 ms on a machine with much
 * memory, whatever is in it.
 */
export class SocketQueries {
  readonly #ioctl: Call;
  readonly #getsockopt: Call;
  readonly #queued = new Int32Array(1);
  readonly #info = new Uint8Array(INFO.bytes);
  readonly #infoWords = new Uint32Array(this.#info.buffer);
  readonly #infoLength = new Uint32Array(1);

  private constructor(ioctl: Call, getsockopt: Call) {
    this.#ioctl = ioctl;
    this.#getsockopt = getsockopt;
  }

  /** Undefined where that is not possible: another system, or no package for it. */
  static async load(): Promise<SocketQueries | undefined> {
    if (process.platform !== "linux" || !SYSTEM_CALLS.processors.has(process.arch)) return undefined;
    try {
      const { default: koffi } = await import("koffi");
      const libc = koffi.load(null);
      return new SocketQueries(
        libc.func("int ioctl(int descriptor, unsigned long request, ...)"),
        libc.func("int getsockopt(int descriptor, int level, int name, void *value, void *length)"),
      );
    } catch {
      return undefined;
    }
  }

  /**
   * Tells what the kernel holds of a connection that may still send, and nothing of one that may not. Returns false
   * where the kernel does not say.
   */
  read(descriptor: number, take: (reading: TcpReading) => void): boolean {
    if (this.#ioctl(descriptor, SYSTEM_CALLS.siocoutq, "void *", this.#queued) !== 0) return false;
    this.#infoLength[0] = INFO.bytes;
    const { ipprotoTcp, tcpInfo } = SYSTEM_CALLS;
    if (this.#getsockopt(descriptor, ipprotoTcp, tcpInfo, this.#info, this.#infoLength) !== 0) return false;
    const [info, queuedBytes = 0, unacked = 0] = [this.#info, this.#queued[0], this.#infoWords[INFO.unackedWord]];
    if (!STATES_SENDING.has(info[INFO.state] ?? 0)) return true;
    take({
      queuedBytes,
      // Where bytes wait and none is under way, the timer that runs is the one that probes the window.
      isWindowShut: queuedBytes > 0 && unacked === 0 && (info[INFO.probes] ?? 0) <= PROBES_UNANSWERED_MAX,
      isResending: unacked > 0 && (info[INFO.retransmits] ?? 0) > 0,
    });
    return true;
  }
}
