import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Child, startChild } from "../processes/children.ts";
import { ROOT } from "../processes/fanfare-process.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

/** What the server in front does with a request: passes it on, answers 500, cuts the connection, or cuts it in the body. */
export type S3Fault = "pass" | "error" | "cut" | "cut-in-body";

/** s3rver's own key. */
export const S3_KEY = { accessKey: "S3RVER", secretKey: "S3RVER" };
export const BUCKET = "recordings";

/** A real S3-compatible server, with a proxy in front that counts requests and makes them fail. */
export class S3Server {
  /** Method and part of each request, in order. */
  readonly requests: string[] = [];
  fault: (what: string) => S3Fault = () => "pass";
  endpoint = "";
  readonly #folder: string;
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
    const proxy = createServer((incoming, answer) => server.#take(incoming, answer));
    const port = await freePort();
    await new Promise<void>((resolve) => proxy.listen(port, "127.0.0.1", resolve));
    server.endpoint = `http://127.0.0.1:${port}`;
    onTestFinished(async () => {
      proxy.closeAllConnections();
      proxy.close();
      await server.pause();
    });
    return server;
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

  #take(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = "", url = "", headers } = incoming;
    const part = /partNumber=(\d+)/.exec(url)?.[1];
    const what = part === undefined ? `${method}${url.includes("uploads") ? " begin" : ""}` : `part ${part}`;
    this.requests.push(what);
    const fault = this.fault(what);
    if (fault === "cut") return void incoming.destroy();
    if (fault === "error") {
      incoming.resume();
      answer.writeHead(500).end("<Error><Code>InternalError</Code><Message>We failed</Message></Error>");
      return;
    }
    if (fault === "cut-in-body") return void incoming.once("data", () => incoming.destroy());
    const onward = request({ port: this.#serverPort, host: "127.0.0.1", method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.on("error", () => incoming.destroy());
    incoming.pipe(onward);
  }
}
