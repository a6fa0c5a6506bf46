import { type Child, startChild } from "./children.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./waiting.ts";

/** Debian's path, which is not on every user's search path. */
const PROGRAM = "/usr/sbin/nats-server";
const START_DEADLINE_MS = 10_000;
const STOP_GRACE_MS = 5_000;

const LOOPBACK = "127.0.0.1";

/** A real NATS server, on loopback where nothing else is said. */
export class NatsServer {
  readonly host: string;
  readonly port: number;
  readonly #args: readonly string[];
  #server: Child | undefined;

  private constructor(host: string, port: number, args: readonly string[]) {
    this.host = host;
    this.port = port;
    this.#args = args;
  }

  /** `args`: more options of the program. */
  static async start(...args: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(LOOPBACK, await freePort(), args);
    await server.resume();
    return server;
  }

  /** Several servers that pass on to each other what their clients publish. `host`: where clients reach them. */
  static async startCluster(count: number, host = LOOPBACK): Promise<readonly NatsServer[]> {
    const routes: string[] = [];
    for (let no = 0; no < count; no += 1) routes.push(`nats://${LOOPBACK}:${await freePort()}`);
    const servers: NatsServer[] = [];
    for (const route of routes) {
      const others = routes.filter((each) => each !== route);
      const words = ["--cluster_name", "fanfare", "--cluster", route, "--routes", others.join(",")];
      const server = new NatsServer(host, await freePort(), count > 1 ? words : []);
      await server.resume();
      servers.push(server);
    }
    return servers;
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error("the server does not run");
    return this.#server.pid;
  }

  get url(): string {
    return `nats://${this.host}:${this.port}`;
  }

  /** Starts it, at first or after `kill`. */
  async resume(): Promise<void> {
    const server = await startChild(PROGRAM, ["-a", this.host, "-p", `${this.port}`, ...this.#args]);
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
