import { isIPv6 } from "node:net";
import { type HostProblem, readHost } from "../base/host-name.ts";
import { type AddressPolicy, type AddressProblem, addressProblem, machineAddressesNow } from "./address-check.ts";
import { ResolveError, type Resolver } from "./dns/resolver.ts";

/** Why a target may not be connected to: its host is no host, or one of its addresses is forbidden. */
export type ForbiddenReason = HostProblem | AddressProblem;

/** The target's address is not one we connect to. An operator may allow it, or its owner has to change it. */
export class ForbiddenTargetError extends Error {
  override readonly name = "ForbiddenTargetError";
  readonly reason: ForbiddenReason;
  constructor(reason: ForbiddenReason) {
    super(`${reason}: targets may not be there`);
    this.reason = reason;
  }
}

/** Where to connect: exactly here, without another look-up. */
export type CheckedAddress = {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** The name for TLS (SNI and certificate); absent where the target is an address, which TLS must not name. */
  readonly serverName?: string;
};

/**
 * Addresses of each family that are looked at. Whoever answers for a name may answer with thousands, and to check them all takes a fifth of a
 * second. What is not looked at is not connected to.
 */
const LOOKED_AT_MAX = 64;
/** … and that are worth trying in one attempt. */
const ADDRESSES_MAX = 16;

/**
 * The first addresses of a target, every one checked; to be called before each connect and reconnect, because a name may
 * point elsewhere since. One forbidden address forbids the name: who mixes them in wants to get there. `host` is as in
 * the URL. Throws `ForbiddenTargetError`, `ResolveError`, or the signal's reason.
 */
export async function resolveTarget(
  target: { readonly host: string; readonly port: number },
  resolver: Resolver,
  policy: AddressPolicy,
  signal: AbortSignal,
): Promise<readonly CheckedAddress[]> {
  const host = readHost(target.host);
  if (host.kind === "problem") throw new ForbiddenTargetError(host.problem);
  const name = host.kind === "name" ? host.name : host.address;
  const isOwnPort = policy.ownPorts.includes(target.port);
  if (isOwnPort && policy.ownHosts.includes(name)) {
    throw new ForbiddenTargetError("own-listener");
  }
  const [addresses, ownAddresses = []] = await Promise.all([
    // What ends in a dot is a full name, to be looked up as it is.
    resolver.resolve(host.kind === "name" && target.host.endsWith(".") ? `${name}.` : name, signal),
    isOwnPort ? policy.ownAddresses?.() : undefined,
  ]);
  // The system is asked for its addresses once, not for each address it is held against.
  const machineAddresses = machineAddressesNow(policy);
  const strict = {
    ...policy,
    ownHosts: [...policy.ownHosts, ...ownAddresses],
    machineAddresses: () => machineAddresses,
  };
  if (addresses.length === 0) throw new ResolveError("not-found", `no address for ${name}`);
  const serverName = host.kind === "name" ? { serverName: host.name } : {};
  const checked = firstOfEach(addresses, LOOKED_AT_MAX, (address) => address).map((address): CheckedAddress => {
    const problem = addressProblem(address, target.port, strict);
    if (problem !== undefined) throw new ForbiddenTargetError(problem);
    return { address, family: isIPv6(address) ? 6 : 4, port: target.port, ...serverName };
  });
  return firstOfEach(checked, ADDRESSES_MAX, ({ address }) => address);
}

/** The first of IPv4 and of IPv6, so many of each, in their order. */
function firstOfEach<Item>(
  items: readonly Item[],
  countMax: number,
  addressOf: (item: Item) => string,
): readonly Item[] {
  const counts = { four: 0, six: 0 };
  return items.filter((item) => {
    const family = isIPv6(addressOf(item)) ? "six" : "four";
    counts[family] += 1;
    return counts[family] <= countMax;
  });
}
