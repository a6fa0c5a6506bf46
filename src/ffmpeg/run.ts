import type { JobLimits } from "./job-limits.ts";
import { startChild } from "./limited-child.ts";

/** What a program wrote, or why it failed. */
export type RunResult = { readonly output: Buffer } | { readonly reason: string };

/** Runs a program to its end. `limits.outputBytes` bounds what is kept in memory; `stopping` ends
 * the program. Never rejects. */
export async function run(
  program: string,
  args: readonly string[],
  limits: JobLimits & { readonly outputBytes: number },
  stopping?: AbortSignal,
): Promise<RunResult> {
  const child = startChild(program, args, limits);
  const parts: Buffer[] = [];
  child.output.on("data", (part: Buffer) => parts.push(part));
  const stop = () => child.kill("it was stopped");
  if (stopping?.aborted === true) stop();
  stopping?.addEventListener("abort", stop);
  const end = await child.ended;
  stopping?.removeEventListener("abort", stop);
  if (end.kind === "done") return { output: Buffer.concat(parts) };
  return { reason: end.kind === "failed" ? end.reason : "it was stopped" };
}
