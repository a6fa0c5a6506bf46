import { maskAddress } from "../../../api-contract/masks.ts";
import type { Reach } from "../../../egress/reach-target.ts";
import type { StoredAddress, TargetAddresses } from "../../../store/channels/target-addresses.ts";
import type { Finding } from "./finding.ts";

/** Different addresses that are tried, and how many at the same time. */
const ADDRESSES_MAX = 100;
const AT_ONCE = 8;
/** Targets that a finding names. */
const NAMES_MAX = 3;

/** Tries one target; rejects once the signal is aborted. */
export type TryTarget = (target: StoredAddress, signal: AbortSignal) => Promise<Reach>;

/** Tries each different address once and says how far it got. Addresses whose turn does not come before the signal are unknown. */
export async function checkTargets(
  { targets, leftOut }: TargetAddresses,
  tryTarget: TryTarget,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const groups = [...Map.groupBy(targets, placeOf).values()];
  const tried = groups.slice(0, ADDRESSES_MAX);
  const findings: Finding[] = [];
  const queue = tried.entries();
  const work = async () => {
    for (const [index, group] of queue) findings[index] = await tryGroup(group, tryTarget, signal);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const untried = groups.length - tried.length;
  if (untried + leftOut > 0) {
    const text = `platforms: ${untried} more addresses and ${leftOut} more platforms were not tried.`;
    findings.push({ check: "target", state: "unknown", text });
  }
  return findings;
}

/** Targets with the same place and trust need one connection. */
function placeOf({ url, tls }: StoredAddress): string {
  return [maskAddress(url).replace(/\/…?$/, ""), tls.ca ?? "", tls.fingerprint ?? ""].join("\n").toLowerCase();
}

async function tryGroup(group: readonly StoredAddress[], tryTarget: TryTarget, signal: AbortSignal): Promise<Finding> {
  const [first] = group;
  if (first === undefined) throw new Error("a group without a target");
  const names = group.slice(0, NAMES_MAX).map(({ name }) => name);
  const rest = group.length - names.length;
  const who = `${names.join("; ")}${rest === 0 ? "" : ` and ${rest} more`}: ${maskAddress(first.url)}`;
  try {
    signal.throwIfAborted();
    const reach = await tryTarget(first, signal);
    if (reach.stage !== "failed") return { check: "target", state: "ok", text: `${who} ${reachText(reach)}` };
    const state = group.some(({ isEnabled }) => isEnabled) ? "failed" : "warning";
    return { check: "target", state, text: `${who} cannot be reached. ${reach.error.message}` };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { check: "target", state: "unknown", text: `${who} was not tried: the time was over.` };
  }
}

function reachText({ stage, address, port }: Exclude<Reach, { stage: "failed" }>): string {
  const at = `${address}, port ${port}`;
  switch (stage) {
    case "resolved":
      return `leads to ${at}; whether it takes SRT only fanfare platforms test shows.`;
    case "connected":
      return `accepts connections (${at}).`;
    case "secured":
      return `accepts connections, and its certificate is right (${at}).`;
  }
}
