import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { systemClock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import type { ApiPause } from "../../../http/server/api-pause.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { Storage } from "../../data-folder/storage.ts";
import type { ThreadMessage } from "../../upgrade/follower.ts";
import type { HandoverServer } from "../../upgrade/handover.ts";
import { closeHttp } from "../http-listening.ts";
import type { MediaPool } from "../media/media-pool.ts";
import type { MediaSources } from "../media-sources.ts";
import type { Notifications } from "../notifications.ts";
import type { RecordingWorker } from "../recording/recording-worker.ts";
import type { TotalsKeeper } from "../totals-keeper.ts";
import type { Succession } from "./succession.ts";
import { takeWhenLeft } from "./take-folder.ts";

const PROCESS_ID_BYTES = 4;

/** The parts of a server that another process may take over. */
export type HandoverParts = {
  readonly http: FastifyInstance;
  readonly metricsHttp: FastifyInstance;
  readonly pause: ApiPause;
  readonly runtime: MediaPool;
  readonly media: MediaSources;
  readonly recorder: RecordingWorker;
  readonly liveState: LiveState;
  readonly notifications: Notifications;
  readonly totals: TotalsKeeper;
  readonly storage: Storage;
  readonly succession: Succession;
  readonly log: Log;
  readonly ports: () => readonly number[];
  readonly isStopping: () => boolean;
  readonly stop: HandoverServer["stop"];
};

/** Makes of a server what another process needs to take it over. */
export function handoverServer(parts: HandoverParts): HandoverServer {
  const { runtime, notifications, totals, storage, succession } = parts;
  const processId = `${process.pid}-${randomBytes(PROCESS_ID_BYTES).toString("hex")}`;
  const { workers } = runtime;
  let isReleased = false;
  const isOwn = (channelId: ChannelId) => workers.all.some((worker) => runtime.owner(channelId) === worker);
  const take = ({ thread, message }: ThreadMessage) => {
    const worker = workers.all[thread];
    if (worker === undefined) return;
    if (message === "gone") runtime.gone(worker, true);
    else runtime.take(worker, message);
  };
  return {
    processId,
    ports: parts.ports,
    refusal: () => (parts.isStopping() ? "it is stopping." : undefined),
    threadCount: workers.all.length,
    hasPredecessors: () => succession.handovers.length > 0,
    acceptLinks: (thread, path) => {
      const worker = workers.all[thread];
      return worker === undefined
        ? Promise.reject(new Error("no such thread"))
        : runtime.linkSockets.accept(worker, path);
    },
    divert: (take) =>
      runtime.divert(take === undefined ? undefined : (worker, message) => take({ thread: worker.index, message })),
    giveUp: async () => {
      await Promise.all([parts.pause.begin(), succession.pause()]);
      totals.stop();
      await totals.storeLast();
      await notifications.pause();
      await storage.giveUp();
    },
    takeBack: async (isWanted) => {
      await takeWhenLeft(() => storage.take(), isWanted);
      storage.followKeys(parts.log);
      succession.goOn();
      notifications.goOn();
      totals.start();
      parts.pause.end();
    },
    release: async () => {
      isReleased = true;
      totals.abandon();
      notifications.abandon();
      workers.handOver();
      succession.leave();
      // Two recorders must not write to one folder: the files of this one are finished.
      await Promise.all([notifications.close(), parts.media.handOver(), parts.recorder.stop("SERVER_UPGRADED")]);
      await storage.close();
    },
    state: (linkPaths) => {
      const threads = workers.all.map((worker, index) => {
        const { name } = worker;
        return { name, linkPath: linkPaths[index] ?? "", channels: runtime.ownedBy(worker) };
      });
      // What came since the release was stored by the process that took over.
      const unstored = isReleased ? {} : { unstored: unstoredOf(parts) };
      return { processId, threads, ...knownOf(parts, isOwn), ...unstored };
    },
    note: ({ thread, message }) => {
      const isState =
        message === "gone" ||
        message.kind === "fact" ||
        message.kind === "samples" ||
        message.kind === "channel-released";
      if (isState) take({ thread, message });
    },
    take,
    post: (thread, message) => workers.all[thread]?.post(message),
    stopAccepting: async () => {
      workers.stopAccepting();
      await Promise.all([closeHttp(parts.http), closeHttp(parts.metricsHttp)]);
    },
    isBusy: () => workers.relayed > 0 || runtime.running.channelIds.some(isOwn),
    stop: parts.stop,
  };
}

/** What this process knows of the broadcasts of its threads, up to now. */
function knownOf({ runtime, notifications, liveState }: HandoverParts, isOwn: (channelId: ChannelId) => boolean) {
  const broadcasts = runtime.running.list().filter(({ channelId }) => isOwn(channelId));
  return {
    broadcasts,
    onAirMs: broadcasts.flatMap(({ channelId }) => liveState.onAirMs(channelId)),
    reports: notifications.reports.running().filter(({ channelId }) => isOwn(channelId)),
    told: broadcasts.flatMap(({ channelId }) => {
      const told = notifications.alerts.told(channelId);
      return told === undefined ? [] : [[channelId, told] as const];
    }),
    time: systemClock.wallNow(),
  };
}

function unstoredOf({ notifications, liveState }: HandoverParts) {
  return { ...notifications.unstored, totals: liveState.unstoredTotals() };
}
