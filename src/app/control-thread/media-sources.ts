import type { ChannelChange } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { SourceStatus } from "../../control/channels/source.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";
import type { LiveState } from "../../control/live/live-state.ts";
import type { NodePeers } from "../../control/ports/owner-question.ts";
import type { Runtime } from "../../control/ports/runtime.ts";
import type { SlateStage, SlateState } from "../../control/ports/slate-maker.ts";
import type { SourceCommand, SourcePeers } from "../../control/ports/source-player.ts";
import type { Store } from "../../control/ports/store.ts";
import { ScheduleRunner } from "../../control/schedules/schedule-runner.ts";
import { Schedules } from "../../control/schedules/schedules.ts";
import type { SharedClock } from "../../control/schedules/shared-clock.ts";
import { WindowWatch } from "../../control/schedules/window-watch.ts";
import { SharedSources, type SourceUseCases } from "../../control/sources/shared-sources.ts";
import { Slates } from "../../control/sources/slates.ts";
import { SourceFence } from "../../control/sources/source-fence.ts";
import { SourceTakeover } from "../../control/sources/source-takeover.ts";
import { Sources } from "../../control/sources/sources.ts";
import { EFFECT_DEADLINE_MS } from "../../control/use-cases/edit-context.ts";
import type { TargetEdits } from "../../control/use-cases/target-edits.ts";
import { findFfmpeg } from "../../ffmpeg/find-ffmpeg.ts";
import { MediaLibrary } from "../../media-files/media-library.ts";
import { WatchedFolder } from "../../media-files/watched-folder.ts";
import type { CidrBlock } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import { openPullLink } from "../../sources/pull-links/open-pull-link.ts";
import { PullDialer } from "../../sources/pull-links/pull-dialer.ts";
import { SlateMaking } from "../../sources/slates/slate-making.ts";
import { SourcePlayers } from "../../sources/source-players.ts";
import { listWindowedTargets } from "../../store/channels/windowed-targets.ts";
import type { Database } from "../../store/database/database.ts";
import { clockAheadOf } from "../../store/database/database-time.ts";
import { SqlScheduleStore } from "../../store/sources/schedule-store.ts";
import { SqlSourceStore } from "../../store/sources/source-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { MediaPool } from "./media/media-pool.ts";
import type { Buses } from "./subscriptions.ts";

export type MediaSourcesDeps = {
  readonly folder: string;
  readonly quotaMb: number;
  /** Absent: none. */
  readonly watchFolder: string | undefined;
  readonly database: Database;
  readonly store: Store;
  readonly runtime: MediaPool;
  /** The other nodes where several share the database, and the channels of all. */
  readonly cluster: { readonly sourcePeers: SourcePeers; readonly runtime: Pick<Runtime, "live"> } | undefined;
  readonly clock: Clock;
  /** The clock of the database where servers share it: a run or a window begins at one moment for all of them. Measured here. */
  readonly sharedClock: SharedClock;
  readonly log: Log;
  readonly publish: (fact: ServerFact) => void;
  readonly isOverloaded: () => boolean;
  readonly liveState: Pick<LiveState, "until">;
  readonly random: () => number;
  readonly randomBytes: (length: number) => Buffer;
  /** From where sources may be fetched: the rules of targets. */
  readonly reach: {
    readonly allowed: readonly CidrBlock[];
    readonly ownHosts: readonly string[];
    readonly ownPorts: readonly number[];
    /** PEM certificates of authorities; empty: only the usual ones. */
    readonly extraCa: string;
  };
  /** The servers that share the database; absent: there are none. */
  readonly peers: NodePeers | undefined;
  readonly followWindows: TargetEdits["followWindows"];
};

const BYTES_PER_MB = 1_000_000;
/** After these a target may have other windows. */
const CHANGES_TARGETS: readonly ChannelChange[] = [
  ...(["created", "deleted", "target-added", "target-edited", "target-removed", "target-turned-on"] as const),
];

/** What sources and slates say to the verdict on a channel. */
export function mediaVerdicts(media: () => Pick<MediaSources, "status" | "slateTrouble">) {
  return {
    sourceOf: (channelId: ChannelId) => media().status(channelId),
    slateOf: (channelId: ChannelId) => media().slateTrouble(channelId),
  };
}

