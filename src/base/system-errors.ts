/** What a machine can lack, by the operating system's own words for it. Not the other side's fault. */
export type MachineTrouble = "descriptors" | "memory" | "ports" | "no-route" | "firewall";

const TROUBLES: ReadonlyMap<string, MachineTrouble> = new Map([
  ["EMFILE", "descriptors"],
  ["ENFILE", "descriptors"],
  ["ENOMEM", "memory"],
  ["ENOBUFS", "memory"],
  ["ERR_MEMORY_ALLOCATION_FAILED", "memory"],
]);

/** While a connection is being made; said before any packet left. */
const DIALLING_TROUBLES: ReadonlyMap<string, MachineTrouble> = new Map([
  ["ENETUNREACH", "no-route"],
  ["EHOSTUNREACH", "no-route"],
  ["ENETDOWN", "no-route"],
  ["EAFNOSUPPORT", "no-route"],
  ["EADDRNOTAVAIL", "ports"],
  ["EACCES", "firewall"],
  ["EPERM", "firewall"],
]);

/** The system's word for an error, `ECONNREFUSED` and the like. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What this machine lacked, where that is what the error says, whatever was being done. */
export function machineTroubleOf(code: string | undefined): MachineTrouble | undefined {
  return TROUBLES.get(code ?? "");
}

/** The same of a connection that the kernel refused to begin: what it says later is about the way or the other side. */
export function diallingTroubleOf(code: string | undefined): MachineTrouble | undefined {
  return machineTroubleOf(code) ?? DIALLING_TROUBLES.get(code ?? "");
}
