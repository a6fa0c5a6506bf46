import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "../api.ts";
import { MANAGER } from "../api.ts";

/** One Server-Sent Event as a browser would see it. */
export type ServerEvent = {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: ReturnType<typeof JSON.parse>;
};

type ReaderOptions = {
  readonly url?: string;
  readonly key?: { readonly accessKeyId: string; readonly secretKey: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** The cookie of a browser's session, which stands in for the key. */
  readonly session?: string;
};

const STREAM = "/api/v2/re-stream/events/stream";

/** A client of the event stream over a real socket; the server has to listen. */
export class EventReader {
  readonly response: IncomingMessage;
  /** Comment lines seen. */
  comments = 0;
  isClosed = false;
  #text = "";
  readonly #events: ServerEvent[] = [];
  #onChange: () => void = () => undefined;
  readonly #request: ClientRequest;

  private constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing;
    this.response = response;
    response.setEncoding("utf8");
    response.on("data", (part: string) => this.#take(part));
    response.on("error", () => undefined);
    response.on("close", () => {
      this.isClosed = true;
      this.#onChange();
    });
  }

  static open(api: Api, options: ReaderOptions = {}): Promise<EventReader> {
    const { url = STREAM, key = MANAGER, headers = {}, session } = options;
    const { port } = api.server.server.address() as AddressInfo;
    const caller =
      session === undefined ? api.signedHeaders("GET", url, key) : { cookie: `fanfare_session_test=${session}` };
    return new Promise((resolve, reject) => {
      const outgoing = request({
        host: "127.0.0.1",
        port,
        path: url,
        headers: { ...caller, ...headers },
        agent: false,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (response) => resolve(new EventReader(outgoing, response)));
      outgoing.end();
    });
  }

  /** The next event, of any kind. */
  async next(): Promise<ServerEvent> {
    await this.#until(() => this.#events.length > 0 || this.isClosed);
    const event = this.#events.shift();
    if (event === undefined) throw new Error("the stream ended");
    return event;
  }

  /** The next events; throws where there are fewer. */
  async take(count: number): Promise<ServerEvent[]> {
    const events: ServerEvent[] = [];
    while (events.length < count) events.push(await this.next());
    return events;
  }

  async closed(): Promise<void> {
    await this.#until(() => this.isClosed);
  }

  async commentsReach(count: number): Promise<void> {
    await this.#until(() => this.comments >= count);
  }

  close(): void {
    this.#request.destroy();
  }

  #until(isThere: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => {
        if (isThere()) resolve();
      };
      this.#onChange();
    });
  }

  #take(part: string): void {
    this.#text += part;
    for (let end = this.#text.indexOf("\n\n"); end >= 0; end = this.#text.indexOf("\n\n")) {
      this.#read(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
    }
    this.#onChange();
  }

  #read(block: string): void {
    const data: string[] = [];
    let id: string | undefined;
    let name = "message";
    for (const line of block.split("\n")) {
      if (line.startsWith(":")) this.comments += 1;
      else if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) name = line.slice(7);
      else if (line.startsWith("data: ")) data.push(line.slice(6));
    }
    if (data.length > 0) this.#events.push({ id, name, data: JSON.parse(data.join("\n")) });
  }
}
