import type { ContractError } from "./errors.ts";
import { serviceError } from "./errors.ts";

/** The region codes; each API prefix serves one of them. */
export type RegionCode = "KR" | "FKR";

/** The two prefixes of every call, and the region of each. */
export const API_PREFIXES: readonly { readonly prefix: string; readonly region: RegionCode }[] = [
  { prefix: "/api/v2", region: "KR" },
  { prefix: "/api/fin-v2", region: "FKR" },
];

/**
 * Checks `x-ncp-region_code`. It is published as required, but real clients leave it out on GET: a missing code counts
 * as right. The other prefix's region and an unknown one have different errors.
 */
export function regionError(header: string | undefined, served: RegionCode): ContractError | undefined {
  if (header === undefined || header === "" || header === served) return undefined;
  const details = `This address serves the region ${served}.`;
  return API_PREFIXES.some(({ region }) => region === header)
    ? serviceError("OPEN_API_UNSUPPORTED_REGION", header, details)
    : serviceError("OPEN_API_INVALID_REGION_CODE", header, details);
}
