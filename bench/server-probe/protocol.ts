import { join } from "node:path";
import type { AllocationSite } from "./allocation-sites.ts";

/** The variable that names the folder where a server's threads listen for requests. */
export const PROBE_FOLDER = "BENCH_PROBE_FOLDER";

export function threadSocket(folder: string, thread: string): string {
  return join(folder, `${thread}.sock`);
}

/** What one thread allocated in a while. */
export type ThreadProfile = {
  readonly seconds: number;
  /** On V8's heap, most first. */
  readonly sites: readonly AllocationSite[];
  /** Bytes of memory for buffers requested of `Buffer`, by caller. */
  readonly bufferBytes: Readonly<Record<string, number>>;
};
