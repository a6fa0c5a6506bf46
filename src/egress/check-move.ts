import { parseTargetUrl, resolveTargetUrl, type TargetAddress } from "../protocol/rtmp/url.ts";

/**
 * Addresses that a target may name in ten seconds, although we move only once in that time: each may cost a look-up of
 * a name that it chose.
 */
const MOVES_MAX = 10;
const MOVES_MS = 10_000;

/** Limits how many of a target's ReconnectRequests are checked; further ones are ignored. */
export class MoveBudget {
  #left = MOVES_MAX;
  #fromMs = Number.NEGATIVE_INFINITY;

  take(nowMs: number): boolean {
    if (nowMs - this.#fromMs >= MOVES_MS) [this.#left, this.#fromMs] = [MOVES_MAX, nowMs];
    this.#left -= 1;
    return this.#left >= 0;
  }
}

/**
 * Where a target's ReconnectRequest leads: its `url`, or no `url` for the same address. Undefined where that leads
 * nowhere, or out of TLS. `check` throws where the address is forbidden.
 */
export async function checkMove(
  present: string,
  tcUrl: string | undefined,
  check: (address: TargetAddress) => Promise<void>,
): Promise<{ readonly url: string | undefined } | undefined> {
  if (tcUrl === undefined) return { url: undefined };
  const url = resolveTargetUrl(present, tcUrl);
  const address = url === undefined ? undefined : parseTargetUrl(url);
  if (typeof address !== "object") return undefined;
  await check(address);
  return { url };
}
