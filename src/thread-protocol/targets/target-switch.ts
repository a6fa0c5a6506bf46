import type { ChannelId, TargetId } from "../channel-spec.ts";

/**
 * A target is on or off whatever the settings of its channel say (`isOn`), or the settings with a revision and newer ones count
 * again (`fromRevision`).
 */
export type SwitchMessage = {
  readonly kind: "target-switch";
  readonly channelId: ChannelId;
  readonly targetId: TargetId;
} & ({ readonly isOn: boolean } | { readonly fromRevision: number });