/** The library of media files and the sources of channels, composed. */
export class MediaSources {
  readonly files: MediaLibrary;
  /** For the API: of all nodes where there are several. */
  readonly sources: SourceUseCases;
  /** What plays at this node. */
  readonly own: Sources;
  readonly schedules: Schedules;
  readonly #runner: ScheduleRunner;
  readonly #windows: WindowWatch;
  readonly #watched: WatchedFolder | undefined;
  readonly #takeover: SourceTakeover | undefined;
  readonly #fence: SourceFence | undefined;
  readonly #shared: SharedSources | undefined;
  readonly #players: SourcePlayers;
  readonly #slates: Slates;
  readonly #sourcePeers: SourcePeers | undefined;
  readonly #stopping = new AbortController();
  readonly #log: Log;
  readonly #ownPorts: number[];
  readonly #database: Database;
  readonly #sharedClock: SharedClock;

  constructor(deps: MediaSourcesDeps) {
    const { folder, quotaMb, database, store, runtime, clock, log, publish, isOverloaded, liveState, peers } = deps;
    const hasOthers = peers !== undefined;
    const { random, randomBytes, reach } = deps;
    this.#log = log;
    this.#database = database;
    this.#sharedClock = deps.sharedClock;
    this.#sourcePeers = deps.cluster?.sourcePeers;
    this.#ownPorts = [...reach.ownPorts];
    const policy = { allowed: reach.allowed, ownHosts: reach.ownHosts, ownPorts: this.#ownPorts };
    const dialer = new PullDialer({ clock, policy, resolver: createResolver(), extraCa: reach.extraCa });
    const { watchFolder } = deps;
    const quotaBytes = quotaMb * BYTES_PER_MB;
    this.files = new MediaLibrary({ ...{ folder, clock, log }, findFfmpeg, quotaBytes, watchFolder });
    if (watchFolder !== undefined)
      this.#watched = new WatchedFolder({ folder: watchFolder, library: this.files, clock, log });
    this.#players = new SourcePlayers({
      ...{ clock, log, random, findFfmpeg, files: this.files },
      openLink: (url, signal, from) => openPullLink(url, { dialer, randomBytes }, signal, from),
      publish: (channelId, read) => runtime.publish(channelId, read),
      onStatus: (channelId, status) => this.own.changed(channelId, status),
      isElsewhere: peers === undefined ? undefined : (channelId) => peers.isElsewhere(channelId),
    });
    const sourceStore = new SqlSourceStore(database);
    const stage: SlateStage = {
      setSlate: (channelId, flv) => {
        // A copy of its own bytes alone: other channels may get the same slate.
        const bytes = flv === undefined ? {} : { flv: new Uint8Array(flv).buffer };
        runtime.routes.post(channelId, { kind: "slate", channelId, ...bytes });
      },
      setCurtain: (channelId, isClosed) => runtime.routes.post(channelId, { kind: "curtain", channelId, isClosed }),
    };
    this.#slates = new Slates({
      ...{ runtime: stage, clock, log, publish },
      maker: new SlateMaking({ files: this.files, findFfmpeg, stopping: this.#stopping.signal }),
    });
    const until = (isSo: () => boolean) => liveState.until(isSo, EFFECT_DEADLINE_MS);
    this.own = new Sources({
      ...{ slates: this.#slates, until },
      ...{ store, clock, log, publish, isOverloaded },
      runtime: { ...stage, live: (channelId) => runtime.live(channelId) },
      sourceStore,
      ...(peers === undefined ? {} : { node: peers.self }),
      player: this.#players,
      files: this.files,
      isScheduled: (fileId) => this.#runner.plays(fileId),
    });
    if (peers !== undefined) {
      const { own: sources, files } = this;
      this.#takeover = new SourceTakeover({ ...{ sources, files, peers, clock, log }, store: sourceStore });
      this.#fence = new SourceFence({ sources, peers, clock, log });
    }
    if (deps.cluster !== undefined) {
      const { sourcePeers, runtime: all } = deps.cluster;
      const refresh = async (channelId: ChannelId) => await this.#takeover?.refresh(channelId);
      this.#shared = new SharedSources({ own: this.own, peers: sourcePeers, runtime: all, until, refresh, log });
    }
    this.sources = this.#shared ?? this.own;
    this.#windows = new WindowWatch({
      list: async () => {
        await this.setClock();
        return await listWindowedTargets(database);
      },
      follow: deps.followWindows,
      switches: runtime.switches,
      ...{ clock: this.#sharedClock, log, hasOthers },
    });
    const scheduleStore = new SqlScheduleStore(database);
    this.#runner = new ScheduleRunner({
      ...{ store: scheduleStore, sources: this.own, files: this.files, clock: this.#sharedClock, log, publish },
      others: this.#takeover,
    });
    this.schedules = new Schedules({
      ...{ store, scheduleStore, runner: this.#runner, files: this.files, clock: this.#sharedClock },
      ...{ randomBytes, publish },
    });
  }

  /** Reads which files there are. */
  load(): void {
    this.files.load();
  }

  /** Begins what played when the server ended, then follows the schedules. Call once encoders are let in. */
  start(): void {
    const begun = this.#takeover === undefined ? this.own.resume() : this.#takeover.start();
    begun
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#log.error("sources could not be read", { detail });
      })
      // Without it the clock of this server counts until the windows are read.
      .then(() => this.setClock().catch(() => undefined))
      .then(() => (this.#stopping.signal.aborted ? undefined : this.#runner.start()));
    void this.#fence?.start();
    void this.#windows.start();
    void this.#watched?.start();
  }

  /** Measures the shared clock. Rejects where the database cannot be asked. */
  async setClock(): Promise<void> {
    if (!this.#database.isShared) return;
    const askedMs = this.#sharedClock.now();
    const aheadMs = await this.#database.read(clockAheadOf);
    this.#sharedClock.measured(aheadMs, this.#sharedClock.now() - askedMs);
  }

  /** What the channel's source does, at this node or another one. A part of the verdict. */
  status(channelId: ChannelId): SourceStatus | undefined {
    return (this.#shared ?? this.own).status(channelId);
  }

  /** How the channel's slate is at this node. */
  slateState(channelId: ChannelId): SlateState | undefined {
    return this.#slates.state(channelId);
  }

  /** Why the channel's slate cannot be shown, by this node or another one. A part of the verdict. */
  slateTrouble(channelId: ChannelId): SlateState | undefined {
    return this.#slates.trouble(channelId) ?? this.#sourcePeers?.slate(channelId);
  }

  /** Does what another node asks for; see `SharedSources.run`. */
  async run(channelId: ChannelId, command: SourceCommand): Promise<boolean> {
    return (await this.#shared?.run(channelId, command)) ?? false;
  }

  /** Reads again what another node has stored about the channel's source. */
  refresh(channelId: ChannelId): void {
    void this.#takeover?.refresh(channelId);
  }

  /** The channel was deleted. */
  forget(channelId: ChannelId): void {
    this.own.forget(channelId);
    this.#runner.forget(channelId);
  }

  /** Adds a port of this server: no source is fetched from there. */
  addOwnPort(port: number): void {
    this.#ownPorts.push(port);
  }

  /** A deleted channel has no source; slates follow the form of their streams, and the ends of broadcasts. */
  subscribe({ facts, samples }: Pick<Buses, "facts" | "samples">): void {
    facts.subscribe("sources", (fact) => {
      if (fact.kind === "channel-changed" && fact.change === "deleted") {
        this.forget(fact.channelId);
      }
      if (fact.kind === "channel-changed" && fact.change === "end-requested")
        void (this.#shared ?? this.own).ended(fact.channelId);
      if (fact.kind === "channel-changed" && CHANGES_TARGETS.includes(fact.change)) this.#windows.changed();
      if (fact.kind === "ingest-ended" && fact.isBroadcastOver) this.#slates.ended(fact.channelId);
    });
    samples.subscribe("slates", (batch) => this.#slates.samples(batch));
  }

  /** Another process takes over: it plays on what plays here. */
  async handOver(): Promise<void> {
    this.#stopping.abort();
    this.#runner.stop();
    this.own.progress.stop();
    this.#takeover?.stop();
    this.#fence?.stop();
    this.#windows.stop();
    this.#watched?.stop();
    await Promise.all([this.#players.abandon(), this.files.close()]);
  }

  /** Ends FFmpeg everywhere. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#runner.stop();
    this.own.progress.stop();
    this.#takeover?.stop();
    this.#fence?.stop();
    this.#windows.stop();
    this.#watched?.stop();
    await Promise.all([this.#players.close(), this.files.close()]);
  }
}
