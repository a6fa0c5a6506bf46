import { type ClientRequest, type IncomingMessage, request } from "node:http";

/** How long a failing test waits for an event. */
const DEADLINE_MS = 75_000;

type LiveEvent = {
  readonly name: string;
  readonly data: ReturnType<typeof JSON.parse>;
  /** When it came, milliseconds since 1970. */
  readonly atMs: number;
};

/** A reader of a real server's live stream. */
export class LiveClient {
  static readonly TARGET = "/api/v2/re-stream/events/stream";
  readonly closed: Promise<void>;
  readonly #request: ClientRequest;
  readonly #events: LiveEvent[] = [];
  #text = "";
  #onEvent: () => void = () => undefined;

  private constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing;
    response.setEncoding("utf8");
    response.on("data", (part: string) => this.#take(part));
    response.on("error", () => undefined);
    this.closed = new Promise((resolve) => response.on("close", () => resolve()));
  }

  static open(origin: string, headers: Readonly<Record<string, string>>): Promise<LiveClient> {
    return new Promise((resolve, reject) => {
      const outgoing = request(`${origin}${LiveClient.TARGET}`, { headers, agent: false }, (response) => {
        if (response.statusCode === 200) resolve(new LiveClient(outgoing, response));
        else reject(new Error(`the live stream answered ${response.statusCode}`));
      });
      outgoing.on("error", reject);
      outgoing.end();
    });
  }

  /** The next event that satisfies the condition; those before it are discarded. */
  until(what: string, isSo: (event: LiveEvent) => boolean): Promise<LiveEvent> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not reported in time: ${what}`)), DEADLINE_MS);
      this.#onEvent = () => {
        for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
          if (!isSo(event)) continue;
          clearTimeout(timer);
          this.#onEvent = () => undefined;
          return resolve(event);
        }
      };
      this.#onEvent();
    });
  }

  close(): void {
    this.#request.destroy();
  }

  #take(part: string): void {
    this.#text += part;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      const lines = this.#text.slice(0, end).split("\n");
      this.#text = this.#text.slice(end + 2);
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
      if (name !== undefined) this.#events.push({ name, data: JSON.parse(data.join("\n")), atMs: Date.now() });
    }
    this.#onEvent();
  }
}
