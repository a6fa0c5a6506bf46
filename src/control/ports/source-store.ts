import type { StoredSource } from "../channels/source.ts";

/** The store of channels' sources. Every call may reject with StoreUnavailableError. */
export interface SourceStore {
  /** All of them, of channels that exist. */
  listSources(): Promise<readonly StoredSource[]>;
  /** In place of the present one. */
  putSource(source: StoredSource): Promise<void>;
}
