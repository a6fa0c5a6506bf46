import { readHost } from "../../../base/host-name.ts";
import type { NatsAddress } from "../../../cluster/nats-address.ts";
import { ResolveError, type Resolver } from "../../../net/dns/resolver.ts";
import type { Finding } from "./finding.ts";

/** Names that are looked up. */
const NAMES_MAX = 8;
/** Clocks that differ by less are the same to everything here, in milliseconds. */
const CLOCK_GOOD_MS = 2_000;
/** By this much certificates, signatures and schedules begin to fail, in milliseconds. */
const CLOCK_BAD_MS = 60_000;
/** The wait for an answer with a date, in milliseconds. */
const DATE_TIMEOUT_MS = 5_000;
/** The header counts whole seconds: on average the answer is from the middle of one. In milliseconds. */
const HALF_SECOND_MS = 500;

/** Looks up the names that this installation uses, and no other. `hosts`: as in addresses. */
export async function checkDns(hosts: readonly string[], resolver: Resolver, signal: AbortSignal): Promise<Finding> {
  const names = new Set(hosts.map(readHost).flatMap((host) => (host.kind === "name" ? [host.name] : [])));
  if (names.size === 0) {
    return { check: "dns", state: "unknown", text: "DNS: not tried, because nothing here has a host name yet." };
  }
  const looked = await Promise.all([...names].slice(0, NAMES_MAX).map((name) => lookUp(name, resolver, signal)));
  const good = looked.find(({ count }) => count > 0);
  if (good !== undefined) {
    return {
      check: "dns",
      state: "ok",
      text: `DNS works: ${good.name} has ${good.count} address${good.count === 1 ? "" : "es"}.`,
    };
  }
  const unknown = looked.filter(({ fault }) => fault === "not-found").map(({ name }) => name);
  if (unknown.length > 0) {
    const text = `DNS: the name server answers, but does not know ${unknown.join(", ")}: correct the addresses, or name another server in /etc/resolv.conf.`;
    return { check: "dns", state: "warning", text };
  }
  const text = `DNS does not work: no name server says anything about ${looked[0]?.name}: check /etc/resolv.conf and whether port 53 is open to its servers.`;
  return { check: "dns", state: "failed", text };
}

type LookedUp = { readonly name: string; readonly count: number; readonly fault?: ResolveError["fault"] };

async function lookUp(name: string, resolver: Resolver, signal: AbortSignal): Promise<LookedUp> {
  try {
    return { name, count: (await resolver.resolve(name, signal)).length };
  } catch (error) {
    return { name, count: 0, fault: error instanceof ResolveError ? error.fault : "timeout" };
  }
}

/** A clock to compare with. `aheadMs`: how far it is ahead of this machine's; undefined: it did not say. */
export type OtherClock = { readonly name: string; readonly aheadMs: number | undefined };

/** Compares this machine's clock with the first one that says something. */
export function checkClock(clocks: readonly OtherClock[]): Finding {
  const found = clocks.find(({ aheadMs }) => aheadMs !== undefined);
  if (found?.aheadMs === undefined) {
    const asked = clocks.map(({ name }) => name).join(", ");
    const text =
      asked === ""
        ? "clock: not compared; name an https address with --clock."
        : `clock: not compared, because ${asked} did not say the time.`;
    return { check: "clock", state: "unknown", text };
  }
  const { name, aheadMs } = found;
  const differenceMs = Math.abs(aheadMs);
  if (differenceMs <= CLOCK_GOOD_MS) return { check: "clock", state: "ok", text: `clock: agrees with ${name}.` };
  const seconds = Math.round(differenceMs / 1_000);
  const text = `clock: ${seconds} s ${aheadMs > 0 ? "behind" : "ahead of"} ${name}; turn on time synchronisation (timedatectl set-ntp true). Certificates, signed requests and schedules need the right time.`;
  return { check: "clock", state: differenceMs < CLOCK_BAD_MS ? "warning" : "failed", text };
}

/** Asks an HTTP server for the time. Follows no redirect and reads no body. */
export async function clockOf(
  url: string,
  ask: (url: string, signal: AbortSignal) => Promise<string | null> = dateHeaderOf,
  wallNow: () => number = Date.now,
): Promise<OtherClock> {
  const { host: name } = new URL(url);
  const askedTime = wallNow();
  try {
    const date = Date.parse((await ask(url, AbortSignal.timeout(DATE_TIMEOUT_MS))) ?? "");
    if (Number.isNaN(date)) return { name, aheadMs: undefined };
    return { name, aheadMs: date + HALF_SECOND_MS - (askedTime + wallNow()) / 2 };
  } catch {
    return { name, aheadMs: undefined };
  }
}

async function dateHeaderOf(url: string, signal: AbortSignal): Promise<string | null> {
  const response = await fetch(url, { method: "HEAD", redirect: "manual", signal });
  return response.headers.get("date");
}

/** `probe`: connects and returns the server's name, without the login. */
export async function checkNats(
  address: NatsAddress,
  probe: (address: NatsAddress) => Promise<string>,
): Promise<Finding> {
  try {
    return { check: "nats", state: "ok", text: `NATS at ${await probe(address)}: answers.` };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const servers = address.servers.join(", ");
    const text = `NATS at ${servers}: cannot be used (${detail}); start it, or correct FANFARE_NATS_URL.`;
    return { check: "nats", state: "failed", text };
  }
}
