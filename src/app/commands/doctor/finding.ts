/** What `fanfare doctor` looks at. Part of its `--json` output. */
type CheckName =
  | "database"
  | "keys"
  | "ffmpeg"
  | "ports"
  | "descriptors"
  | "disk"
  | "dns"
  | "clock"
  | "cluster"
  | "nats"
  | "certificate"
  | "target";

/**
 * `failed`: something does not work. `warning`: it works, but not well, or not for long. `unknown`: it could not be looked
 * at.
 */
type FindingState = "ok" | "warning" | "failed" | "unknown";

/** One thing that was looked at. The text says what was found and what to do about it. Holds no secrets. */
export type Finding = { readonly check: CheckName; readonly state: FindingState; readonly text: string };

const STATE_WIDTH = "warning".length;

/** One line for each finding. */
export function findingLines(findings: readonly Finding[]): string {
  return findings.map(({ state, text }) => `${state.padEnd(STATE_WIDTH)}  ${text}\n`).join("");
}
