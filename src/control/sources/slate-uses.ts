import type { ChannelChange } from "../../api-contract/event-words.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Channel } from "../channels/channel.ts";
import { DomainError } from "../ports/errors.ts";
import type { MediaFiles } from "../ports/media-files.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { SlateStage, SlateState } from "../ports/slate-maker.ts";
import type { Slates } from "./slates.ts";
import type { StoredSources } from "./stored-sources.ts";

export type SlateUsesDeps = {
  readonly stored: StoredSources;
  readonly slates: Slates;
  readonly files: Pick<MediaFiles, "get">;
  readonly runtime: Pick<Runtime, "live"> & Pick<SlateStage, "setCurtain">;
  /** Waits until this is so, but not for long. */
  readonly until: (isSo: () => boolean) => Promise<unknown>;
  /** Throws DomainError `channel-not-found`. */
  readonly channel: (channelId: ChannelId) => Promise<Channel>;
  readonly publishChange: (change: ChannelChange, channel: Channel) => void;
};

/** A channel's slate, and whether viewers see it. */
export type SlateDetail = {
  readonly fileId: string | undefined;
  /** Undefined where there is none. */
  readonly state: SlateState | undefined;
  readonly isCurtainClosed: boolean;
  readonly isSlateShown: boolean;
};

/** The use cases of slates. Calls throw DomainError `channel-not-found`. */
export class SlateUses {
  readonly #deps: SlateUsesDeps;

  constructor(deps: SlateUsesDeps) {
    this.#deps = deps;
  }

  async get(channelId: ChannelId): Promise<SlateDetail> {
    await this.#deps.channel(channelId);
    return this.#detail(channelId);
  }

  /**
   * Sets the file that stands in front of a lost encoder; undefined: the last frame. Throws DomainError
   * `media-file-not-found` and `media-file-not-ready`.
   */
  async set(channelId: ChannelId, fileId: string | undefined): Promise<SlateDetail> {
    const { files, slates, stored, channel, publishChange } = this.#deps;
    const changed = await channel(channelId);
    if (fileId !== undefined && files.get(fileId).state !== "ready")
      throw new DomainError({ kind: "media-file-not-ready" });
    const { slateFileId: _before, ...others } = stored.get(channelId);
    await stored.putSlate({ ...others, ...(fileId === undefined ? {} : { slateFileId: fileId }) });
    slates.choose(channelId, fileId);
    publishChange("slate-changed", changed);
    return this.#detail(channelId);
  }

  /**
   * Shows the slate in place of the encoder, which goes on, or the encoder again from its next keyframe on. Throws
   * DomainError `no-slate` and `not-on-air`.
   */
  async setCurtain(channelId: ChannelId, isClosed: boolean): Promise<SlateDetail> {
    const { runtime, until, channel, publishChange } = this.#deps;
    const changed = await channel(channelId);
    this.moveCurtain(channelId, isClosed);
    publishChange(isClosed ? "curtain-closed" : "curtain-opened", changed);
    await until(() => (runtime.live(channelId)?.ingest?.isCurtainClosed === true) === isClosed);
    return this.#detail(channelId);
  }

  /** The same for another node, which says that the channel was changed. */
  moveCurtain(channelId: ChannelId, isClosed: boolean): void {
    const { slates, runtime } = this.#deps;
    if (runtime.live(channelId)?.isPublishing !== true) throw new DomainError({ kind: "not-on-air" });
    if (isClosed && slates.fileOf(channelId) === undefined) throw new DomainError({ kind: "no-slate" });
    runtime.setCurtain(channelId, isClosed);
  }

  #detail(channelId: ChannelId): SlateDetail {
    const { slates, runtime } = this.#deps;
    const live = runtime.live(channelId);
    const ingest = live?.isPublishing === true ? live.ingest : undefined;
    return {
      fileId: slates.fileOf(channelId),
      state: slates.state(channelId),
      isCurtainClosed: ingest?.isCurtainClosed === true,
      isSlateShown: ingest?.isSlateShown === true,
    };
  }
}
