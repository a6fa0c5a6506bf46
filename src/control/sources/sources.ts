import type { ChannelChange } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId, ChannelSpec } from "../../thread-protocol/channel-spec.ts";
import { type Channel, type ChannelRecord, channelSpec } from "../channels/channel.ts";
import {
  type ChannelSource,
  isRunning,
  isToPlay,
  type ScheduledRun,
  type SourceStatus,
  type StoredSource,
} from "../channels/source.ts";
import type { ChannelChanged, SourceChanged } from "../facts/server-fact.ts";
import { DomainError } from "../ports/errors.ts";
import type { MediaFile, MediaFiles } from "../ports/media-files.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { SlateStage } from "../ports/slate-maker.ts";
import type { SourcePlayer } from "../ports/source-player.ts";
import type { SourceStore } from "../ports/source-store.ts";
import type { Store } from "../ports/store.ts";
import { filesOf, isPlayable } from "./playable.ts";
import { SlateUses } from "./slate-uses.ts";
import type { Slates } from "./slates.ts";
import { SourceStatuses } from "./source-statuses.ts";
import { StoredSources } from "./stored-sources.ts";
import { UnstoredProgress } from "./unstored-progress.ts";

export type SourcesDeps = {
  readonly store: Pick<Store, "findChannel">;
  readonly sourceStore: SourceStore;
  readonly player: SourcePlayer;
  readonly files: MediaFiles;
  readonly runtime: Pick<Runtime, "live"> & Pick<SlateStage, "setCurtain">;
  readonly slates: Slates;
  readonly isOverloaded: () => boolean;
  /** Waits until this is so, but not for long. */
  readonly until: (isSo: () => boolean) => Promise<unknown>;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (fact: SourceChanged | ChannelChanged) => void;
  /** Whether a schedule plays this file. */
  readonly isScheduled: (fileId: string) => boolean;
  /** This process among those that share the database; absent: it has the database for itself. */
  readonly node?: number;
};

/** A channel's source, and what it does now. */
export type SourceDetail = {
  readonly source: ChannelSource | undefined;
  readonly status: SourceStatus;
  /** The schedule that plays in its place; undefined where none does. */
  readonly scheduleId: string | undefined;
};

/** Where in a playlist it begins. */
export type PlayPlace = { readonly position: number; readonly offsetMs: number };

/**
 * The use cases of sources: what plays into a channel in place of an encoder. A source never interrupts an encoder; an
 * encoder takes over from a source. Calls throw DomainError `channel-not-found`.
 */
export class Sources {
  readonly #deps: SourcesDeps;
  readonly #statuses: SourceStatuses;
  readonly #stored: StoredSources;
  /** What the database did not take yet. Stop it before another process gets the database. */
  readonly progress: UnstoredProgress;
  readonly slates: SlateUses;

  constructor(deps: SourcesDeps) {
    this.#deps = deps;
    this.#statuses = new SourceStatuses(deps.clock);
    this.#stored = new StoredSources(deps.sourceStore, deps.node ?? 0);
    this.progress = new UnstoredProgress({
      ...deps,
      put: (channelId, progress) => this.#stored.become(channelId, progress),
      onTaken: (channelId) => void this.giveWay(channelId),
    });
    this.slates = new SlateUses({
      ...deps,
      stored: this.#stored,
      channel: (channelId) => this.#channel(channelId),
      publishChange: (change, channel) => this.#publishChange(change, channel),
    });
  }

