import type { Clock } from "../base/clock.ts";
import type { Fact } from "../thread-protocol/facts.ts";
import type { BlockStore } from "./stream/block-store.ts";
import type { DelayMemory } from "./subscriber/delay/delay-memory.ts";
import type { DelayShelves } from "./subscriber/delay/delay-shelf.ts";
import type { RecordingLink } from "./subscriber/recording/recording-link.ts";
import type { Dialer } from "./subscriber/rtmp-push/link.ts";
import type { TargetDeps } from "./subscriber/rtmp-push/target.ts";

/** What a channel depends on. */
export type ChannelDeps = Pick<TargetDeps, "random" | "reserveRetryMs" | "memory"> & {
  readonly clock: Clock;
  readonly dialer: Dialer;
  readonly blocks: BlockStore;
  readonly recordings: RecordingLink;
  readonly shelves: DelayShelves;
  readonly delayMemory: DelayMemory;
  readonly onFact: (fact: Fact) => void;
  readonly onFault: (error: unknown) => void;
  /** Packets wait for the flush. `isMuch`: too many to wait. */
  readonly onDirty: (isMuch: boolean) => void;
  /** The broadcast is over: the last moment to sample it. */
  readonly onOver: () => void;
};
