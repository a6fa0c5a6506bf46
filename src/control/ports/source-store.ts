import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSource, StoredSource } from "../channels/source.ts";

/** What becomes of a source. */
export type SourceProgress = Omit<StoredSource, "source" | "slateFileId">;

/** The store of channels' sources. Every call may reject with StoreUnavailableError. */
export interface SourceStore {
  /** All of them, of channels that exist. */
  listSources(): Promise<readonly StoredSource[]>;
  /** That of one channel; undefined where it has none, or does not exist. */
  findSource(channelId: ChannelId): Promise<StoredSource | undefined>;
  /** In place of the present one; undefined: none. The slate stays as it is, also where another process set it. */
  putSource(channelId: ChannelId, source: ChannelSource | undefined): Promise<void>;
  /** In place of the present one; undefined: none. The source stays as it is. */
  putSlate(channelId: ChannelId, slateFileId: string | undefined): Promise<void>;
  /** In place of the present one. Returns false, and does nothing, where another process plays the source now. */
  putProgress(progress: SourceProgress): Promise<boolean>;
  /** Makes `node` the process that plays it, if `before` was it until now. Of several that try, one gets true. */
  claimSource(channelId: ChannelId, before: number, node: number): Promise<boolean>;
}
