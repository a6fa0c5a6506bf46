import type { ServerResponse } from "node:http";
import type { Lasting } from "../../control/access/revocations.ts";

/** The files that clients are downloading. A large one takes hours, and none outlives the key that it was asked for with. */
export class Downloads implements Lasting {
  readonly #owners = new Map<ServerResponse, string>();

  /** The answer is a file, sent as its client takes it. `owner`: whose key or session asked for it. */
  begin(response: ServerResponse, owner: string): void {
    // The client left while the request was checked.
    if (response.closed) return;
    this.#owners.set(response, owner);
    response.once("close", () => this.#owners.delete(response));
  }

  owners(): Iterable<string> {
    return new Set(this.#owners.values());
  }

  endOf(owner: string): void {
    for (const [response, each] of this.#owners) if (each === owner) response.destroy();
  }
}
