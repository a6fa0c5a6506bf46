/** What a machine can lack, by the operating system's error codes. Not the other side's fault. */
export type MachineTrouble = "descriptors" | "memory" | "ports" | "no-route" | "firewall";

const TROUBLES: ReadonlyMap<string, MachineTrouble> = new Map([
  ["EMFILE", "descriptors"],
  ["ENFILE", "descriptors"],
  ["ENOMEM", "memory"],
  ["ENOBUFS", "memory"],
  ["ERR_MEMORY_ALLOCATION_FAILED", "memory"],
]);

/** While a connection is being made; reported before any packet was sent. */
const DIALLING_TROUBLES: ReadonlyMap<string, MachineTrouble> = new Map([
  ["ENETUNREACH", "no-route"],
  ["EHOSTUNREACH", "no-route"],
  ["ENETDOWN", "no-route"],
  ["EAFNOSUPPORT", "no-route"],
  ["EADDRNOTAVAIL", "ports"],
  ["EACCES", "firewall"],
  ["EPERM", "firewall"],
]);

/** The system's code of an error, such as `ECONNREFUSED`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** What this machine lacked, where the error says so, whatever operation failed. */
export function machineTroubleOf(code: string | undefined): MachineTrouble | undefined {
  return TROUBLES.get(code ?? "");
}

/** The same for a connection that the kernel refused to begin: a later error is about the way or the other side. */
export function diallingTroubleOf(code: string | undefined): MachineTrouble | undefined {
  return machineTroubleOf(code) ?? DIALLING_TROUBLES.get(code ?? "");
}
