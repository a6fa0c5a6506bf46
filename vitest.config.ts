import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./test/support/checks/closing-line-reporter.ts";
import { LongestFirst } from "./test/support/checks/longest-first.ts";
import { memoryFolder } from "./test/support/processes/memory-folder.ts";

/** How long a test, or what opens and closes its stage, may hang. Far beyond what they need, so that a busy machine does not fail them. */
const HANGING = { testTimeout: 300_000, hookTimeout: 300_000 };
/** How long a poll of any test waits: it bounds a failing test only. Vitest's own second is too short for a busy machine. */
const PATIENT = { expect: { poll: { timeout: 60_000 } } };
/** The same where each look asks another process, a server or a browser. */
const PATIENT_OVER_SOCKETS = { expect: { poll: { interval: 100, ...PATIENT.expect.poll } } };
/** Test files at the same time on two cores: many of them wait for clocks, processes and sockets. */
const FILES_AT_ONCE = 6;
/** Tests of one file at the same time, where they are `test.concurrent`: each has a server of its own. */
const TESTS_AT_ONCE = 4;

/** Tests that run programs other than Node: FFmpeg, nginx, Python, the shell. They stand beside the unit tests of their folder. */
const SYSTEM = "test/**/*.system.test.ts";
const E2E = ["test/e2e/**/*.test.ts", "test/dashboard/browser/**/*.test.ts"];
/** Files that bound a gap or a time. */
const ALONE = ["test/app/message-flood.test.ts", "test/ingest/many-connections.test.ts"];

/**
 * The files that one worker runs share its process and what it imported: a process for each file took a quarter of the
 * processor time. So a test ends what it starts, and restores what it replaces.
 */
const SHARES_PROCESS = { isolate: false };

/**
 * Node itself loads sources and tests, as it loads the server: Vite would transform each of them once for each project,
 * and every use of an import would be a look into a table.
 */
const BY_NODE = { experimental: { viteModuleRunner: false, nodeLoader: false } };
/** Files that load a module anew, with another one beside it or with other globals: only Vite's loader can do that. */
const LOADS_ANEW = ["test/app/media-pool-placement.test.ts", "test/dashboard/api.test.ts"];

/**
 * Node keeps here what it compiled of the sources. The servers, commands and threads that tests start then need half
 * the processor time for their start. Node checks each entry against its source.
 */
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "node_modules", ".cache", "compiled");

/** Servers and commands start from one file: half of a start is finding files. */
const BUNDLES = "test/support/processes/server-bundle.ts";

/** Databases wait for the disk at each commit: on a disk that was half of the time of the API's tests. */
const TMPDIR = memoryFolder();
const IN_MEMORY = TMPDIR === undefined ? {} : { env: { TMPDIR, FANFARE_TEST_RUN_FOLDER: TMPDIR } };
/** Removed when the run is over. Here is what the tests of a run share: data of servers that end with their process. */
const RUN_FOLDER = TMPDIR === undefined ? {} : { env: { FANFARE_TEST_RUN_FOLDER: TMPDIR } };

export default defineConfig({
  test: {
    reporters: ["default", new ClosingLineReporter()],
    maxConcurrency: TESTS_AT_ONCE,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        // Needs nothing but Node: `npm run test:unit`.
        test: {
          ...{ ...SHARES_PROCESS, ...IN_MEMORY, ...BY_NODE, ...HANGING, ...PATIENT },
          name: "unit",
          globalSetup: BUNDLES,
          include: ["test/**/*.test.ts"],
          exclude: [SYSTEM, ...E2E, ...ALONE, ...LOADS_ANEW],
          maxWorkers: FILES_AT_ONCE,
        },
      },
      {
        test: {
          ...{ ...SHARES_PROCESS, ...IN_MEMORY, ...HANGING, ...PATIENT },
          name: "unit-anew",
          include: LOADS_ANEW,
          maxWorkers: FILES_AT_ONCE,
        },
      },
      {
        test: {
          ...{ ...SHARES_PROCESS, ...IN_MEMORY, ...BY_NODE, ...HANGING, ...PATIENT },
          name: "system",
          globalSetup: BUNDLES,
          include: [SYSTEM],
          maxWorkers: FILES_AT_ONCE,
        },
      },
      {
        // Real encoders, servers and clocks.
        test: {
          ...{ ...SHARES_PROCESS, ...RUN_FOLDER, ...BY_NODE, ...HANGING, ...PATIENT_OVER_SOCKETS },
          name: "e2e",
          globalSetup: BUNDLES,
          include: E2E,
          exclude: ALONE,
          maxWorkers: FILES_AT_ONCE,
        },
      },
      {
        // One file after another, with nothing beside it.
        test: {
          ...{ ...BY_NODE, ...HANGING, ...PATIENT_OVER_SOCKETS },
          name: "e2e-alone",
          globalSetup: BUNDLES,
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
