import type { Clock } from "../base/clock.ts";
import { isSrtUrl, parseSrtUrl } from "../base/srt-url.ts";
import type { AddressPolicy } from "../net/address-check.ts";
import type { Resolver } from "../net/dns/resolver.ts";
import { parseTargetUrl } from "../protocol/rtmp/url.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { checkedAddresses } from "./checked-addresses.ts";
import { OpenError, openTcp, openTls } from "./open-socket.ts";
import { TlsMemory } from "./tls-memory.ts";

export type ReachDeps = {
  readonly clock: Clock;
  readonly resolver: Resolver;
  readonly policy: AddressPolicy;
  /** PEM certificates of additional authorities; empty: none. */
  readonly extraCa: string;
};

/** How far a target could be reached. `resolved`: SRT has no connection to try without its dialogue. */
export type Reach =
  | { readonly stage: "resolved" | "connected" | "secured"; readonly address: string; readonly port: number }
  | { readonly stage: "failed"; readonly error: TargetError };

/**
 * Resolves a target's name, checks its addresses, connects, makes TLS where it has it, and closes. Sends nothing of RTMP
 * and no key. Rejects only with the signal's reason once it is aborted.
 */
export async function reachTarget(
  target: Pick<TargetSpec, "targetId" | "url" | "tls">,
  deps: ReachDeps,
  signal: AbortSignal,
): Promise<Reach> {
  const isSrt = isSrtUrl(target.url);
  const address = isSrt ? parseSrtUrl(target.url) : parseTargetUrl(target.url);
  if (typeof address === "string") return { stage: "failed", error: targetError("address-unusable", "not-an-address") };
  const { host, port } = address;
  try {
    const addresses = await checkedAddresses({ host, port, isPresetHost: false }, deps, signal);
    if (isSrt) return { stage: "resolved", address: addresses[0]?.address ?? host, port };
    const { socket, checked } = await openTcp(addresses, deps.clock, signal);
    const reached = { address: checked.address, port };
    if (!("scheme" in address) || address.scheme === "rtmp") {
      socket.destroy();
      return { stage: "connected", ...reached };
    }
    const trust = { tls: target.tls ?? {}, memory: new TlsMemory(deps.extraCa), targetId: target.targetId };
    try {
      (await openTls(socket, checked, trust, deps.clock, signal)).destroy();
    } finally {
      socket.destroy();
    }
    return { stage: "secured", ...reached };
  } catch (error) {
    if (error instanceof OpenError) return { stage: "failed", error: error.targetError };
    throw error;
  }
}
