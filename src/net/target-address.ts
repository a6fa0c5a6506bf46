import { isIPv6 } from "node:net";
import { type HostProblem, readHost } from "../base/host-name.ts";
import {
  type AddressPolicy,
  type AddressProblem,
  addressProblem,
  machineAddressesNow,
  socketForm,
} from "./address-check.ts";
import { ResolveError, type Resolver } from "./dns/resolver.ts";

/** Why a target's address is forbidden: its host is malformed, or one of its addresses is forbidden. */
export type ForbiddenReason = HostProblem | AddressProblem;

/** A forbidden target. An operator may allow its address, or its owner must change it. */
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
  /** As a socket names it. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  /** The name for TLS (SNI and certificate); absent where the target is an address, which TLS must not name. */
  readonly serverName?: string;
};

/**
 * Addresses of each family that are checked. A name may have thousands, and to check them all takes a fifth of a
 * second. An unchecked address is never used.
 */
const LOOKED_AT_MAX = 64;
/** … and that are worth trying in one attempt. */
const ADDRESSES_MAX = 16;

/**
 * Returns the first addresses of a target, every one checked. Call it before each connect and reconnect, because a name
 * may lead elsewhere since. One forbidden address forbids the name, which may be meant to lead there. `host` is as in
 * the URL.
 *
 * @throws ForbiddenTargetError, ResolveError, or the signal's reason.
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
    // A dot at the end marks a full name, which is looked up as it is.
    resolver.resolve(host.kind === "name" && target.host.endsWith(".") ? `${name}.` : name, signal),
    isOwnPort ? policy.ownAddresses?.() : undefined,
  ]);
  // The system lists its addresses once, not for each address that is checked.
  const machineAddresses = machineAddressesNow(policy);
  const strict = {
    ...policy,
    ownHosts: [...policy.ownHosts, ...ownAddresses],
    machineAddresses: () => machineAddresses,
  };
  if (addresses.length === 0) throw new ResolveError("not-found", `no address for ${name}`);
  const serverName = host.kind === "name" ? { serverName: host.name } : {};
  const checked = firstOfEach(addresses, LOOKED_AT_MAX, (address) => address).map((found): CheckedAddress => {
    const address = socketForm(found);
    const problem = addressProblem(address, target.port, strict);
    if (problem !== undefined) throw new ForbiddenTargetError(problem);
    return { address, family: isIPv6(address) ? 6 : 4, port: target.port, ...serverName };
  });
  return firstOfEach(checked, ADDRESSES_MAX, ({ address }) => address);
}

/** The first of IPv4 and of IPv6, up to this many of each, in their order. */
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
