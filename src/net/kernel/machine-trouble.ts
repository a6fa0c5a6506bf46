import { closeSync, openSync, readFileSync } from "node:fs";
import { type MachineTrouble, machineTroubleOf, systemCode } from "../../base/system-errors.ts";

/** Flags of a route: it leads to a gateway; it rejects. https://man7.org/linux/man-pages/man8/route.8.html */
const GATEWAY = 0x2;
const REJECTED = 0x200;
const ANYWHERE_4 = "00000000";
const ANYWHERE_6 = "0".repeat(32);

type Route = { readonly isDefault: boolean; readonly flags: number; readonly device: string | undefined };

/**
 * What this machine lacks just now, found out by trying. For errors that do not name it, such as that of a name server
 * that was never asked because there was no descriptor for the socket.
 */
export function machineTroubleNow(): MachineTrouble | undefined {
  try {
    closeSync(openSync("/dev/null", "r"));
  } catch (error) {
    const trouble = machineTroubleOf(systemCode(error));
    if (trouble !== undefined) return trouble;
  }
  return isCutOff() ? "no-route" : undefined;
}

/**
 * Whether no route leads out of this machine, in either family: then all targets fail. False where that is not known.
 */
export function isCutOff(): boolean {
  try {
    return hasNoWayOut(readFileSync("/proc/net/route", "latin1"), ipv6Routes());
  } catch {
    return false;
  }
}

/** The same, from the kernel's two route lists. */
export function hasNoWayOut(list4: string, list6: string): boolean {
  const routes = [...rows(list4).map(route4), ...rows(list6).map(route6)].filter(({ device }) => device !== "lo");
  return !routes.some(({ isDefault, flags }) => (isDefault || (flags & GATEWAY) !== 0) && (flags & REJECTED) === 0);
}

const rows = (list: string): string[][] => list.split("\n").map((line) => line.trim().split(/\s+/));
const flagsOf = (text: string | undefined): number =>
  /^[0-9a-f]+$/i.test(text ?? "") ? Number.parseInt(text ?? "", 16) : 0;

function route4([device, destination, , flags, , , , mask]: readonly string[]): Route {
  const isDefault = destination === ANYWHERE_4 && mask === ANYWHERE_4;
  return { isDefault, flags: flagsOf(flags), device };
}

function route6(columns: readonly string[]): Route {
  const [destination, length] = columns;
  const isDefault = destination === ANYWHERE_6 && length === "00";
  return { isDefault, flags: flagsOf(columns[8]), device: columns[9] };
}

/** Empty where the machine has no IPv6. */
function ipv6Routes(): string {
  try {
    return readFileSync("/proc/net/ipv6_route", "latin1");
  } catch {
    return "";
  }
}
