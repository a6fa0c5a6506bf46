import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { TargetName } from "./channel.ts";

/** What a use case did to a channel or to one of its targets. */
export const CHANNEL_NOTICE_KINDS = [
  "created",
  "deleted",
  "settings-changed",
  "blocked",
  "unblocked",
  "stream-key-renewed",
  "backup-key-renewed",
  "callback-changed",
  "hold-extended",
  "target-added",
  "target-edited",
  "target-removed",
  "target-turned-on",
  "target-turned-off",
] as const;
export type ChannelNoticeKind = (typeof CHANNEL_NOTICE_KINDS)[number];

/** Told once the change is stored. Holds no secret and no address. */
export type ChannelNotice = {
  readonly kind: ChannelNoticeKind;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  /** The channel's name after the change. */
  readonly channelName: string;
  /** The target it was about. */
  readonly target?: TargetName & { readonly targetId: TargetId };
};
