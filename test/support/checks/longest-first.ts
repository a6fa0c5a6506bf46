import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, the longest first: unit and system tests of more than ten seconds, end-to-end tests of more
 * than twenty. One of them at the end of a run would leave the other workers idle.
 */
const LONG = [
  "test/store/postgres/postgres.system.test.ts",
  "test/app/media-threads.test.ts",
  "test/protocol/fuzz.test.ts",
  "test/egress/flooding-target.test.ts",
  "test/cli/package.system.test.ts",
  "test/cluster/nats-bus.system.test.ts",
  "test/testkit/command.test.ts",
  "test/cli/api/commands.test.ts",
  "test/e2e/broadcast/every-byte.test.ts",
  "test/e2e/ingest/srt.test.ts",
  "test/e2e/upgrade/upgrade.test.ts",
  "test/e2e/cluster/cluster-demo.test.ts",
  "test/e2e/cluster/lab.test.ts",
  "test/dashboard/browser/server/server-gone.test.ts",
  "test/dashboard/browser/overview.test.ts",
  "test/e2e/broadcast/edits-on-air.test.ts",
  "test/dashboard/browser/channel/thumbnails.test.ts",
  "test/e2e/broadcast/hold.test.ts",
  "test/dashboard/browser/field-problems.test.ts",
  "test/dashboard/browser/alerts.test.ts",
  "test/dashboard/browser/pages.test.ts",
  "test/dashboard/browser/channel/first-steps.test.ts",
  "test/e2e/process/kill-nine.test.ts",
  "test/e2e/broadcast/outage.test.ts",
  "test/e2e/targets/failing-targets.test.ts",
  "test/dashboard/browser/channel/preview.test.ts",
  "test/dashboard/browser/server/trouble.test.ts",
  "test/dashboard/browser/channel/verdict.test.ts",
  "test/e2e/process/shutdown.test.ts",
  "test/e2e/ingest/ingest-check.test.ts",
  "test/dashboard/browser/channel/test-pattern.test.ts",
  "test/e2e/targets/target-recovery.test.ts",
  "test/dashboard/browser/server/push.test.ts",
  "test/e2e/process/database-trouble.test.ts",
  "test/e2e/ingest/backup.test.ts",
  "test/dashboard/browser/server/reverse-proxy.test.ts",
  "test/e2e/broadcast/every-packet.test.ts",
  "test/e2e/process/server-crash.test.ts",
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
