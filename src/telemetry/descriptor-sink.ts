import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isatty } from "node:tty";
import type { Sink } from "./log-output.ts";

/** Standard output and standard error. */
export type Standard = 1 | 2;

/**
 * Writes to standard output or standard error and never waits for a reader. A plain `write` would wait while a pipe is
 * full, and block the whole thread. So pipes and terminals are opened once more, because other processes share the
 * existing descriptor and may rely on waiting; sockets, which cannot be opened again, are switched to non-blocking.
 */
export function descriptorSink(descriptor: Standard): Sink {
  const kind = kindOf(descriptor);
  if (kind === "other") return (bytes) => writeSync(descriptor, bytes);
  if (kind === "socket") return switchedOver(descriptor);
  let own: number | undefined;
  return (bytes) => {
    // Without a reader a pipe cannot be opened: each write then fails as with a broken pipe.
    own ??= openAgain(descriptor);
    if (own === undefined) return writeSync(descriptor, bytes);
    try {
      return writeSync(own, bytes);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "EPIPE") {
        closeSync(own);
        own = undefined;
      }
      throw error;
    }
  };
}

function kindOf(descriptor: Standard): "pipe" | "socket" | "other" {
  try {
    const stats = fstatSync(descriptor);
    if (stats.isSocket()) return "socket";
    return stats.isFIFO() || isatty(descriptor) ? "pipe" : "other";
  } catch {
    return "other";
  }
}

/** Undefined where there is no path to open, as outside Linux. Throws if no process is at the other end. */
function openAgain(descriptor: Standard): number | undefined {
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENXIO") throw error;
    return undefined;
  }
}

/**
 * Node's own socket is made for its side effect: after that a write to the descriptor no longer waits. It is never
 * written to.
 */
function switchedOver(descriptor: Standard): Sink {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  socket.unref();
  socket.on("error", () => undefined);
  return (bytes) => writeSync(descriptor, bytes);
}
