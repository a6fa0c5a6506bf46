import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files of more than ten seconds, the longest first. One of them at the end would leave the other workers idle, and
 * browsers' files that are missing here run at once: Vitest's own order puts the largest together.
 */
const LONG = [
  "test/e2e/broadcast/every-byte.test.ts",
  "test/dashboard/browser/standing-still.test.ts",
  "test/e2e/cluster/isolated-source.test.ts",
  "test/dashboard/browser/server/server-gone.test.ts",
  "test/e2e/cluster/lab.test.ts",
  "test/dashboard/browser/channel/late-answers.test.ts",
  "test/e2e/cluster/sources.test.ts",
  "test/e2e/broadcast/edits-on-air.test.ts",
  "test/media-files/uploaded-forms.system.test.ts",
  "test/e2e/cluster/partitions.test.ts",
  "test/dashboard/browser/channel/new-panels.test.ts",
  "test/e2e/broadcast/outage.test.ts",
  "test/dashboard/browser/channel/thumbnails.test.ts",
  "test/e2e/broadcast/hold.test.ts",
  "test/app/media-threads.test.ts",
  "test/dashboard/browser/server/update.test.ts",
  "test/e2e/targets/delay-crash.test.ts",
  "test/e2e/targets/failing-targets.test.ts",
  "test/dashboard/browser/pages.test.ts",
  "test/e2e/upgrade/upgrade.test.ts",
  "test/dashboard/browser/field-problems.test.ts",
  "test/e2e/process/shutdown.test.ts",
  "test/e2e/cluster/cluster-demo.test.ts",
  "test/e2e/targets/slow-disk.test.ts",
  "test/cli/package.system.test.ts",
  "test/e2e/cluster/two-nodes.test.ts",
  "test/e2e/process/unwritable-database.test.ts",
  "test/e2e/targets/srt-targets.test.ts",
  "test/sources/pull/hostile-http.test.ts",
  "test/dashboard/browser/channel/quick-presses.test.ts",
  "test/e2e/process/database-trouble.test.ts",
  "test/e2e/upgrade/sources.test.ts",
  "test/e2e/upgrade/srt.test.ts",
  "test/dashboard/browser/alerts.test.ts",
  "test/dashboard/browser/channel/first-steps.test.ts",
  "test/sources/pull/pull-servers.system.test.ts",
  "test/e2e/sources/file-source.test.ts",
  "test/dashboard/browser/overview.test.ts",
  "test/e2e/cluster/told-to-all.test.ts",
  "test/e2e/targets/target-recovery.test.ts",
  "test/e2e/ingest/srt-flood.test.ts",
  "test/store/postgres/postgres.system.test.ts",
  "test/e2e/ingest/real-codecs.test.ts",
  "test/e2e/process/server-crash.test.ts",
  "test/dashboard/browser/server/trouble.test.ts",
  "test/ingest/unauthenticated.test.ts",
  "test/dashboard/browser/channel/first-minute.test.ts",
  "test/e2e/sources/schedule.test.ts",
  "test/e2e/process/kill-nine.test.ts",
  "test/dashboard/browser/channel/preview.test.ts",
  "test/e2e/sources/pull-source.test.ts",
  "test/e2e/cluster/clocks.test.ts",
  "test/dashboard/browser/forms.test.ts",
  "test/e2e/ingest/srt-pauses.test.ts",
  "test/e2e/process/log-output.test.ts",
  "test/e2e/ingest/ingest-check.test.ts",
  "test/dashboard/browser/server/push.test.ts",
  "test/e2e/targets/delayed-targets.test.ts",
  "test/e2e/broadcast/relay-cost.test.ts",
  "test/e2e/ingest/enhanced-rtmp.test.ts",
  "test/e2e/sources/slate.test.ts",
  "test/dashboard/browser/server/reverse-proxy.test.ts",
  "test/recording/upload.system.test.ts",
  "test/store/postgres/races.system.test.ts",
  "test/e2e/viewers/preview.test.ts",
  "test/cluster/nats-bus.system.test.ts",
  "test/e2e/ingest/srt.test.ts",
  "test/e2e/broadcast/canary.test.ts",
  "test/e2e/targets/stopped-audio.test.ts",
  "test/e2e/process/webhooks.test.ts",
  "test/e2e/upgrade/recording.test.ts",
  "test/dashboard/browser/server/session-ended.test.ts",
  "test/dashboard/browser/server/sign-out.test.ts",
  "test/e2e/broadcast/media-threads.test.ts",
  "test/store/postgres/connections.system.test.ts",
  "test/deploy/deploy.system.test.ts",
  "test/placement/simulation.test.ts",
  "test/dashboard/browser/channel/verdict.test.ts",
  "test/sources/changing-files.system.test.ts",
  "test/store/sqlite.test.ts",
  "test/app/control-thread/traces.system.test.ts",
  "test/e2e/process/contacts.test.ts",
  "test/dashboard/browser/channel/platform-row.test.ts",
  "test/e2e/targets/observed.test.ts",
  "test/egress/flooding-target.test.ts",
  "test/e2e/broadcast/recording.test.ts",
  "test/e2e/ingest/obs.test.ts",
  "test/e2e/broadcast/recording-troubles.test.ts",
  "test/testkit/real-programs.system.test.ts",
  "test/cli/api/commands.test.ts",
  "test/e2e/broadcast/every-packet.test.ts",
  "test/e2e/ingest/backup.test.ts",
  "test/e2e/ingest/test-pattern.test.ts",
  "test/e2e/ingest/two-encoders.test.ts",
  "test/http/contract/error-matrix.test.ts",
  "test/dashboard/browser/channel/test-pattern.test.ts",
  "test/e2e/broadcast/live-status.test.ts",
  "test/e2e/targets/tls.test.ts",
  "test/dashboard/browser/copy.test.ts",
  "test/testkit/command.test.ts",
  "test/e2e/broadcast/hold-by-api.test.ts",
  "test/e2e/ingest/handover.test.ts",
  "test/e2e/cluster/login.test.ts",
  "test/app/control-thread/media-pool.test.ts",
  "test/protocol/fuzz.test.ts",
  "test/e2e/broadcast/recorded-tracks.test.ts",
  "test/e2e/targets/added-silence.test.ts",
  "test/e2e/ingest/ingest-login.test.ts",
  "test/relay/simulation.test.ts",
  "test/dashboard/browser/server/secrets.test.ts",
  "test/dashboard/browser/channel/uploads.test.ts",
  "test/patterns.test.ts",
  "test/sources/slate-codecs.system.test.ts",
  "test/cli/upgrade.system.test.ts",
  "test/dashboard/browser/export.test.ts",
  "test/app/commands/restore.test.ts",
  "test/e2e/broadcast/encoder-pace.test.ts",
];

/**
 * Starts one project's files after another's, because a worker process serves one project: the long files first, the
 * others in Vitest's own order. Browsers keep the processor busy, the other end-to-end files mostly wait: both kinds
 * run at any time.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const projects = Map.groupBy(await super.sort(files), ({ project }) => project.name);
    return [...projects.values()].flatMap((usual) => {
      const ranked = usual.toSorted((one, other) => rank(one) - rank(other));
      const { browsers = [], others = [] } = Object.groupBy(ranked, (file) =>
        file.moduleId.includes("/test/dashboard/browser/") ? "browsers" : "others",
      );
      return mixed(browsers, others);
    });
  }
}

/** Both lists in their order, the shorter one spread evenly over the longer one. */
function mixed<T>(...lists: readonly (readonly T[])[]): T[] {
  const placed = lists.flatMap((list) => list.map((file, index) => ({ file, place: (index + 0.5) / list.length })));
  return placed.toSorted((one, other) => one.place - other.place).map(({ file }) => file);
}

function rank({ moduleId }: TestSpecification): number {
  const place = LONG.findIndex((path) => moduleId.endsWith(path));
  return place === -1 ? LONG.length : place;
}
