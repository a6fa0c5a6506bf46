import type { MessageTransport } from "../../../src/remote-publish/message-transport.ts";

type Listener = { readonly onMessage: (message: unknown) => void; readonly onClosed: () => void };

class End {
  readonly queue: unknown[] = [];
  listener: Listener | undefined;
  /** Closed by this end, or because the other end closed. */
  isClosed = false;
}

/**
 * A message transport between two threads. A message that is posted at one end arrives at the other when the test says
 * so, copied as between threads.
 */
export class ManualTransport<Near, Far> {
  readonly #near = new End();
  readonly #far = new End();
  readonly near: MessageTransport<Near, Far> = this.#transport(this.#near, this.#far);
  readonly far: MessageTransport<Far, Near> = this.#transport(this.#far, this.#near);

  /** Delivers everything that was posted, and everything that is posted because of it. */
  async settle(): Promise<void> {
    do {
      for (const [end, other] of [
        [this.#near, this.#far],
        [this.#far, this.#near],
      ] as const) {
        for (const message of end.queue.splice(0)) if (!end.isClosed) end.listener?.onMessage(message);
        if (!other.isClosed || end.isClosed || end.queue.length > 0) continue;
        end.isClosed = true;
        end.listener?.onClosed();
      }
      await new Promise(setImmediate);
    } while (this.#near.queue.length + this.#far.queue.length > 0 || this.#near.isClosed !== this.#far.isClosed);
  }

  #transport<Sent, Received>(own: End, other: End): MessageTransport<Sent, Received> {
    return {
      post: (message, transfer = []) => {
        if (!own.isClosed) other.queue.push(structuredClone(message, { transfer: [...transfer] }));
      },
      listen: (onMessage, onClosed) => {
        own.listener = { onMessage: (message) => onMessage(message as Received), onClosed };
      },
      close: () => {
        own.isClosed = true;
      },
    };
  }
}
