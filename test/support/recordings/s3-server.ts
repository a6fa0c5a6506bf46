import { mkdirSync, readFileSync } from "node:fs";
import { type ClientRequest, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { type Child, startChild } from "../processes/children.ts";
import { ROOT } from "../processes/fanfare-process.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

/**
 * What the server in front does with a request: passes it on, passes it on slowly, takes it and never answers, answers
 * 500, cuts the connection, or cuts it in the body.
 */
export type S3Fault = "pass" | "slow" | "hang" | "error" | "cut" | "cut-in-body";

/** Of a slow request: bytes a second. */
const SLOW_BYTES = 1_000_000;

/** s3rver's own key. */
export const S3_KEY = { accessKey: "S3RVER", secretKey: "S3RVER" };
export const BUCKET = "recordings";

/** A real S3-compatible server, with a proxy in front that counts requests and makes them fail. */
export class S3Server {
  /** Method and part of each request, in order. */
  readonly requests: string[] = [];
  fault: (what: string) => S3Fault | Promise<S3Fault> = () => "pass";
  endpoint = "";
  readonly #folder: string;
  readonly #proxy = createServer((incoming, answer) => void this.#take(incoming, answer));
  #serverPort = 0;
  #child: Child | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(folder: string): Promise<S3Server> {
    const server = new S3Server(folder);
    mkdirSync(folder, { recursive: true });
    server.#serverPort = await freePort();
    await server.resume();
    const port = await freePort();
    await new Promise<void>((resolve) => server.#proxy.listen(port, "127.0.0.1", resolve));
    server.endpoint = `http://127.0.0.1:${port}`;
    return server;
  }

  async close(): Promise<void> {
    this.#proxy.closeAllConnections();
    this.#proxy.close();
    await this.pause();
  }

  /** The service goes away, with what it stores kept. */
  async pause(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
    this.#child = undefined;
  }

  async resume(): Promise<void> {
    const options = ["-d", this.#folder, "-a", "127.0.0.1", "-p", String(this.#serverPort), "-s"];
    const command = join(ROOT, "node_modules", "s3rver", "bin", "s3rver.js");
    this.#child = await startChild(process.execPath, [command, ...options, "--configure-bucket", BUCKET]);
    const look = () =>
      fetch(`http://127.0.0.1:${this.#serverPort}/`).then(
        () => true,
        () => undefined,
      );
    await waitFor("the S3 server", 10_000, look);
  }

  /** The bytes of an object. */
  object(name: string): Buffer {
    return readFileSync(join(this.#folder, BUCKET, `${name}._S3rver_object`));
  }

  async #take(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = incoming;
    const part = /partNumber=(\d+)/.exec(url)?.[1];
    const what = part === undefined ? `${method}${url.includes("uploads") ? " begin" : ""}` : `part ${part}`;
    this.requests.push(what);
    const fault = await this.fault(what);
    if (fault === "cut") return void incoming.socket.destroy();
    if (fault === "error") {
      incoming.resume();
      answer.writeHead(500).end("<Error><Code>InternalError</Code><Message>We failed</Message></Error>");
      return;
    }
    if (fault === "cut-in-body") return void incoming.once("data", () => incoming.socket.destroy());
    if (fault === "hang") return void incoming.resume();
    const onward = request({ port: this.#serverPort, host: "127.0.0.1", method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", () => incoming.socket.destroy());
    if (fault === "slow") void passSlowly(incoming, onward);
    else incoming.pipe(onward);
  }
}

async function passSlowly(incoming: IncomingMessage, onward: ClientRequest): Promise<void> {
  try {
    for await (const chunk of incoming) {
      onward.write(chunk);
      await pass((Buffer.byteLength(chunk) / SLOW_BYTES) * 1_000);
    }
    onward.end();
  } catch {
    onward.destroy();
  }
}
