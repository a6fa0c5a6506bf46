import type { AddressPolicy } from "../net/address-check.ts";
import { ResolveError, type Resolver } from "../net/dns/resolver.ts";
import { type CheckedAddress, ForbiddenTargetError, resolveTarget } from "../net/target-address.ts";
import { forbiddenAddress, nameNotResolved } from "./link-errors.ts";
import { OpenError } from "./open-socket.ts";

/**
 * Resolves a host and checks where it leads, for each connection again: its addresses may have changed.
 * `isPresetHost`: it is one of a preset, so its name has no typing error.
 *
 * @throws OpenError, or the signal's reason once it is aborted.
 */
export async function checkedAddresses(
  { host, port, isPresetHost }: { readonly host: string; readonly port: number; readonly isPresetHost: boolean },
  { resolver, policy }: { readonly resolver: Resolver; readonly policy: AddressPolicy },
  signal: AbortSignal,
): Promise<readonly CheckedAddress[]> {
  try {
    return await resolveTarget({ host, port }, resolver, policy, signal);
  } catch (error) {
    if (error instanceof ForbiddenTargetError)
      throw new OpenError("resolve", forbiddenAddress(error.reason), { cause: error });
    if (error instanceof ResolveError) {
      const { fault, trouble } = error;
      const reason = nameNotResolved(fault, { host, isPresetHost }, trouble);
      throw new OpenError("resolve", reason, { cause: error, trouble });
    }
    throw error;
  }
}
