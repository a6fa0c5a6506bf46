import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than ten seconds, the longest first. One of them at the end of a run would leave the other workers idle. */
const LONG = [
  "test/e2e/broadcast/every-byte.test.ts",
  "test/e2e/process/kill-nine.test.ts",
  "test/app/media-threads.test.ts",
  "test/e2e/broadcast/edits-on-air.test.ts",
  "test/e2e/broadcast/hold.test.ts",
  "test/e2e/broadcast/outage.test.ts",
  "test/e2e/targets/failing-targets.test.ts",
  "test/e2e/process/database-trouble.test.ts",
  "test/e2e/cluster/cluster-demo.test.ts",
  "test/e2e/cluster/lab.test.ts",
  "test/e2e/cluster/two-nodes.test.ts",
  "test/e2e/ingest/backup.test.ts",
  "test/e2e/ingest/ingest-check.test.ts",
  "test/dashboard/browser/pages.test.ts",
  "test/e2e/targets/target-recovery.test.ts",
  "test/e2e/process/server-crash.test.ts",
  "test/testkit/command.test.ts",
  "test/e2e/ingest/enhanced-rtmp.test.ts",
  "test/e2e/process/webhooks.test.ts",
  "test/http/routes/dashboard.test.ts",
  "test/egress/flooding-target.test.ts",
];

/** Starts the long files first, the others in Vitest's own order. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const usual = await super.sort(files);
    return usual.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex((path) => moduleId.endsWith(path));
  return place === -1 ? LONG.length : place;
}
