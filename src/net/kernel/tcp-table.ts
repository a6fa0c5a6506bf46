import { endianness } from "node:os";
import ipaddr from "ipaddr.js";

/** Both ends of a connection, as a socket names them. */
export type ConnectionEnds = {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
};

/** A line has 150 bytes; a longer one is invalid. */
const LINE_LENGTH_MAX = 4_096;
/** Connections that may still have something to send: established, or closed by the peer alone. */
const STATES_SENDING: ReadonlySet<string> = new Set(["01", "08"]);
const TX_QUEUE_LENGTH = 8;
/** The timer that runs while sent bytes are not acknowledged. */
const TIMER_RESEND = "01";
/** `when`, then how often in a row the kernel sent the same again; hexadecimal. */
const RESENT = /^:[0-9A-F]{8} ([0-9A-F]{8}) /;
/** The timer that runs while the peer's window is shut: the kernel asks again and again whether it is open. */
const TIMER_WINDOW_PROBE = "04";
const TIMER_LENGTH = 2;
/**
 * Fields behind `tr`: when, repetitions, user, and the number of unanswered probes. The reply to the last one may be on
 * its way.
 */
const PROBES = /^:\S+ +\S+ +\S+ +(\d{1,4}) /;
const PROBES_LENGTH_MAX = 64;
const PROBES_UNANSWERED_MAX = 1;

/**
 * How `/proc/net/tcp` and `tcp6` write a connection: addresses as hexadecimal words in the machine's byte order, `:`,
 * the port. Undefined for what is no address.
 */
export function tableKey(ends: ConnectionEnds, order: "LE" | "BE" = endianness()): string | undefined {
  const local = hexOf(ends.localAddress, order);
  const remote = hexOf(ends.remoteAddress, order);
  if (local === undefined || remote === undefined || local.length !== remote.length) return undefined;
  return `${local}:${portOf(ends.localPort)} ${remote}:${portOf(ends.remotePort)}`;
}

/** What the kernel says of one connection. */
export type TcpReading = {
  /** Bytes that the kernel was given and the peer's TCP has not acknowledged. */
  readonly queuedBytes: number;
  /** The peer's window is shut and its TCP replies: its program does not read. */
  readonly isWindowShut: boolean;
  /**
   * The peer did not acknowledge sent bytes in time: they, or the acknowledgement, were lost, and the kernel sends them
   * again.
   */
  readonly isResending: boolean;
};

/**
 * Reads the kernel's table of TCP connections, piece by piece, and reports of the wanted ones how many bytes the peer's
 * TCP has not acknowledged, and whether its window is shut while its TCP replies: then its program does not read, and
 * the path is good.
 */
export class TcpTable {
  readonly #wanted: { has(key: string): boolean };
  readonly #onReading: (key: string, reading: TcpReading) => void;
  #rest = "";

  constructor(wanted: { has(key: string): boolean }, onReading: (key: string, reading: TcpReading) => void) {
    this.#wanted = wanted;
    this.#onReading = onReading;
  }

  take(piece: string): void {
    const text = this.#rest + piece;
    let from = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", from)) {
      this.#line(text, from, end);
      from = end + 1;
    }
    this.#rest = text.slice(Math.max(from, text.length - LINE_LENGTH_MAX));
  }

  /**
   * ` 12: 0100007F:1F90 0100007F:A2C4 01 0000001C:00000000 …`: number, local, remote, state, bytes to send : bytes to
   * read, timer.
   */
  #line(text: string, from: number, end: number): void {
    const keyAt = text.indexOf(": ", from) + 2;
    if (keyAt < 2 || keyAt > end) return;
    const remoteAt = text.indexOf(" ", keyAt) + 1;
    const keyEnd = text.indexOf(" ", remoteAt);
    if (remoteAt === 0 || keyEnd === -1 || keyEnd > end) return;
    const key = text.slice(keyAt, keyEnd);
    if (!this.#wanted.has(key) || !STATES_SENDING.has(text.slice(keyEnd + 1, keyEnd + 3))) return;
    const queuedBytes = Number.parseInt(text.slice(keyEnd + 4, keyEnd + 4 + TX_QUEUE_LENGTH), 16);
    if (!Number.isSafeInteger(queuedBytes)) return;
    const line = text.slice(keyEnd + 4, end);
    this.#onReading(key, { queuedBytes, isWindowShut: isWindowShut(line), isResending: isResending(line) });
  }
}

/** `line`: from `tx_queue` on. */
function isWindowShut(line: string): boolean {
  const probes = PROBES.exec(behindTimer(line, TIMER_WINDOW_PROBE))?.[1];
  return probes !== undefined && Number(probes) <= PROBES_UNANSWERED_MAX;
}

function isResending(line: string): boolean {
  const resent = RESENT.exec(behindTimer(line, TIMER_RESEND))?.[1];
  return resent !== undefined && Number.parseInt(resent, 16) > 0;
}

/** What follows this timer, if it is the running one; else nothing. */
function behindTimer(line: string, timer: string): string {
  const timerAt = line.indexOf(" ") + 1;
  if (timerAt === 0 || line.slice(timerAt, timerAt + TIMER_LENGTH) !== timer) return "";
  return line.slice(timerAt + TIMER_LENGTH, timerAt + TIMER_LENGTH + PROBES_LENGTH_MAX);
}

function hexOf(address: string, order: "LE" | "BE"): string | undefined {
  try {
    const bytes = ipaddr.parse(address.split("%", 1)[0] ?? "").toByteArray();
    const words = Array.from({ length: bytes.length / 4 }, (_, word) => bytes.slice(word * 4, word * 4 + 4));
    const ordered = words.flatMap((word) => (order === "LE" ? word.reverse() : word));
    return Buffer.from(ordered).toString("hex").toUpperCase();
  } catch {
    return undefined;
  }
}

function portOf(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
