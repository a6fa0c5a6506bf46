/** A message: an object that JSON can hold. Holds no secrets. */
export type BusMessage = Readonly<Record<string, unknown>>;

/**
 * Why a request has no reply. `no-responders`: nothing serves that subject. `timed-out`: something may, and its reply did
 * not come in time. `disconnected`: this process has no connection to the bus.
 */
export type NoReply = "no-responders" | "timed-out" | "disconnected";

export type BusReply =
  | { readonly kind: "reply"; readonly message: BusMessage }
  | { readonly kind: "none"; readonly why: NoReply };

/** The longest message, in bytes of its JSON. */
export const BUS_MESSAGE_BYTES_MAX = 64 * 1024;
/**
 * The longest reply, which goes to one node: a broadcast of a hundred targets that goes on there, with the list of their
 * interruptions. A NATS server takes 1 MiB by default.
 */
export const BUS_REPLY_BYTES_MAX = 768 * 1024;

/**
 * What the nodes of one cluster tell each other. A message may be lost, and none waits for a connection: what must be
 * true is in the database. Subjects are words joined by dots, such as `node.3.hb`; a pattern has `*` for one word.
 * Messages come from other programs and versions: the taker checks every field it uses and ignores the others.
 */
export interface Bus {
  readonly isConnected: boolean;
  /** Sends a message to all other nodes. Returns false where it was not sent: no connection, or over the size limit. */
  publish(subject: string, message: BusMessage): boolean;
  /**
   * Takes the messages of other nodes. Returns a function that ends it. What `take` throws is logged. A promise that it
   * returns must not reject.
   */
  subscribe(pattern: string, take: (message: BusMessage, subject: string) => void | Promise<void>): () => void;
  /** Asks the process that serves this subject. Never rejects. `timeoutMs`: milliseconds. */
  request(subject: string, message: BusMessage, timeoutMs: number): Promise<BusReply>;
  /**
   * Answers the requests on this subject. A rejected or undefined answer sends no reply: the request times out. Returns a
   * function that ends it.
   */
  serve(subject: string, answer: (message: BusMessage) => Promise<BusMessage | undefined>): () => void;
  /** Calls `take` after each change of `isConnected`. Messages sent meanwhile were lost. */
  onConnection(take: (isConnected: boolean) => void): () => void;
  /** Sends what was published and disconnects. Idempotent. */
  close(): Promise<void>;
}
