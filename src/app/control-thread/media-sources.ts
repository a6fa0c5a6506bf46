import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";
import type { Store } from "../../control/ports/store.ts";
import { Sources } from "../../control/sources/sources.ts";
import { findFfmpeg } from "../../ffmpeg/find-ffmpeg.ts";
import { MediaLibrary } from "../../media-files/media-library.ts";
import { SourcePlayers } from "../../sources/source-players.ts";
import type { Database } from "../../store/database/database.ts";
import { SqlSourceStore } from "../../store/sources/source-store.ts";
import type { MediaPool } from "./media/media-pool.ts";

export type MediaSourcesDeps = {
  readonly folder: string;
  readonly quotaMb: number;
  readonly database: Database;
  readonly store: Store;
  readonly runtime: MediaPool;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: (fact: ServerFact) => void;
  readonly isOverloaded: () => boolean;
};

const BYTES_PER_MB = 1_000_000;

/** The library of media files and the sources of channels, composed. */
export class MediaSources {
  readonly files: MediaLibrary;
  readonly sources: Sources;
  readonly #players: SourcePlayers;
  readonly #log: Log;

  constructor(deps: MediaSourcesDeps) {
    const { folder, quotaMb, database, store, runtime, clock, log, publish, isOverloaded } = deps;
    this.#log = log;
    this.files = new MediaLibrary({ ...{ folder, clock, log }, findFfmpeg, quotaBytes: quotaMb * BYTES_PER_MB });
    this.#players = new SourcePlayers({
      ...{ clock, log, findFfmpeg, files: this.files },
      publish: (channelId, read) => runtime.publish(channelId, read),
      onStatus: (channelId, status) => this.sources.changed(channelId, status),
    });
    this.sources = new Sources({
      ...{ store, runtime, clock, log, publish, isOverloaded },
      sourceStore: new SqlSourceStore(database),
      player: this.#players,
      files: this.files,
    });
  }

  /** Begins what played when the server ended. Call once encoders are let in. */
  start(): void {
    this.sources.resume().catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      this.#log.error("sources could not be read", { detail });
    });
  }

  /** Takes every fact: a deleted channel has no source. */
  fact(fact: ServerFact): void {
    if (fact.kind === "channel-changed" && fact.change === "deleted") this.sources.forget(fact.channelId);
  }

  /** Another process takes over: it plays on what plays here. */
  async handOver(): Promise<void> {
    await Promise.all([this.#players.abandon(), this.files.close()]);
  }

  /** Ends FFmpeg everywhere. */
  async close(): Promise<void> {
    await Promise.all([this.#players.close(), this.files.close()]);
  }
}
