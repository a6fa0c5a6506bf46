import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { SentTrace } from "../../thread-protocol/traces/traces.ts";

/** One end of a message transport between threads of this process, before the thread that uses it opens it. */
export type TransportEnd = MessagePort;

/**
 * What is posted between threads: a message, the end of a transport that comes with it, and the trace that it belongs
 * to.
 */
export type Envelope<Message> = {
  readonly message: Message;
  readonly end?: TransportEnd;
  readonly trace?: SentTrace;
};

/** Makes a transport: what is posted at one end arrives at the other. */
export function newTransport(): readonly [TransportEnd, TransportEnd] {
  const { port1, port2 } = new MessageChannel();
  return [port1, port2];
}
