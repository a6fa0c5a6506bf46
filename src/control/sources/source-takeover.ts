import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { isToPlay, type StoredSource } from "../channels/source.ts";
import type { MediaFiles } from "../ports/media-files.ts";
import type { NodePeers } from "../ports/owner-question.ts";
import type { Incarnation } from "../ports/ownership-store.ts";
import type { SourceStore } from "../ports/source-store.ts";
import { isPlayable } from "./playable.ts";
import type { Sources } from "./sources.ts";

export type SourceTakeoverDeps = {
  readonly store: Pick<SourceStore, "listSources" | "findSource" | "claimSource">;
  readonly sources: Pick<Sources, "learn" | "adopt" | "plays" | "gaveWay" | "changes" | "channelIds" | "forget">;
  readonly files: Pick<MediaFiles, "list" | "isAvailable">;
  readonly peers: Pick<NodePeers, "self" | "isDraining" | "isAlive" | "isElsewhere">;
  readonly clock: Clock;
  readonly log: Log;
};

/** How often the sources are looked at, in milliseconds. */
const LOOK_MS = 2_000;
/** A process that did not answer at so many looks in a row is gone. */
const SILENT_LOOKS = 2;

/**
 * Lets a source play on where the process that played it is gone: one of the others takes it, and the database decides
 * which. Also brings what other processes changed. Only where several share the database.
 */
export class SourceTakeover {
  readonly #deps: SourceTakeoverDeps;
  readonly #failures: FailureLog;
  /** At how many looks in a row each process was silent. */
  readonly #silent = new Map<Incarnation, number>();
  /** Channels whose source plays at another process that runs. */
  #elsewhere: ReadonlySet<ChannelId> = new Set();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: SourceTakeoverDeps) {
    this.#deps = deps;
    this.#failures = new FailureLog({
      ...{ clock: deps.clock, log: deps.log },
      failed: "sources of other servers could not be followed",
      worksAgain: "sources of other servers are followed again",
    });
  }

  /** Looks now and again until it is stopped. Never rejects. */
  async start(): Promise<void> {
    if (this.#isStopped) return;
    await this.#look().then(
      () => this.#failures.worked(),
      (error: unknown) => this.#failures.failed(error),
    );
    if (!this.#isStopped) this.#timer = this.#deps.clock.startTimer(LOOK_MS, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Whether another process has the channel, or plays its source as of the last look. Rejects as `NodePeers` do. */
  async isElsewhere(channelId: ChannelId): Promise<boolean> {
    return this.#elsewhere.has(channelId) || (await this.#deps.peers.isElsewhere(channelId));
  }

  /** Brings what another process may have changed of one channel. Never rejects. */
  async refresh(channelId: ChannelId): Promise<void> {
    const { store, sources } = this.#deps;
    const { changes } = sources;
    try {
      const stored = await store.findSource(channelId);
      // Else it was read before this process changed something, which is newer.
      if (stored !== undefined && changes === sources.changes) sources.learn(stored);
    } catch (error) {
      this.#failures.failed(error);
    }
  }

  /** Returns all sources; undefined where they were read before this process changed something. */
  async #learn(): Promise<readonly StoredSource[] | undefined> {
    const { store, sources } = this.#deps;
    const { changes } = sources;
    const all = await store.listSources();
    if (changes !== sources.changes) return undefined;
    const channelIds = new Set(all.map(({ channelId }) => channelId));
    // Their channels were deleted at another process.
    for (const channelId of [...sources.channelIds()]) if (!channelIds.has(channelId)) sources.forget(channelId);
    for (const stored of all) sources.learn(stored);
    return all;
  }

  async #look(): Promise<void> {
    const { sources } = this.#deps;
    const all = await this.#learn();
    if (all === undefined) return;
    const waiting = all.filter((stored) => isToPlay(stored) && !sources.plays(stored.channelId));
    const nodes = new Set(waiting.map(({ node }) => node));
    const gone = await this.#goneOf(nodes);
    this.#elsewhere = new Set(
      waiting.filter(({ node }) => !gone.has(node) && node !== this.#self).map(({ channelId }) => channelId),
    );
    if (this.#isStopped || this.#deps.peers.isDraining) return;
    for (const stored of waiting) {
      if (stored.node === this.#self) await this.#goOn(stored);
      else if (gone.has(stored.node)) await this.#take(stored);
    }
  }

  get #self(): Incarnation {
    return this.#deps.peers.self;
  }

  /** Which of these processes are gone. */
  async #goneOf(nodes: ReadonlySet<Incarnation>): Promise<ReadonlySet<Incarnation>> {
    for (const node of this.#silent.keys()) if (!nodes.has(node)) this.#silent.delete(node);
    const gone = new Set<Incarnation>();
    await Promise.all(
      [...nodes].map(async (node) => {
        const isAlive = node === this.#self || (await this.#deps.peers.isAlive(node));
        const looks = isAlive ? 0 : (this.#silent.get(node) ?? 0) + 1;
        this.#silent.set(node, looks);
        if (looks >= SILENT_LOOKS) gone.add(node);
      }),
    );
    return gone;
  }

  /** This process may play it, and another one had the channel: it goes on once that is free. */
  async #goOn(stored: StoredSource): Promise<void> {
    const { sources, peers } = this.#deps;
    const isFree = sources.gaveWay(stored.channelId) && !(await peers.isElsewhere(stored.channelId));
    if (isFree && !sources.plays(stored.channelId)) await sources.adopt(stored);
  }

  async #take(stored: StoredSource): Promise<void> {
    const { store, sources, log } = this.#deps;
    const { channelId, node } = stored;
    if (sources.plays(channelId) || !this.#isPlayable(stored)) return;
    if (!(await store.claimSource(channelId, node, this.#self))) return;
    log.warn("a source plays on here: its server is gone", { channelId, from: node });
    await sources.adopt(stored);
  }

  /** Whether FFmpeg is here, and one of its files. */
  #isPlayable({ source, scheduled }: StoredSource): boolean {
    const { files } = this.#deps;
    return files.isAvailable && isPlayable(scheduled?.source ?? source, files.list());
  }
}
