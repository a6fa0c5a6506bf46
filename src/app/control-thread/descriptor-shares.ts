import type { Log } from "../../base/log.ts";

/** Descriptors that the process itself needs: threads, database, files, listeners. */
const OWN = 48;
/** Encoders may have this share of the others, … */
const ENCODERS_SHARE = 1 / 2;
/** … and API clients this one. The rest is for platforms. */
const CLIENTS_SHARE = 1 / 4;
const SHARE_MIN = 4;
/** With fewer descriptors than this the shares may be smaller than the configured limits. */
export const ENOUGH_DESCRIPTORS = 8_192;

export type DescriptorShares = { readonly encoders: number; readonly clients: number };

/**
 * The most connections of encoders and of API clients, so that these never take the last descriptor. Infinite where the
 * limit is unknown.
 */
export function descriptorShares(limit: number | undefined): DescriptorShares {
  if (limit === undefined) return { encoders: Number.POSITIVE_INFINITY, clients: Number.POSITIVE_INFINITY };
  const shareOf = (part: number) => Math.max(SHARE_MIN, Math.floor((limit - OWN) * part));
  return { encoders: shareOf(ENCODERS_SHARE), clients: shareOf(CLIENTS_SHARE) };
}

/** Warns at the start, not only when descriptors run out. */
export function warnOfFew(limit: number | undefined, log: Log): void {
  if (limit === undefined || limit >= ENOUGH_DESCRIPTORS) return;
  const { encoders, clients } = descriptorShares(limit);
  log.warn("few file descriptors: raise the limit on open files", {
    limit,
    encodersMax: encoders,
    apiClientsMax: clients,
  });
}
