import { AsyncLocalStorage } from "node:async_hooks";
import { isSessionOwner } from "../../control/access/dashboard-access.ts";
import type { ChannelChanged } from "../../control/facts/server-fact.ts";

/** The sender of the request that is being processed. */
const actors = new AsyncLocalStorage<string>();

/**
 * Runs a request, with everything that follows from it, in the name of its caller: an access key's id, or `dashboard`.
 */
export function runAs(callerId: string, run: () => void): void {
  actors.run(isSessionOwner(callerId) ? "dashboard" : callerId, run);
}

/** Adds the caller to the change, where a request made it. */
export function withActor(fact: ChannelChanged): ChannelChanged {
  const by = actors.getStore();
  return by === undefined ? fact : { ...fact, by };
}
