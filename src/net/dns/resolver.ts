import { CANCELLED, promises as dns, NODATA, NOTFOUND, TIMEOUT } from "node:dns";
import { isIP } from "node:net";
import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import { machineTroubleNow } from "../kernel/machine-trouble.ts";
import { HostsFile } from "./hosts-file.ts";
import { searchNames, searchRulesFile } from "./search-rules.ts";
import { type AskSystem, askSystem, oneAtATime } from "./system-lookup.ts";

/** Why a name has no addresses now. A word of a closed list: for messages, counters and tests. */
export type ResolveFault = "not-found" | "timeout" | "failed";

/** A name could not be resolved. Another attempt later may succeed, whatever the word. */
export class ResolveError extends Error {
  override readonly name = "ResolveError";
  readonly fault: ResolveFault;
  /** What this machine lacked for the query, if that was the reason. */
  readonly trouble: MachineTrouble | undefined;
  constructor(fault: ResolveFault, detail: string, options: ErrorOptions & { readonly trouble?: MachineTrouble } = {}) {
    super(`${fault}: ${detail}`, options);
    this.fault = fault;
    this.trouble = options.trouble;
  }
}

/** Turns names into addresses. */
export interface Resolver {
  /**
   * Every address of a name, IPv4 first; an address stands for itself. `host` is in canonical form: lower case, ASCII,
   * no brackets. A dot at its end marks a full name that is not completed.
   *
   * @throws ResolveError, or the signal's reason where it is aborted.
   */
  resolve(host: string, signal: AbortSignal): Promise<readonly string[]>;
}

export type ResolverOptions = {
  /** DNS servers, as address or address:port. Default: the system's. */
  readonly servers?: readonly string[];
  readonly hostsPath?: string;
  /** The system's rules for completing names. */
  readonly resolvConfPath?: string;
  /** Looks up names that end in `.local`. Default: the system, which may know multicast DNS. */
  readonly askSystem?: AskSystem;
  /** The longest look-up, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long one server may take to reply to one query, in milliseconds, before it is asked again or another is. */
  readonly queryTimeoutMs?: number;
  /** How long the other family may take once one has replied, in milliseconds: some routers never reply to AAAA. */
  readonly otherFamilyMs?: number;
  readonly clock?: Clock;
};

const HOSTS_PATH = "/etc/hosts";
const RESOLV_CONF_PATH = "/etc/resolv.conf";
const RESOLVE_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 1_500;
const QUERY_TRIES = 3;
const OTHER_FAMILY_MS = 300;

const LOOPBACK = ["127.0.0.1", "::1"];

type Answer = { readonly addresses: readonly string[] } | { readonly fault: ResolveFault; readonly cause: unknown };

function faultOf(error: unknown): ResolveFault {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === NOTFOUND || code === NODATA) return "not-found";
  // Only the deadline cancels a query: an aborted look-up never gets to say why.
  return code === TIMEOUT || code === CANCELLED ? "timeout" : "failed";
}

/** One family's query, as a value. */
async function ask(query: Promise<readonly string[]>): Promise<Answer> {
  try {
    return { addresses: await query };
  } catch (error) {
    return { fault: faultOf(error), cause: error };
  }
}

/** Both families' results as one: the addresses if there are any, else the fault that promises more. */
function combine(name: string, answers: readonly Answer[]): string[] {
  const addresses = answers.flatMap((answer) => ("addresses" in answer ? answer.addresses : []));
  if (addresses.length > 0) return [...new Set(addresses)];
  const faults = answers.flatMap((answer) => ("fault" in answer ? [answer] : []));
  const worst =
    faults.find(({ fault }) => fault === "timeout") ?? faults.find(({ fault }) => fault === "failed") ?? faults[0];
  // The library has one code for everything that prevents a query.
  const trouble = worst?.fault === "failed" || worst?.fault === "timeout" ? machineTroubleNow() : undefined;
  throw new ResolveError(worst?.fault ?? "not-found", `no address for ${name}`, {
    cause: worst?.cause,
    ...(trouble === undefined ? {} : { trouble }),
  });
}

