import { connect } from "node:net";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { systemCode } from "../base/system-errors.ts";
import type { PathAnswer } from "../relay/subscriber/rtmp-push/link.ts";

/** Two SYNs, a second apart: then it is better to begin anew than to wait for the third. */
const DEADLINE_MS = 2_500;

export type ProbeDeps = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Connects to where the target's name leads by now; answers the address. Rejects where nothing answers. */
  readonly reach: (signal: AbortSignal) => Promise<string>;
};

/** Finds out whether a connection's own address can be reached; whether another one can that its name leads to, where not. */
export async function probePath(
  own: { readonly address: string; readonly port: number },
  { clock, signal, reach }: ProbeDeps,
): Promise<PathAnswer> {
  if (await answers(own, clock, signal)) return "same";
  // Also the name server may be silent.
  const given = new AbortController();
  const timer = startDeadline(clock, DEADLINE_MS, () => given.abort());
  try {
    const address = await reach(AbortSignal.any([signal, given.signal]));
    return address === own.address ? "same" : "other";
  } catch {
    return "none";
  } finally {
    timer.cancel();
  }
}

/** Who refuses a connection is there, too. */
function answers(
  { address, port }: { address: string; port: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (isThere: boolean) => {
      timer.cancel();
      signal.removeEventListener("abort", abort);
      socket.destroy();
      resolve(isThere);
    };
    const abort = () => settle(false);
    const timer = startDeadline(clock, DEADLINE_MS, abort);
    signal.addEventListener("abort", abort, { once: true });
    socket.on("connect", () => settle(true));
    socket.on("error", (error) => settle(systemCode(error) === "ECONNREFUSED"));
  });
}
