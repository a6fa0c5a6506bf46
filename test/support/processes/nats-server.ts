import { type Child, startChild } from "./children.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./waiting.ts";

/** Debian's path, which is not on every user's search path. */
const PROGRAM = "/usr/sbin/nats-server";
const START_DEADLINE_MS = 10_000;
const STOP_GRACE_MS = 5_000;

/** A real NATS server on loopback. */
export class NatsServer {
  readonly port: number;
  readonly #args: readonly string[];
  #server: Child | undefined;

  private constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = args;
  }

  /** `args`: more options of the program. */
  static async start(...args: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), args);
    await server.resume();
    return server;
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error("the server does not run");
    return this.#server.pid;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts it, at first or after `kill`. */
  async resume(): Promise<void> {
    const server = await startChild(PROGRAM, ["-a", "127.0.0.1", "-p", `${this.port}`, ...this.#args]);
    this.#server = server;
    const isReady = () => (server.stderr().includes("Server is ready") ? true : undefined);
    await waitFor("nats-server", START_DEADLINE_MS, isReady, () => server.stderr());
  }

  /** Ends it without a word to its clients. */
  async kill(): Promise<void> {
    await this.#server?.stop("SIGKILL", STOP_GRACE_MS);
  }

  /** Lets it stand still, with its connections open, until `wake`. */
  freeze(): void {
    this.#server?.kill("SIGSTOP");
  }

  wake(): void {
    this.#server?.kill("SIGCONT");
  }
}