/**
 * Of the faults of a name's completions the one that promises more: a completion that does not exist says nothing about
 * the others.
 */
async function firstOf(names: readonly string[], ask: (name: string) => Promise<string[]>): Promise<string[]> {
  let failure: unknown;
  for (const name of names) {
    try {
      return await ask(name);
    } catch (error) {
      // One deadline for all of them.
      if (!(error instanceof ResolveError) || error.fault === "timeout") throw error;
      if (failure === undefined || error.fault === "failed") failure = error;
    }
  }
  throw failure;
}

/** Names for multicast DNS, RFC 6762 section 3. */
const isLocal = (name: string): boolean => name.endsWith(".local");

/**
 * Resolves names as the system does (hosts file, then DNS, completed by the domains of resolv.conf) but with a deadline
 * and without the thread pool: `dns.lookup` has four threads for the whole process, and one dead name server would hold
 * up every target. Only names that end in `.local` go to the system, one at a time, because only the system knows
 * whether and how to find them. Each look-up has its own channel, so that it can be cancelled alone, and follows a
 * changed resolv.conf. RFC 6761: localhost is never looked up.
 */
export function createResolver(options: ResolverOptions = {}): Resolver {
  const hostsFile = new HostsFile(options.hostsPath ?? HOSTS_PATH);
  const rulesFile = searchRulesFile(options.resolvConfPath ?? RESOLV_CONF_PATH);
  const lookUpBySystem = oneAtATime(options.askSystem ?? askSystem);
  const clock = options.clock ?? systemClock;
  const timeoutMs = options.timeoutMs ?? RESOLVE_TIMEOUT_MS;

  async function lookUp(names: readonly string[], signal: AbortSignal): Promise<string[]> {
    const channel = new dns.Resolver({ timeout: options.queryTimeoutMs ?? QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
    if (options.servers !== undefined) channel.setServers(options.servers);
    const cancel = (): void => channel.cancel();
    const deadline = startDeadline(clock, timeoutMs, cancel);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await firstOf(names, (name) => lookUpOne(channel, name, signal));
    } finally {
      deadline.cancel();
      signal.removeEventListener("abort", cancel);
    }
  }

  async function lookUpOne(channel: dns.Resolver, name: string, signal: AbortSignal): Promise<string[]> {
    const timers: Timer[] = [];
    const askFamily = async (query: Promise<readonly string[]>): Promise<Answer> => {
      const answer = await ask(query);
      const otherFamilyMs = options.otherFamilyMs ?? OTHER_FAMILY_MS;
      if ("addresses" in answer) timers.push(startDeadline(clock, otherFamilyMs, () => channel.cancel()));
      return answer;
    };
    try {
      const answers = await Promise.all([askFamily(channel.resolve4(name)), askFamily(channel.resolve6(name))]);
      signal.throwIfAborted();
      return combine(name, answers);
    } finally {
      for (const timer of timers) timer.cancel();
    }
  }

  async function lookUpLocal(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const late = new AbortController();
    const deadline = startDeadline(clock, timeoutMs, () => late.abort());
    try {
      return await lookUpBySystem(name, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      signal.throwIfAborted();
      throw new ResolveError(late.signal.aborted ? "timeout" : faultOf(error), `no address for ${name}`, {
        cause: error,
      });
    } finally {
      deadline.cancel();
    }
  }

  return {
    async resolve(host, signal) {
      signal.throwIfAborted();
      if (isIP(host) !== 0) return [host];
      const isFull = host.endsWith(".");
      const name = isFull ? host.slice(0, -1) : host;
      if (name === "localhost" || name.endsWith(".localhost")) return LOOPBACK;
      const listed = await hostsFile.addressesOf(name);
      signal.throwIfAborted();
      if (listed.length > 0) return listed;
      if (isLocal(name)) return lookUpLocal(name, signal);
      const names = isFull ? [name] : searchNames(name, await rulesFile.read());
      signal.throwIfAborted();
      return lookUp(names, signal);
    },
  };
}
