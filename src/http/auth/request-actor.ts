import { AsyncLocalStorage } from "node:async_hooks";
import { isSessionOwner } from "../../control/access/dashboard-access.ts";
import type { AuditScope } from "../../control/audit/audit.ts";
import type { ChannelChanged } from "../../control/facts/server-fact.ts";

/** The sender of the request that is being processed, and the change that it makes. */
type Current = { readonly callerId: string | undefined; readonly scope: AuditScope | undefined };
const current = new AsyncLocalStorage<Current>();

/**
 * Runs a request, with everything that follows from it, in the name of its caller: an access key's id, or a session.
 * `scope`: the change that it makes, if it makes one that the audit keeps.
 */
export function runAs<Value>(callerId: string | undefined, scope: AuditScope | undefined, run: () => Value): Value {
  return current.run({ callerId, scope }, run);
}

/** The change that the running request makes. */
export function currentAudit(): AuditScope | undefined {
  return current.getStore()?.scope;
}

/** Adds the caller to the change, where a request made it: an access key's id, or `dashboard`. */
export function withActor(fact: ChannelChanged): ChannelChanged {
  const by = current.getStore()?.callerId;
  if (by === undefined) return fact;
  return { ...fact, by: isSessionOwner(by) ? "dashboard" : by };
}
