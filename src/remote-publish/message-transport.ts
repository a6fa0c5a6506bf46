import type { MessagePort } from "node:worker_threads";

/** One way between two threads, for one connection. Messages arrive in the order they were posted. */
export interface MessageTransport<Sent, Received> {
  /** What is transferred is gone afterwards. Does nothing once the way is closed. */
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  /** To be called once. `onClosed` comes last: the other side closed the way, or its thread died. Not after a `close` of our own. */
  listen(onMessage: (message: Received) => void, onClosed: () => void): void;
  /** What was posted before still arrives. Idempotent. */
  close(): void;
}

/** The way between two threads of one process. It keeps neither of them alive. What a listener throws ends this way only. */
export function portTransport<Sent, Received>(
  port: MessagePort,
  onFault: (error: unknown) => void,
): MessageTransport<Sent, Received> {
  let isClosed = false;
  const guard = (run: () => void, onThrown: () => void = () => undefined) => {
    try {
      run();
    } catch (error) {
      onFault(error);
      onThrown();
    }
  };
  return {
    post(message, transfer = []) {
      if (!isClosed) port.postMessage(message, [...transfer]);
    },
    listen(onMessage, onClosed) {
      const end = () => {
        if (isClosed) return;
        isClosed = true;
        guard(onClosed);
      };
      const endFaulty = () => {
        end();
        port.close();
      };
      port.on("message", (message: Received) => {
        if (!isClosed) guard(() => onMessage(message), endFaulty);
      });
      port.on("close", end);
      port.unref();
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      port.close();
    },
  };
}
