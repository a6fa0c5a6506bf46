import type { Clock } from "../../../base/clock.ts";
import { OwnerUnavailableError } from "../../../control/ports/errors.ts";
import type { KnownOwner } from "../../../control/ports/owner-question.ts";
import type { PreviewClient, PreviewClientSink } from "../../../control/ports/runtime.ts";
import type { LinkDialer } from "../../../node-link/link-dialer.ts";
import { openRemotePreview, type RemotePreview } from "../../../remote-publish/remote-preview.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { Keyframe } from "../../../thread-protocol/keyframe.ts";
import { linkPlace } from "../../threads/link-place.ts";

/** The owner answers from memory: one that takes longer is busy, or gone. In milliseconds. */
const KEYFRAME_DEADLINE_MS = 2_000;

export type OwnerViewsDeps = {
  readonly clock: Clock;
  readonly dialer: Pick<LinkDialer, "watch" | "keyframe">;
  /** Undefined where no other node owns the channel. */
  readonly findElsewhere: (channelId: ChannelId) => Promise<KnownOwner | undefined>;
};

/** Previews and keyframes of channels that other nodes own. */
export class OwnerViews {
  readonly #deps: OwnerViewsDeps;

  constructor(deps: OwnerViewsDeps) {
    this.#deps = deps;
  }

  /** Calls `sink.end` where the owner cannot be found or does not show the channel, unless the client has left. */
  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient {
    const { clock, dialer, findElsewhere } = this.#deps;
    let preview: RemotePreview | undefined;
    let hasLeft = false;
    const open = (owner: KnownOwner | undefined) => {
      if (hasLeft) return;
      if (owner === undefined) return sink.end();
      const transport = dialer.watch(linkPlace(owner.address), { what: "player", channelId, epoch: owner.epoch });
      preview = openRemotePreview(transport, clock, { kind: "flv" }, sink);
    };
    findElsewhere(channelId).then(open, () => open(undefined));
    return {
      taken: (bytes) => preview?.taken(bytes),
      leave: () => {
        hasLeft = true;
        preview?.end();
      },
    };
  }

  /** Throws OwnerUnavailableError where the owner does not answer. */
  async keyframe(channelId: ChannelId, knownTime: number | undefined): Promise<Keyframe> {
    const { dialer, findElsewhere } = this.#deps;
    const owner = await findElsewhere(channelId);
    if (owner === undefined) return { found: "none" };
    const known = knownTime === undefined ? {} : { knownTime };
    const attach = { what: "keyframe", channelId, ...known } as const;
    const keyframe = await dialer.keyframe(linkPlace(owner.address), attach, KEYFRAME_DEADLINE_MS);
    if (keyframe === undefined) throw new OwnerUnavailableError("the channel's node gives no keyframe");
    return keyframe;
  }
}