  /**
   * Reads what is stored, and begins what played when the server ended. Call once, when encoders are let in; where others
   * share the database, `SourceTakeover` does it.
   */
  async resume(): Promise<void> {
    const all = await this.#stored.readOwn();
    // First what there is: what is not known here counts as not there, and its files as free.
    for (const stored of all) this.learn(stored);
    for (const stored of all)
      await this.adopt(stored).catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#deps.log.warn("a source could not be resumed", { channelId: stored.channelId, detail });
      });
  }

  /** Rises with each change that this process makes: what was read before is out of date. */
  get changes(): number {
    return this.#stored.changes;
  }

  /** Takes what the database has of a channel, where other servers change it too. */
  learn(stored: StoredSource): void {
    const { slates, player } = this.#deps;
    const { channelId, source, slateFileId } = stored;
    if (slateFileId !== slates.fileOf(channelId)) slates.choose(channelId, slateFileId);
    const present = this.#stored.get(channelId);
    const isOther = JSON.stringify(source) !== JSON.stringify(present.source);
    if (!this.plays(channelId)) {
      this.#stored.know(stored);
      if (isOther) this.#forgetStatus(channelId);
      return;
    }
    const { isWanted, position, node, scheduled } = present;
    const run = scheduled === undefined ? {} : { scheduled };
    this.#stored.know({ ...stored, isWanted, position, node, ...run });
    if (source !== undefined && isOther && scheduled === undefined) player.update(channelId, source);
  }

  /** Plays what is stored, also where another server played it. The database says that this one does. */
  async adopt(stored: StoredSource): Promise<void> {
    const own = { ...stored, node: this.#stored.node };
    this.#stored.know(own);
    await this.#resume(own);
  }

  /** Whether a source plays here, or is being started. */
  plays(channelId: ChannelId): boolean {
    return isRunning(this.#statuses.get(channelId));
  }

  /** Whether a source stopped here, since another server had its channel. */
  gaveWay(channelId: ChannelId): boolean {
    const status = this.#statuses.get(channelId);
    return status?.state === "stopped" && status.reason === "elsewhere";
  }

  /** Stops a source that another server plays, or may play. It goes on here once no other server has its channel. */
  async giveWay(channelId: ChannelId): Promise<void> {
    await this.#deps.player.stop(channelId, "elsewhere");
  }

  /** What the channel's source does here, or did last; undefined where none was started since the process started. */
  status(channelId: ChannelId): SourceStatus | undefined {
    return this.#statuses.get(channelId);
  }

  /** The channels whose sources have a status. */
  channelIds(): Iterable<ChannelId> {
    return this.#statuses.keys();
  }

  /** Whether this process has what it takes to play the channel's source: FFmpeg, and one of its files. */
  canPlay(channelId: ChannelId): boolean {
    const { player, files } = this.#deps;
    const { source } = this.#stored.get(channelId);
    return player.isAvailable && isPlayable(source, files.list());
  }

  /** Says that a person changed the channel at this process, by what another one has done. */
  async announce(change: ChannelChange, channelId: ChannelId): Promise<void> {
    this.#publishChange(change, await this.#channel(channelId));
  }

  async get(channelId: ChannelId): Promise<SourceDetail> {
    await this.#channel(channelId);
    return this.#detail(channelId);
  }

  /**
   * Sets the source. A list that plays goes on with the new one behind its present file; another address is connected
   * to at once. Throws DomainError `media-file-not-found`, `media-file-not-ready` where a file cannot be played, and
   * `source-running` where a source of the other kind plays.
   */
  async set(channelId: ChannelId, source: ChannelSource): Promise<SourceDetail> {
    const channel = await this.#channel(channelId);
    const { source: present = source, scheduled } = this.#stored.get(channelId);
    if (present.kind !== source.kind && scheduled === undefined && this.plays(channelId))
      throw new DomainError({ kind: "source-running" });
    for (const fileId of filesOf(source)) {
      if (this.#deps.files.get(fileId).state !== "ready") throw new DomainError({ kind: "media-file-not-ready" });
    }
    const stored = this.#stored.get(channelId);
    await this.#stored.putSource({ ...stored, source });
    if (!this.plays(channelId)) this.#forgetStatus(channelId);
    if (stored.scheduled === undefined) this.#deps.player.update(channelId, source);
    this.#publishChange("source-changed", channel);
    return this.#detail(channelId);
  }

  /** Removes the source; one that plays is stopped, but not the run of a schedule. */
  async clear(channelId: ChannelId): Promise<SourceDetail> {
    const channel = await this.#channel(channelId);
    const isScheduled = this.#stored.get(channelId).scheduled !== undefined;
    if (!isScheduled) await this.#deps.player.stop(channelId, "stopped-by-person");
    if (!isScheduled) await this.#stored.putProgress({ ...this.#stored.get(channelId), isWanted: false, position: 0 });
    const { source: _source, ...others } = this.#stored.get(channelId);
    await this.#stored.putSource(others);
    if (!isScheduled) this.#forgetStatus(channelId);
    this.#publishChange("source-changed", channel);
    return this.#detail(channelId);
  }

  /**
   * Plays the source from its beginning. Throws DomainError `no-source`, `ffmpeg-missing`, `source-running`,
   * `channel-off`, `source-encoder-on-air` and `server-overloaded`.
   */
  async start(channelId: ChannelId): Promise<SourceDetail> {
    const channel = await this.begin(channelId);
    this.#publishChange("source-started", channel);
    return this.#detail(channelId);
  }

  /** The same for another process, which says that the channel was changed. */
  async begin(channelId: ChannelId): Promise<Channel> {
    const channel = await this.#channel(channelId);
    const { source } = this.#stored.get(channelId);
    if (source === undefined) throw new DomainError({ kind: "no-source" });
    if (!this.#deps.player.isAvailable) throw new DomainError({ kind: "ffmpeg-missing" });
    if (this.plays(channelId)) throw new DomainError({ kind: "source-running" });
    this.#specOf(channel);
    await this.#stored.claim({ ...this.#stored.get(channelId), isWanted: true, position: 0 });
    this.#begin(channelId, source, { position: 0, offsetMs: 0 });
    return channel;
  }

  /**
   * Stops it like an encoder that stops streaming; one that waits for its channel plays no more. Throws DomainError
   * `source-not-running`.
   */
  async stop(channelId: ChannelId): Promise<SourceDetail> {
    const channel = await this.#channel(channelId);
    this.#checkStoppable(channelId);
    this.#publishChange("source-stopped", channel);
    await this.halt(channelId);
    return this.#detail(channelId);
  }

  /** The same for another process, which says that the channel was changed. */
  async halt(channelId: ChannelId): Promise<void> {
    this.#checkStoppable(channelId);
    const reason = "stopped-by-person";
    if (this.plays(channelId)) await this.#deps.player.stop(channelId, reason);
    else this.changed(channelId, { state: "stopped", sinceTime: this.#deps.clock.wallNow(), reason });
  }

  /**
   * Plays the run of a schedule, in place of a source that plays. Throws DomainError `channel-not-found`,
   * `ffmpeg-missing`, `channel-off`, `source-encoder-on-air`, `server-overloaded`, and `source-running` where a source of
   * the channel plays on another server.
   */
  async playScheduled(channelId: ChannelId, run: ScheduledRun, { position, offsetMs }: PlayPlace): Promise<void> {
    if (!this.#deps.player.isAvailable) throw new DomainError({ kind: "ffmpeg-missing" });
    this.#specOf(await this.#channel(channelId));
    await this.#stored.claim({ ...this.#stored.get(channelId), isWanted: false, scheduled: run, position });
    this.#begin(channelId, run.source, { position, offsetMs });
  }

  /** The runs of schedules that play here. */
  get scheduledRuns(): readonly (readonly [ChannelId, ScheduledRun])[] {
    return this.#stored.runsHere();
  }

  /** The end of the run has come. Does nothing where something else plays by now. */
  async endScheduled(channelId: ChannelId, { scheduleId, endTime }: ScheduledRun): Promise<void> {
    const { scheduled } = this.#stored.get(channelId);
    if (scheduled?.scheduleId !== scheduleId || scheduled.endTime !== endTime) return;
    await this.#deps.player.stop(channelId, "schedule-over");
    const { scheduled: after, ...others } = this.#stored.get(channelId);
    // Nothing played.
    if (after === scheduled) await this.#stored.putProgress(others);
  }

  /** Deletes a file. Throws DomainError `media-file-in-use` where a source, a schedule or a slate has it. */
  async removeFile(fileId: string): Promise<MediaFile> {
    const { isScheduled } = this.#deps;
    for (const { source, scheduled, slateFileId } of this.#stored.all()) {
      const isPlayed = [source, scheduled?.source].some((each) => filesOf(each).includes(fileId));
      if (isPlayed || slateFileId === fileId) throw new DomainError({ kind: "media-file-in-use" });
    }
    if (isScheduled(fileId)) throw new DomainError({ kind: "media-file-in-use" });
    return this.#deps.files.remove(fileId);
  }

  /** A person ended the broadcast or its hold: a pull, which would connect again, ends with it, and so do files that wait. */
  ended(channelId: ChannelId): void {
    const { source, scheduled } = this.#stored.get(channelId);
    const isPull = source?.kind === "pull" && scheduled === undefined;
    if (isPull || this.#statuses.get(channelId)?.state === "failed") void this.#deps.player.stop(channelId, "replaced");
  }

  /** The channel was deleted. */
  forget(channelId: ChannelId): void {
    this.#stored.forget(channelId);
    this.progress.forget(channelId);
    this.#statuses.delete(channelId);
    this.#deps.slates.choose(channelId, undefined);
    void this.#deps.player.stop(channelId, "stopped-by-person");
  }

  /** Takes every status of the player. */
  changed(channelId: ChannelId, status: SourceStatus): void {
    const from = this.#statuses.get(channelId)?.state ?? "stopped";
    const stored = this.#stored.get(channelId);
    if (stored.source === undefined && stored.scheduled === undefined) return;
    this.#statuses.set(channelId, status);
    this.#deps.publish({ kind: "source-changed", time: this.#deps.clock.wallNow(), channelId, from, status });
    const { scheduled, ...others } = stored;
    // What plays on another server is still wanted, and so is the run of a schedule, which that server ends.
    if (status.state === "stopped" && status.reason === "elsewhere") {
      if (scheduled !== undefined) this.#stored.know(others);
      return;
    }
    const isOver = status.state === "stopped";
    const isWanted = !isOver && scheduled === undefined;
    const position = status.state === "playing" ? (status.position ?? 0) : stored.position;
    const isSame = stored.isWanted === isWanted && stored.position === position;
    if (isSame && !(isOver && scheduled !== undefined)) return;
    const run = isOver || scheduled === undefined ? {} : { scheduled };
    void this.progress.store(channelId, { ...run, isWanted, position });
  }

  /** Begins what played when the server ended. A run of a schedule whose end has come meanwhile is over. */
  async #resume({ scheduled, ...stored }: StoredSource): Promise<void> {
    const { channelId, source, isWanted, position } = stored;
    const at = { position, offsetMs: 0 };
    if (scheduled === undefined) {
      if (isWanted && source !== undefined) this.#begin(channelId, source, at);
    } else if ((scheduled.endTime ?? Infinity) > this.#deps.clock.wallNow()) {
      this.#begin(channelId, scheduled.source, at);
    } else {
      await this.#stored.putProgress({ ...stored, isWanted: false });
    }
  }

  #checkStoppable(channelId: ChannelId): void {
    const stored = this.#stored.get(channelId);
    const waits = this.gaveWay(channelId) && isToPlay(stored) && stored.node === this.#stored.node;
    if (!this.plays(channelId) && !waits) throw new DomainError({ kind: "source-not-running" });
  }

  /** Why the earlier source stopped says nothing about the present one. A source that waits for its channel waits on. */
  #forgetStatus(channelId: ChannelId): void {
    const { clock, publish } = this.#deps;
    if (this.gaveWay(channelId) || !this.#statuses.delete(channelId)) return;
    const status: SourceStatus = { state: "stopped", sinceTime: clock.wallNow() };
    publish({ kind: "source-changed", time: status.sinceTime, channelId, from: "stopped", status });
  }

  #begin(channelId: ChannelId, source: ChannelSource, place: PlayPlace): void {
    const { player, clock, publish } = this.#deps;
    const read = async () => this.#specOf(await this.#channel(channelId));
    // It is stored that this one plays.
    this.progress.forget(channelId);
    const time = clock.wallNow();
    const from = this.#statuses.get(channelId)?.state ?? "stopped";
    const status: SourceStatus = { state: "starting", sinceTime: time };
    this.#statuses.set(channelId, status);
    publish({ kind: "source-changed", time, channelId, from, status });
    player.start({ channelId, source, ...place, read });
  }

  /** The channel's spec, where a source may begin now. */
  #specOf(channel: Channel): ChannelSpec {
    const { runtime, isOverloaded } = this.#deps;
    if (channel.state === "blocked") throw new DomainError({ kind: "channel-off" });
    const live = runtime.live(channel.channelId);
    // During a hold the targets wait for a stream: a source may bring it, and the next connection of a source too.
    const isEncoder = live?.ingest?.state !== "HELD" && live?.ingest?.sourceKind === undefined;
    if (live?.isPublishing === true && isEncoder) throw new DomainError({ kind: "source-encoder-on-air" });
    if (live?.isPublishing !== true && isOverloaded()) throw new DomainError({ kind: "server-overloaded" });
    return channelSpec(channel);
  }

  #publishChange(change: ChannelChange, { channelId, name: channelName }: ChannelRecord): void {
    const { publish, clock } = this.#deps;
    publish({ kind: "channel-changed", change, time: clock.wallNow(), channelId, channelName });
  }

  async #channel(channelId: ChannelId): Promise<Channel> {
    const channel = await this.#deps.store.findChannel(channelId);
    if (channel === undefined) throw new DomainError({ kind: "channel-not-found" });
    return channel;
  }

  #detail(channelId: ChannelId): SourceDetail {
    const stored = this.#stored.get(channelId);
    const isElsewhere = !this.plays(channelId) && isToPlay(stored) && stored.node !== this.#stored.node;
    const stopped: SourceStatus = { state: "stopped", sinceTime: this.#deps.clock.wallNow() };
    const own = this.#statuses.get(channelId) ?? stopped;
    const status: SourceStatus = isElsewhere ? { ...stopped, reason: "elsewhere" } : own;
    return { source: stored.source, status, scheduleId: stored.scheduled?.scheduleId };
  }
}
