import type { Clock } from "../../base/clock.ts";
import type { DroppedFrames } from "../../thread-protocol/samples.ts";
import type { BlockStore } from "../stream/block-store.ts";
import type { LinkClose } from "../subscriber/subscriber.ts";

/** How the stream acts on the channel's connections. */
export interface StreamConnections {
  /** Whether any of them got something of the present stream. */
  readonly haveBegun: boolean;
  /** The first media of a broadcast came: connect. */
  want(): void;
  /** The broadcast is over: leave. */
  unwant(how: LinkClose): void;
  /** The new stream cannot follow the former one within a connection: connect anew. */
  redial(): void;
  /** Codecs or tracks changed: some targets may no longer accept the stream, or accept it again. */
  checkStream(): void;
  /** Audio came. `isSameFormat`: that of the silence that was sent in its place. */
  endSilence(isSameFormat: boolean): void;
  /** A frame went to no subscriber. */
  missed(cause: keyof DroppedFrames): void;
}

export type FanOutDeps = {
  readonly clock: Clock;
  readonly blocks: BlockStore;
  readonly connections: StreamConnections;
  /** Packets wait to be flushed. `isMuch`: so many bytes that they should not wait for the next flush. */
  readonly onDirty: (isMuch: boolean) => void;
  /** Takes the error of one subscriber; the others go on. */
  readonly onFault: (error: unknown) => void;
};
