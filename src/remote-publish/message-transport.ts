import type { MessagePort } from "node:worker_threads";

/** A two-way transport between two threads, for one connection. Messages arrive in the order they were posted. */
export interface MessageTransport<Sent, Received> {
  /** The sender loses the transferred buffers. Does nothing once the transport is closed. */
  post(message: Sent, transfer?: readonly ArrayBuffer[]): void;
  /**
   * Call once. `onClosed` comes last: the other side closed the transport, or its thread died. Our own `close` does not
   * call it.
   */
  listen(onMessage: (message: Received) => void, onClosed: () => void): void;
  /** Messages posted before still arrive. Idempotent. */
  close(): void;
}

/**
 * The transport between two threads of one process. It keeps neither of them alive. An error thrown by a listener ends
 * this transport only.
 */
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
