import type { KnownOwner } from "../../../control/ports/owner-question.ts";
import type { LinkSilence, OwnerQuestionReply } from "../../../thread-protocol/admission.ts";
import type { ChannelId, ChannelSpec } from "../../../thread-protocol/channel-spec.ts";
import type { ToControl } from "../../../thread-protocol/messages.ts";

/** What the media threads of a node need of the other nodes. */
export interface ClusterHooks {
  /** The node that owns a channel; undefined where none does, or this one. Rejects where the database cannot be asked. */
  findElsewhere(channelId: ChannelId): Promise<KnownOwner | undefined>;
  /**
   * An encoder of this channel looks for its owner: the one that is known is asked while the key is looked up. `silence`: the
   * encoder has a link to the owner, which takes nothing.
   */
  expect(channelId: ChannelId, silence?: LinkSilence): void;
  /** Another node asks whether this one owns a channel. */
  answerQuestion(channelId: ChannelId): Omit<OwnerQuestionReply, "kind">;
  /** These settings of a channel are in effect from now on. */
  applied(spec: ChannelSpec): void;
  /** A media thread stood still, or another node told it that an ownership is over. */
  take(message: Extract<ToControl, { readonly kind: "woke" | "release-wanted" }>): void;
}
