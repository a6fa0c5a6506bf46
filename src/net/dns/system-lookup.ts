import { promises as dns } from "node:dns";

/** A name's addresses as the whole system knows them, including multicast DNS where it is set up. */
export type AskSystem = (name: string) => Promise<readonly string[]>;

/** getaddrinfo(3). It blocks one of Node's four pool threads, for any length of time. */
export async function askSystem(name: string): Promise<readonly string[]> {
  const found = await dns.lookup(name, { all: true, order: "ipv4first" });
  return found.map(({ address }) => address);
}

/** Runs look-ups one after another, so that hanging ones hold only one of those threads. */
export function oneAtATime(ask: AskSystem): (name: string, signal: AbortSignal) => Promise<readonly string[]> {
  let last: Promise<unknown> = Promise.resolve();
  return (name, signal) => {
    const answer = last.then(() => {
      // The caller has given up.
      signal.throwIfAborted();
      return ask(name);
    });
    last = answer.catch(() => undefined);
    return untilAborted(answer, signal);
  };
}

async function untilAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
