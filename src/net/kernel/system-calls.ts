/** Linux on these processors: the numbers below are the same on both. */
const PROCESSORS: ReadonlySet<string> = new Set(["arm64", "x64"]);
const EAGAIN = 11;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x40_00;
const SIOCOUTQ = 0x54_11;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;

type Call = (...args: readonly unknown[]) => unknown;
type Calls = Readonly<Record<"send" | "recv" | "ioctl" | "getsockopt" | "errno", Call>>;

/**
 * System calls for sockets that Node does not have, or makes at a higher cost: `node:fs` takes 1 µs more for a write,
 * and makes an error with a stack of a read that finds nothing. The package is optional, and so are these calls.
 */
export class SystemCalls {
  readonly #calls: Calls;
  readonly #queued = new Int32Array(1);
  readonly #infoBytes = new Uint32Array(1);

  private constructor(calls: Calls) {
    this.#calls = calls;
  }

  /** Undefined where they are not possible: another system, or no package for it. */
  static async load(): Promise<SystemCalls | undefined> {
    if (process.platform !== "linux" || !PROCESSORS.has(process.arch)) return undefined;
    try {
      const { default: koffi } = await import("koffi");
      const libc = koffi.load(null);
      return new SystemCalls({
        send: libc.func("intptr_t send(int descriptor, void *bytes, size_t length, int flags)"),
        recv: libc.func("intptr_t recv(int descriptor, void *into, size_t length, int flags)"),
        ioctl: libc.func("int ioctl(int descriptor, unsigned long request, ...)"),
        getsockopt: libc.func("int getsockopt(int descriptor, int level, int name, void *value, void *length)"),
        errno: () => koffi.errno(),
      });
    } catch {
      return undefined;
    }
  }

  /** Returns how many of the bytes the kernel took at once; 0 also where it refused. */
  send(descriptor: number, bytes: Uint8Array): number {
    return Math.max(0, Number(this.#calls.send(descriptor, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL)));
  }

  /** Returns how many bytes were read, 0 at the end of the stream; `none` where none have come, `failed` else. */
  receive(descriptor: number, into: Uint8Array): number | "none" | "failed" {
    const length = Number(this.#calls.recv(descriptor, into, into.length, MSG_DONTWAIT));
    if (length >= 0) return length;
    return this.#calls.errno() === EAGAIN ? "none" : "failed";
  }

  /** Bytes that the kernel holds because the peer's TCP has not acknowledged them; undefined for what is no socket. */
  queuedBytes(descriptor: number): number | undefined {
    return this.#calls.ioctl(descriptor, SIOCOUTQ, "void *", this.#queued) === 0 ? this.#queued[0] : undefined;
  }

  /** Fills in the beginning of the kernel's `struct tcp_info`. Returns false for what is no TCP socket. */
  tcpInfo(descriptor: number, info: Uint8Array): boolean {
    this.#infoBytes[0] = info.length;
    return this.#calls.getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, info, this.#infoBytes) === 0;
  }
}
