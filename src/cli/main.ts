#!/usr/bin/env -S node --max-semi-space-size=8
import { StopRequest } from "./stop-request.ts";

// All the rest is loaded behind this, which takes most of the start: who is asked to stop meanwhile has to hear it.
const stopRequest = new StopRequest();
const { runCommandLine } = await import("./command-line.ts");
await runCommandLine(stopRequest);
