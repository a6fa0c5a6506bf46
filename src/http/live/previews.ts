import type { ServerResponse } from "node:http";
import type { PreviewPlace } from "../../control/access/preview-access.ts";
import type { PreviewClient, Runtime } from "../../control/ports/runtime.ts";

/** Previews of channels as HTTP-FLV. */
export class Previews {
  readonly #runtime: Pick<Runtime, "watch">;
  readonly #open = new Set<ServerResponse>();

  constructor(runtime: Pick<Runtime, "watch">) {
    this.#runtime = runtime;
  }

  /**
   * Serves the place's channel on this response and frees the place at the end. Resolves false where the channel is not
   * on air, nothing was written, and the client can still be answered.
   */
  serve(place: PreviewPlace, response: ServerResponse, head: Readonly<Record<string, string>>): Promise<boolean> {
    const leave = () => {
      this.#open.delete(response);
      place.leave();
    };
    // The client left while the request was checked: that is not reported again.
    if (response.closed) {
      leave();
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      this.#open.add(response);
      place.onRevoked = () => response.destroy();
      const watch: PreviewClient = this.#runtime.watch(place.channelId, {
        take: (bytes) => {
          if (!response.headersSent) response.writeHead(200, head);
          resolve(true);
          // Gives credit only for bytes that have been sent: the media thread bounds how much may wait.
          response.write(bytes, (error) => {
            if (error === null || error === undefined) watch.taken(bytes.length);
          });
        },
        end: () => {
          leave();
          resolve(response.headersSent);
          // Bytes that a slow viewer does not take would prevent a clean end for ever.
          if (response.headersSent && response.writableLength === 0) response.end();
          else if (response.headersSent) response.destroy();
        },
      });
      response.once("close", () => {
        leave();
        watch.leave();
        resolve(true);
      });
    });
  }

  /** Ends all previews. */
  close(): void {
    for (const response of this.#open) response.destroy();
  }
}
