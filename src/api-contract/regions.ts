import type { ContractError } from "./errors.ts";
import { serviceError } from "./errors.ts";

/** The region codes that exist; each API prefix serves one of them. */
export type RegionCode = "KR" | "FKR";

/** The two prefixes every call exists under, and the region each stands for. */
export const API_PREFIXES: readonly { readonly prefix: string; readonly region: RegionCode }[] = [
  { prefix: "/api/v2", region: "KR" },
  { prefix: "/api/fin-v2", region: "FKR" },
];

/**
 * Checks `x-ncp-region_code`. Published as required, but real clients leave it out on GET: a missing one counts as
 * right. A known region of the other prefix and an unknown one have different codes.
 */
export function regionError(header: string | undefined, served: RegionCode): ContractError | undefined {
  if (header === undefined || header === "" || header === served) return undefined;
  const details = `This address serves the region ${served}.`;
  return API_PREFIXES.some(({ region }) => region === header)
    ? serviceError("OPEN_API_UNSUPPORTED_REGION", header, details)
    : serviceError("OPEN_API_INVALID_REGION_CODE", header, details);
}
