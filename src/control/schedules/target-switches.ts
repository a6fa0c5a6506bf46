import type { ChannelId, ChannelSpec, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { SwitchMessage } from "../../thread-protocol/targets/target-switch.ts";

type Named = { readonly channelId: ChannelId; readonly targetId: TargetId };

/** A target that is on or off, whatever the settings of its channel say. */
type TargetSwitch = Named & { readonly isOn: boolean };

/**
 * Targets that are on or off by their windows although the database does not say so: it is away. Every spec goes through `on`
 * before a media thread gets it: the thread may not know the channel yet.
 */
export class TargetSwitches {
  readonly #tell: (message: SwitchMessage) => void;
  readonly #held = new Map<ChannelId, Map<TargetId, boolean>>();

  /** `tell`: tells the media thread that owns the channel. */
  constructor(tell: (message: SwitchMessage) => void) {
    this.#tell = tell;
  }

  /** From now on this target is on, or off. Returns false where it was so already. */
  hold({ channelId, targetId, isOn }: TargetSwitch): boolean {
    const ofChannel = this.#held.get(channelId) ?? new Map<TargetId, boolean>();
    this.#held.set(channelId, ofChannel);
    if (ofChannel.get(targetId) === isOn) return false;
    ofChannel.set(targetId, isOn);
    this.#tell({ kind: "target-switch", channelId, targetId, isOn });
    return true;
  }

  /** The settings with this revision, and newer ones, count again. */
  letGo({ channelId, targetId }: Named, fromRevision: number): void {
    const ofChannel = this.#held.get(channelId);
    if (ofChannel?.delete(targetId) !== true) return;
    if (ofChannel.size === 0) this.#held.delete(channelId);
    this.#tell({ kind: "target-switch", channelId, targetId, fromRevision });
  }

  /** The settings with what is held. */
  on(spec: ChannelSpec): ChannelSpec {
    const held = this.#held.get(spec.channelId);
    if (held === undefined) return spec;
    const targets = spec.targets.map((target) => {
      const isSwitchedOn = held.get(target.targetId);
      return isSwitchedOn === undefined ? target : { ...target, isSwitchedOn };
    });
    return { ...spec, targets };
  }
}
