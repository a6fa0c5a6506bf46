import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take more than ten seconds, the longest first. One of them at the end of a run would leave the other workers idle. */
const LONG = [
  "test/e2e/every-byte.test.ts",
  "test/e2e/kill-nine.test.ts",
  "test/app/media-threads.test.ts",
  "test/e2e/edits-on-air.test.ts",
  "test/e2e/hold.test.ts",
  "test/e2e/outage.test.ts",
  "test/e2e/failing-targets.test.ts",
  "test/e2e/database-trouble.test.ts",
  "test/e2e/backup.test.ts",
  "test/e2e/ingest-check.test.ts",
  "test/dashboard/browser/pages.test.ts",
  "test/e2e/target-recovery.test.ts",
  "test/e2e/server-crash.test.ts",
  "test/testkit/command.test.ts",
  "test/e2e/enhanced-rtmp.test.ts",
  "test/e2e/webhooks.test.ts",
  "test/http/dashboard.test.ts",
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
