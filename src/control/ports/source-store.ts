import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { StoredSource } from "../channels/source.ts";

/** What a person sets of a source, and what becomes of it. */
export type SourceSettings = Pick<StoredSource, "channelId" | "source" | "slateFileId">;
export type SourceProgress = Omit<StoredSource, "source" | "slateFileId">;

/** The store of channels' sources. Every call may reject with StoreUnavailableError. */
export interface SourceStore {
  /** All of them, of channels that exist. */
  listSources(): Promise<readonly StoredSource[]>;
  /** In place of the present ones. */
  putSettings(settings: SourceSettings): Promise<void>;
  /** In place of the present one. Returns false, and does nothing, where another process plays the source now. */
  putProgress(progress: SourceProgress): Promise<boolean>;
  /** Makes `node` the process that plays it, if `before` was it until now. Of several that try, one gets true. */
  claimSource(channelId: ChannelId, before: number, node: number): Promise<boolean>;
}
