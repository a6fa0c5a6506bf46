import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { type ChannelSource, isRunning, newerSource, type SourceStatus } from "../channels/source.ts";
import { DomainError } from "../ports/errors.ts";
import type { Incarnation } from "../ports/ownership-store.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { SourceCommand, SourcePeers } from "../ports/source-player.ts";
import type { SlateDetail, SlateUses } from "./slate-uses.ts";
import type { SourceDetail, Sources } from "./sources.ts";

/** What the API does with sources and slates: at a single server, or at one of several. */
export type SourceUseCases = Pick<Sources, "get" | "set" | "clear" | "start" | "stop" | "removeFile"> & {
  readonly slates: Pick<SlateUses, "get" | "set" | "setCurtain">;
};

export type SharedSourcesDeps = {
  readonly own: Sources;
  readonly peers: SourcePeers;
  /** The channels of all nodes. */
  readonly runtime: Pick<Runtime, "live">;
  /** Waits until this is so, but not for long. */
  readonly until: (isSo: () => boolean) => Promise<unknown>;
  /** Reads again what other nodes have stored about the channel's source. Never rejects. */
  readonly refresh: (channelId: ChannelId) => Promise<void>;
  readonly log: Log;
};

/**
 * The use cases of sources where several nodes share the database: each works at every node. A source plays at one node;
 * the others show what it does there, and pass commands on.
 */
export class SharedSources implements SourceUseCases {
  readonly slates: SourceUseCases["slates"];
  readonly #deps: SharedSourcesDeps;

  constructor(deps: SharedSourcesDeps) {
    this.#deps = deps;
    const { slates } = deps.own;
    this.slates = {
      get: (channelId) => this.#slate(channelId, () => slates.get(channelId)),
      set: (channelId, fileId) => this.#slate(channelId, () => slates.set(channelId, fileId)),
      setCurtain: (channelId, isClosed) => this.#setCurtain(channelId, isClosed),
    };
  }

  /** What the channel's source does at the node where it plays, or did last. */
  status(channelId: ChannelId): SourceStatus | undefined {
    const { own, peers } = this.#deps;
    return newerSource(own.status(channelId), peers.source(channelId)?.status);
  }

  async get(channelId: ChannelId): Promise<SourceDetail> {
    return this.#asEverywhere(channelId, await this.#read(channelId));
  }

  async set(channelId: ChannelId, source: ChannelSource): Promise<SourceDetail> {
    const { own } = this.#deps;
    const { source: present = source, scheduleId } = await this.#read(channelId);
    const isOtherKind = present.kind !== source.kind && scheduleId === undefined;
    if (isOtherKind && isRunning(this.status(channelId))) throw new DomainError({ kind: "source-running" });
    return this.#asEverywhere(channelId, await own.set(channelId, source));
  }

  async clear(channelId: ChannelId): Promise<SourceDetail> {
    const { own, peers } = this.#deps;
    const { scheduleId } = await this.#read(channelId);
    const node = this.#playsAt(channelId);
    if (node !== undefined && scheduleId === undefined) await peers.ask(node, channelId, "stop");
    return this.#asEverywhere(channelId, await own.clear(channelId));
  }

