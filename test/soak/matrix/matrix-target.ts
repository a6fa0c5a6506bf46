import { readdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { type Child, startChild } from "../../support/processes/children.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { NetworkNamespace } from "../../support/processes/network-namespace.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { NginxTarget } from "../../support/targets/nginx-target.ts";
import { type MatrixFault, undergo } from "./matrix-faults.ts";

const PORT = 1_935;
const START_DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;
const LOOK_MS = 100;

/** `nginx` refuses a second publisher with the same key, the kit's target accepts it. */
export const TARGET_KINDS = ["nginx", "kit"] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

type Server = {
  readonly url: string;
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A target in a network namespace of its own, with one fault; its recording shows what it got. */
export class MatrixTarget {
  readonly fault: MatrixFault;
  readonly #namespace: NetworkNamespace;
  readonly #server: Server;
  readonly #recordings: string;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  #grownAtMs = 0;
  #longestGapMs = 0;

  private constructor(fault: MatrixFault, namespace: NetworkNamespace, server: Server, recordings: string) {
    this.fault = fault;
    this.#namespace = namespace;
    this.#server = server;
    this.#recordings = recordings;
  }

  static async start(kind: TargetKind, fault: MatrixFault, index: number, folder: string): Promise<MatrixTarget> {
    const namespace = await NetworkNamespace.open(index);
    const own = join(folder, `${kind}-${index}`);
    await mkdir(join(own, "recordings"), { recursive: true });
    const server = await (kind === "nginx" ? startNginx(namespace, own) : startKit(namespace, own));
    return new MatrixTarget(fault, namespace, server, join(own, "recordings"));
  }

  get url(): string {
    return this.#server.url;
  }

  /** Measures from here on how long nothing comes. */
  watch(): void {
    this.#grownAtMs = performance.now();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** The longest time in which the target got nothing, up to now. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#grownAtMs);
  }

  async undergo(): Promise<void> {
    const { kill, restart } = this.#server;
    await undergo(this.fault, { namespace: this.#namespace, port: PORT, kill, restart });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#server.stop();
    await this.#namespace.close();
  }

  #look(): void {
    const bytes = readdirSync(this.#recordings).reduce(
      (sum, name) => sum + statSync(join(this.#recordings, name)).size,
      0,
    );
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    const nowMs = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#grownAtMs);
    this.#grownAtMs = nowMs;
  }
}

async function startNginx({ host, wrapper }: NetworkNamespace, folder: string): Promise<Server> {
  const nginx = await NginxTarget.start(folder, { host, port: PORT, wrapper });
  return { url: nginx.url, kill: () => nginx.kill(), restart: () => nginx.restart(), stop: () => nginx.stop() };
}

async function startKit({ host, wrapper }: NetworkNamespace, folder: string): Promise<Server> {
  const [command = "", ...exec] = wrapper;
  const where = ["--host", host, "--port", `${PORT}`, "--record", join(folder, "recordings")];
  let child: Child;
  const restart = async () => {
    child = await startChild(command, [...exec, process.execPath, "src/cli/main.ts", "testkit", "target", ...where], {
      cwd: ROOT,
    });
    await waitFor(
      "the kit's target to listen",
      START_DEADLINE_MS,
      () => accepts(host),
      () => child.stderr(),
    );
  };
  await restart();
  return {
    url: `rtmp://${host}:${PORT}/live`,
    restart,
    kill: async () => void (await child.stop("SIGKILL", STOP_GRACE_MS)),
    stop: async () => void (await child.stop("SIGTERM", STOP_GRACE_MS)),
  };
}

function accepts(host: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(PORT, host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(undefined));
  });
}
