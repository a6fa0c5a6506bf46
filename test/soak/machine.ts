import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";
import { ROOT } from "../support/processes/fanfare-process.ts";

function firstLine(command: string, args: readonly string[]): string {
  return (
    execFileSync(command, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n")[0] ??
    ""
  );
}

/** The machine that a figure was measured on, as lines of a Markdown table; one more for each program that is given. */
export function machineRows(programs: readonly string[] = []): [string, string][] {
  const processors = cpus();
  const others = programs.map((program): [string, string] => [program, firstLine(program, ["-version"])]);
  const changes = firstLine("git", ["status", "--porcelain", "--untracked-files=no", "--", "src"]);
  return [
    ["processor", `${processors[0]?.model ?? "unknown"}, ${processors.length} cores`],
    ["system", `Linux ${release()}, Node ${process.versions.node}`],
    ...others,
    [
      "commit",
      `${firstLine("git", ["rev-parse", "--short=10", "HEAD"])}${changes === "" ? "" : ", with changes to src/"}`,
    ],
    [
      "load when it ended (1, 5, 15 minutes)",
      loadavg()
        .map((load) => load.toFixed(2))
        .join(", "),
    ],
  ];
}

/** A Markdown table of two columns. */
export function table(head: readonly [string, string], rows: readonly (readonly [string, string])[]): string {
  return [`| ${head[0]} | ${head[1]} |`, "|---|---|", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join(
    "\n",
  );
}
