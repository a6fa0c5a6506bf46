import { join } from "node:path";
import { TESTED_SERVER } from "../checks/tested-image.ts";
import type { Credentials } from "../dashboard/api-client.ts";
import { type Child, type ExitResult, startChild } from "./children.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./waiting.ts";

/** The project's own folder. */
export const ROOT = join(import.meta.dirname, "..", "..", "..");

/** The file of the command line that tests run: the bundle, or the sources where there is none. */
export function commandLineFile(): string {
  return process.env["FANFARE_TEST_BUNDLE"] ?? "src/cli/main.ts";
}

/** Printed once encoders are accepted and the API answers. */
const READY_TEXT = "Fanfare is ready.";
const START_DEADLINE_MS = 15_000;
/** Six times what the server promises for SIGTERM: a busy machine does not fail a test. */
const STOP_GRACE_MS = 30_000;

/** As `npm start` and the installed command have it. */
const NODE_FLAGS = ["--max-semi-space-size=4"] as const;
const MALLOC = { MALLOC_MMAP_THRESHOLD_: "131072" } as const;
const ENTRIES = {
  sources: [...NODE_FLAGS, "src/cli/main.ts"],
  bundle: [...NODE_FLAGS, commandLineFile()],
  dist: [...NODE_FLAGS, "dist/cli/main.js"],
} as const;

export type FanfareOptions = {
  readonly dataFolder: string;
  /** A first manager key from outside; absent: the server makes one itself. */
  readonly credentials?: Credentials;
  /**
   * `sources` runs `src/` unbuilt, `dist` what a build made. By default the bundle that the test runner starts servers from, or
   * the sources where no test runner did.
   */
  readonly from?: keyof typeof ENTRIES;
  readonly environment?: Readonly<Record<string, string>>;
  /** The program that runs it, with its arguments, before Node itself: `["prlimit", "--nofile=64"]`. */
  readonly wrapper?: readonly string[];
  /** The address at which it listens; 127.0.0.1 by default. */
  readonly host?: string;
  /** Where it is installed; the project's own folder by default. */
  readonly root?: string | undefined;
};

/** The real server in a process of its own, on free ports of 127.0.0.1. */
export class FanfareProcess {
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly #options: FanfareOptions;
  #earlierOutput = "";
  /** Where its next process is installed. */
  #root: string;
  #child: Child | undefined;

  private constructor(options: FanfareOptions, httpPort: number, rtmpPort: number) {
    this.#options = options;
    this.#root = options.root ?? ROOT;
    this.httpPort = httpPort;
    this.rtmpPort = rtmpPort;
  }

  static async start(options: FanfareOptions): Promise<FanfareProcess> {
    const server = new FanfareProcess(options, await freePort(), await freePort());
    await server.restart();
    return server;
  }

  get origin(): string {
    const scheme = this.#options.environment?.["FANFARE_TLS_CERT"] === undefined ? "http" : "https";
    return `${scheme}://${this.host}:${this.httpPort}`;
  }

  get dataFolder(): string {
    return this.#options.dataFolder;
  }

  get host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  /** Its output, over all its lives. */
  get output(): string {
    return `${this.#earlierOutput}${this.#child?.stdout() ?? ""}${this.#child?.stderr() ?? ""}`;
  }

  get stdout(): string {
    return this.#child?.stdout() ?? "";
  }

  /** What `/readyz` answers: its status and its text. */
  async readiness(): Promise<string> {
    const answer = await fetch(`${this.origin}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  }

  get isRunning(): boolean {
    return this.#child?.isRunning() === true;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when its present process has ended. */
  get exited(): Promise<unknown> {
    return this.#child?.exited ?? Promise.resolve();
  }

  /**
   * Starts a newer process that takes over, on the same data and ports. Returns the older one, which goes on until its
   * broadcasts are over.
   */
  async upgrade(): Promise<Child> {
    const older = this.#child;
    if (older === undefined) throw new Error("no server runs");
    await this.#start({ FANFARE_TAKE_OVER: "yes" });
    return older;
  }

  /** Starts it again on the same data and ports; waits until it says that it is ready, and the API answers. */
  restart(): Promise<void> {
    return this.#start({});
  }

  /** Its next processes are of the project's own folder, whatever it ran before. */
  installNewest(): void {
    this.#root = ROOT;
  }

  async #start(more: NodeJS.ProcessEnv): Promise<void> {
    this.#earlierOutput = this.output;
    const entry = ENTRIES[this.#options.from ?? (this.#options.root === undefined ? "bundle" : "sources")];
    const program = TESTED_SERVER === undefined ? [process.execPath, ...entry] : [TESTED_SERVER];
    const [command = "", ...args] = [...(this.#options.wrapper ?? []), ...program];
    const child = await startChild(command, args, {
      cwd: this.#root,
      env: { ...this.environment, ...more },
    });
    this.#child = child;
    const isThere = waitFor(
      "the server to answer",
      START_DEADLINE_MS,
      async () => {
        if (!child.isRunning()) throw new Error(`the server ended:\n${child.stdout()}${child.stderr()}`);
        if (!child.stdout().includes(READY_TEXT)) return undefined;
        // 401 is an answer.
        return await fetch(`${this.origin}/api/v2/re-stream/channels`).then(
          () => true,
          () => undefined,
        );
      },
      () => this.output,
    );
    await isThere.catch(async (error: unknown) => {
      await child.stop("SIGKILL", STOP_GRACE_MS);
      throw error;
    });
  }

  /** SIGTERM; SIGKILL when it does not end in time, which shows in the result. */
  async stop(): Promise<ExitResult | undefined> {
    return await this.#child?.stop("SIGTERM", STOP_GRACE_MS);
  }

  async kill(): Promise<void> {
    await this.#child?.stop("SIGKILL", STOP_GRACE_MS);
  }

  /** The variables that its processes get. */
  get environment(): NodeJS.ProcessEnv {
    const { credentials, dataFolder, environment } = this.#options;
    const keys =
      credentials === undefined
        ? {}
        : { FANFARE_ACCESS_KEY: credentials.accessKey, FANFARE_SECRET_KEY: credentials.secretKey };
    return {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      FANFARE_DATA_DIR: dataFolder,
      FANFARE_HTTP_HOST: this.host,
      FANFARE_HTTP_PORT: `${this.httpPort}`,
      FANFARE_RTMP_HOST: this.host,
      FANFARE_RTMP_PORT: `${this.rtmpPort}`,
      FANFARE_PUBLIC_HOST: this.host,
      FANFARE_TARGET_ALLOW: "127.0.0.0/8",
      // Everything it can log, so that the tests see that it logs no secret.
      FANFARE_LOG_LEVEL: "debug",
      ...MALLOC,
      ...keys,
      ...environment,
    };
  }
}
