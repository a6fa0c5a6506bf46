import type { Clock } from "../../base/clock.ts";
import type { TargetSpec } from "../../thread-protocol/channel-spec.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { Target } from "../subscriber/rtmp-push/target.ts";

/** What a fan-out is given: its clock, its memory, and who makes targets. */
export type FanOutDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  /** Makes a target; `onAccepted` is to be called when it waits for a place to begin. */
  readonly newTarget: (spec: TargetSpec, onAccepted: (target: Target) => void) => Target;
  /** Packets are waiting to be flushed: the first ones since the last flush, or by now so many bytes that they should not wait. */
  readonly onDirty: (isMuch: boolean) => void;
  /** Something was thrown that concerns one target; the others go on. */
  readonly onFault: (error: unknown) => void;
};
