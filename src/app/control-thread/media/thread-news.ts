import type { LoopDelay } from "../../../thread-protocol/loop-delay.ts";
import type { TraceSpan } from "../../../thread-protocol/traces/traces.ts";

/** News from the threads that concern no channel. */
export type ThreadNews =
  /** How late its event loop was, every few seconds. */
  | {
      readonly kind: "loop-delay";
      readonly thread: string;
      readonly delay: LoopDelay;
      /** Connections that it reads or writes by direct system calls. */
      readonly directSockets: number;
    }
  /** A step of a trace is over. */
  | { readonly kind: "span"; readonly thread: string; readonly span: TraceSpan }
  /** An encoder or a player came to another thread than the one that owns its channel. */
  | { readonly kind: "remote-connection"; readonly what: "encoder" | "player" }
  /** This thread stopped reading an encoder for a while: the thread that owns its channel is behind. */
  | { readonly kind: "remote-publisher-waits"; readonly thread: string };
