import { connect } from "node:net";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { systemCode } from "../base/system-errors.ts";
import type { PathAnswer } from "../relay/subscriber/rtmp-push/link.ts";

/** Two SYNs, a second apart, in milliseconds: a new attempt is better than waiting for the third. */
const DEADLINE_MS = 2_500;

export type ProbeDeps = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Connects to the present address of the target's name. Resolves with the address; rejects where no address replies.
   */
  readonly reach: (signal: AbortSignal) => Promise<string>;
};

/** Finds out whether a connection's own address can be reached, and if not, whether another address of its name can. */
export async function probePath(
  own: { readonly address: string; readonly port: number },
  { clock, signal, reach }: ProbeDeps,
): Promise<PathAnswer> {
  if (await answers(own, clock, signal)) return "same";
  // The name server may be silent, too.
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

/** A host that refuses a connection has replied, too. */
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
