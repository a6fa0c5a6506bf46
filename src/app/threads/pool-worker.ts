import type { ToMedia } from "../../thread-protocol/messages.ts";
import type { TransportEnd } from "./transport-ends.ts";

/** A media thread as the control thread sees it: of this process, or of an earlier one that still carries broadcasts. */
export interface PoolWorker {
  /** From 0, over all media threads that this control thread knows. */
  readonly index: number;
  readonly name: string;
  /** Identifies the present life; undefined while the thread does not run. A reply to one life must not reach the next. */
  readonly life: object | undefined;
  /** The Unix socket at which a thread of another process accepts links; absent: a thread of this process. */
  readonly linkPath?: string;
  /**
   * Posts a message, with the end of a transport where the message says so. Drops it, and closes the end, where the
   * thread does not run; no transport reaches another process.
   */
  post(message: ToMedia, end?: TransportEnd): void;
}
