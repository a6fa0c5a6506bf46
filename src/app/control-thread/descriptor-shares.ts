import type { Log } from "../../base/log.ts";

/** What the process has open by itself: threads, database, files, listeners. */
const OWN = 48;
/** Of the others encoders may take this share, … */
const ENCODERS_SHARE = 1 / 2;
/** … and clients of the API this one; the rest is for platforms. */
const CLIENTS_SHARE = 1 / 4;
const SHARE_MIN = 4;
/** With fewer than this somebody may have to be turned away who would not be otherwise. */
const ENOUGH = 8_192;

export type DescriptorShares = { readonly encoders: number; readonly clients: number };

/** How many connections strangers may have open, so that they never take the last descriptor; where there are plenty the settings count. */
export function descriptorShares(limit: number | undefined): DescriptorShares {
  if (limit === undefined) return { encoders: Number.POSITIVE_INFINITY, clients: Number.POSITIVE_INFINITY };
  const shareOf = (part: number) => Math.max(SHARE_MIN, Math.floor((limit - OWN) * part));
  return { encoders: shareOf(ENCODERS_SHARE), clients: shareOf(CLIENTS_SHARE) };
}

/** Said at the start, not only when they run out. */
export function warnOfFew(limit: number | undefined, log: Log): void {
  if (limit === undefined || limit >= ENOUGH) return;
  const { encoders, clients } = descriptorShares(limit);
  log.warn("few file descriptors: raise the limit on open files", {
    limit,
    encodersMax: encoders,
    apiClientsMax: clients,
  });
}
