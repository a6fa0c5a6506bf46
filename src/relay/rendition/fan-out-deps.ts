import type { Clock } from "../../base/clock.ts";
import type { DroppedFrames } from "../../thread-protocol/samples.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { LinkClose } from "../subscriber/subscriber.ts";

/** What the stream does to the channel's connections. */
interface StreamConnections {
  /** Whether any of them was given something of the stream as it was. */
  readonly haveBegun: boolean;
  /** The first media of a broadcast came: connect. */
  want(): void;
  /** The broadcast is over: leave. */
  unwant(how: LinkClose): void;
  /** What comes cannot follow what was sent within one connection: connect anew. */
  redial(): void;
  /** Codecs or tracks changed: some may be unable to take the stream, or able again. */
  checkStream(): void;
  /** A frame went to no subscriber. */
  missed(cause: keyof DroppedFrames): void;
}

export type FanOutDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  readonly connections: StreamConnections;
  /** Packets wait to be flushed. `isMuch`: so many bytes that they should not wait for the next flush. */
  readonly onDirty: (isMuch: boolean) => void;
  /** Takes what one subscriber threw; the others go on. */
  readonly onFault: (error: unknown) => void;
};
