import { createServer, type IncomingHttpHeaders, type Server } from "node:http";

/** One request as it came. */
export type ReceivedWebhook = {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The status that it was answered with. */
  readonly status: number;
};

/**
 * A receiver of webhooks on a port of every address of this machine. Answers as the test says, and remembers every
 * request.
 */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  readonly port: number;
  /** How many connections it was offered. */
  connectionCount = 0;
  readonly #server: Server;
  #isHeld = false;
  #answer: (body: string) => number = () => 200;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on("connection", () => {
      this.connectionCount += 1;
    });
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        const status = this.#answer(body);
        this.received.push({ url: request.url ?? "", headers: request.headers, body, status });
        if (!this.#isHeld) response.writeHead(status).end();
      });
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
    const address = server.address();
    return new WebhookReceiver(server, typeof address === "object" && address !== null ? address.port : 0);
  }

  /** From now on a request is answered with the status that this returns. */
  answerWith(answer: (body: string) => number): void {
    this.#answer = answer;
  }

  /** Requests are taken and not answered until the release. */
  holdAnswers(): { release(): void } {
    this.#isHeld = true;
    return {
      release: () => {
        this.#isHeld = false;
      },
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
