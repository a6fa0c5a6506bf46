import { expect, test } from "vitest";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import type { PublisherArrival } from "../../src/relay/publish-gateway.ts";
import type { PlayedClip } from "../../src/sources/clip.ts";
import { SourceRun } from "../../src/sources/source-run.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const quiet = () => undefined;
/** FFmpeg that has written nothing yet. */
const CLIP: PlayedClip = {
  ...{ next: undefined, isRead: false, isOver: false, takenTotal: 0, failure: undefined },
  ...{ take: quiet, kill: quiet, gone: Promise.resolve() },
};

test("files play since a time that follows the wall clock, whichever of them plays", async () => {
  const STEP_MS = 86_400_000;
  const clock = new VirtualClock();
  const files: { isOver: boolean; isRead: boolean }[] = [];
  const statuses: SourceStatus[] = [];
  const start = { channelId: "c", position: 0, read: async () => ({}) as ChannelSpec };
  const source = { kind: "files", fileIds: ["mf-a", "mf-b"], isLooped: true } as const;
  const run = new SourceRun(start, source, {
    ...{ clock, onSkipped: quiet, onStatus: (status: SourceStatus) => void statuses.push(status) },
    openFile: () => {
      const file = { ...CLIP, takenTotal: 1, isOver: false, isRead: false };
      files.push(file);
      return file;
    },
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
      tryAdmit: async () => "admitted",
      open: () => ({ push: quiet, end: quiet }),
    }),
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  const sinceTime = clock.wallNow();
  expect(run.status).toMatchObject({ state: "playing", sinceTime, fileId: "mf-a" });
  clock.advance(1_000);
  clock.setWall(-STEP_MS);
  Object.assign(files[0] ?? {}, { isOver: true });
  clock.advance(1_000);
  expect(run.status).toMatchObject({ state: "playing", sinceTime: sinceTime - STEP_MS, fileId: "mf-b" });
  // Another list begins by the present clock.
  clock.setWall(-STEP_MS);
  run.switchTo(start, source);
  await run.stop("stopped-by-person");
  expect(statuses.at(-1)).toMatchObject({ state: "stopped", sinceTime: clock.wallNow() });
});

test.each([
  { name: "another server has the channel", isElsewhere: async () => true, reason: "elsewhere" },
  { name: "no other server has it", isElsewhere: async () => false, reason: "replaced" },
  { name: "that cannot be asked", isElsewhere: () => Promise.reject(new Error("no database")), reason: "replaced" },
  { name: "there is no other server", isElsewhere: undefined, reason: "replaced" },
])("files that their channel drops say why: $name", async ({ isElsewhere, reason }) => {
  const arrivals: PublisherArrival[] = [];
  const over = Promise.withResolvers<SourceStatus>();
  const start = { channelId: "c", position: 0, read: async () => ({}) as ChannelSpec };
  const source = { kind: "files", fileIds: ["mf-a"], isLooped: true } as const;
  const run = new SourceRun(start, source, {
    ...{ clock: new VirtualClock(), openFile: () => CLIP, onSkipped: quiet, isElsewhere },
    publish: async () => ({
      ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
      tryAdmit: async () => "admitted",
      open: (arrival) => {
        arrivals.push(arrival);
        return { push: quiet, end: quiet };
      },
    }),
    onStatus: (status) => {
      if (status.state === "stopped") over.resolve(status);
    },
  });
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  expect(run.status.state).toBe("playing");
  arrivals[0]?.onDismissed();
  expect(await over.promise).toMatchObject({ state: "stopped", reason });
});
