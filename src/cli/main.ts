#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=131072 node --max-semi-space-size=4
import { StopRequest } from "./stop-request.ts";

// The rest is loaded after this, which takes most of the start. A stop request must be noticed meanwhile.
const stopRequest = new StopRequest();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine(stopRequest);
