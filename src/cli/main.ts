#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=131072 node --max-semi-space-size=4
import { nodeProblem } from "./node-version.ts";
import { StopRequest } from "./stop-request.ts";

// Before anything is loaded that an older Node does not have.
const problem = nodeProblem(process.versions.node);
if (problem !== undefined) {
  process.stderr.write(problem);
  process.exit(1);
}
// The rest is loaded after this, which takes most of the start. A stop request must be noticed meanwhile.
const stopRequest = new StopRequest();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine(stopRequest);