  /**
   * Plays the source here, or at the node that owns the channel, or at one that has the files. Throws DomainError as
   * `Sources.start` does, and OwnerUnavailableError where that node does not respond.
   */
  async start(channelId: ChannelId): Promise<SourceDetail> {
    const { own, peers, until } = this.#deps;
    await this.#read(channelId);
    if (this.#playsAt(channelId) !== undefined) throw new DomainError({ kind: "source-running" });
    for (const node of this.#players(channelId)) {
      if (!(await peers.ask(node, channelId, "start"))) continue;
      await own.announce("source-started", channelId);
      await until(() => isRunning(this.status(channelId)));
      return this.get(channelId);
    }
    return own.start(channelId);
  }

  async stop(channelId: ChannelId): Promise<SourceDetail> {
    const { own, peers, until } = this.#deps;
    await this.#read(channelId);
    const node = this.#playsAt(channelId);
    if (node === undefined) return this.#asEverywhere(channelId, await own.stop(channelId));
    await peers.ask(node, channelId, "stop");
    await own.announce("source-stopped", channelId);
    await until(() => !isRunning(this.status(channelId)));
    return this.get(channelId);
  }

  removeFile(fileId: string) {
    return this.#deps.own.removeFile(fileId);
  }

  /** A person ended the broadcast or its hold at this node: a pull ends with it, wherever it plays. Never rejects. */
  async ended(channelId: ChannelId): Promise<void> {
    const { own, peers, log } = this.#deps;
    own.ended(channelId);
    const node = this.#playsAt(channelId);
    if (node === undefined) return;
    try {
      await peers.ask(node, channelId, "ended");
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.warn("a source was not ended at its server", { channelId, node, detail });
    }
  }

  /** Does what another node asks for. Returns as `SourcePeers.ask`, and rejects with DomainError. */
  async run(channelId: ChannelId, command: SourceCommand): Promise<boolean> {
    const { own, peers, refresh } = this.#deps;
    // The other node may have stored something a moment ago.
    await refresh(channelId);
    switch (command) {
      case "start":
        if (peers.isDraining || !own.canPlay(channelId)) return false;
        await own.begin(channelId);
        break;
      case "stop":
        await own.halt(channelId);
        break;
      case "ended":
        own.ended(channelId);
        break;
      case "close-curtain":
      case "open-curtain":
        own.slates.moveCurtain(channelId, command === "close-curtain");
        break;
    }
    return true;
  }

  /** Another node may have changed it a moment ago. */
  async #read(channelId: ChannelId): Promise<SourceDetail> {
    await this.#deps.refresh(channelId);
    return this.#deps.own.get(channelId);
  }

  /** The other node at which the source plays. */
  #playsAt(channelId: ChannelId): Incarnation | undefined {
    const { own, peers } = this.#deps;
    const told = own.plays(channelId) ? undefined : peers.source(channelId);
    return isRunning(told?.status) ? told?.node : undefined;
  }

  /** The other nodes that should play the source rather than this one, the best first. */
  #players(channelId: ChannelId): readonly Incarnation[] {
    const { own, peers } = this.#deps;
    const owner = peers.owner(channelId);
    if (owner !== undefined) return [owner];
    return own.canPlay(channelId) && !peers.isDraining ? [] : peers.takers();
  }

  /** Where this node plays nothing: what another one says. */
  #asEverywhere(channelId: ChannelId, detail: SourceDetail): SourceDetail {
    const told = this.#deps.peers.source(channelId);
    if (told === undefined || this.status(channelId) !== told.status) return detail;
    return detail.source === undefined && detail.scheduleId === undefined ? detail : { ...detail, status: told.status };
  }

  /** The owner of the channel makes its slate, so the owner knows how that is. */
  async #slate(channelId: ChannelId, read: () => Promise<SlateDetail>): Promise<SlateDetail> {
    const { peers, runtime, refresh } = this.#deps;
    await refresh(channelId);
    const detail = await read();
    if (peers.owner(channelId) === undefined) return detail;
    await peers.freshen(channelId);
    const live = runtime.live(channelId);
    const ingest = live?.isPublishing === true ? live.ingest : undefined;
    return {
      fileId: detail.fileId,
      state: detail.fileId === undefined ? undefined : (peers.slate(channelId) ?? detail.state),
      isCurtainClosed: ingest?.isCurtainClosed === true,
      isSlateShown: ingest?.isSlateShown === true,
    };
  }

  async #setCurtain(channelId: ChannelId, isClosed: boolean): Promise<SlateDetail> {
    const { own, peers, runtime, until } = this.#deps;
    const owner = peers.owner(channelId);
    if (owner === undefined) return own.slates.setCurtain(channelId, isClosed);
    await own.get(channelId);
    await peers.ask(owner, channelId, isClosed ? "close-curtain" : "open-curtain");
    await own.announce(isClosed ? "curtain-closed" : "curtain-opened", channelId);
    await until(() => (runtime.live(channelId)?.ingest?.isCurtainClosed === true) === isClosed);
    return this.slates.get(channelId);
  }
}
