import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { ClientSession } from "../../../src/protocol/rtmp/client/client-session.ts";
import { encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { MessageType } from "../../../src/protocol/rtmp/message.ts";
import { ServerSession } from "../../../src/protocol/rtmp/server/server-session.ts";
import type { Mutator } from "../../support/encoders/fuzz-mutator.ts";

const HANDSHAKE_RANDOM_BYTES = 1_528;
const GREETING = Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]);
const CHUNK_SIZE = 4_096;
/** One attack takes no longer, in milliseconds. */
const ATTACK_MS = 1_500;
const MESSAGES_MAX = 60;

/** Connects, does something, and closes, at the latest when its time is over. */
function attack(port: number, act: (socket: Socket) => void): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const timer = setTimeout(() => socket.destroy(), ATTACK_MS);
  socket.on("error", () => undefined);
  socket.on("data", () => undefined);
  socket.once("connect", () => act(socket));
  return new Promise((resolve) => {
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A peer without a key: what an encoder sent once, mutated, in one piece or cut. */
export function attackWithoutKey(port: number, mutator: Mutator): Promise<void> {
  return attack(port, (socket) => {
    const input = Buffer.concat([GREETING, mutator.next("server")]);
    if (mutator.below(4) === 0) mutator.change(input);
    const cut = mutator.below(2) === 0 ? input.length : mutator.below(input.length);
    socket.write(input.subarray(0, cut));
    if (cut < input.length) setImmediate(() => socket.write(input.subarray(cut)));
    if (mutator.below(3) === 0) socket.end();
  });
}

/** One message that an encoder on air may send, of any type, mutated. */
function mutatedMessage(mutator: Mutator, timestamp: number): Buffer {
  const kinds = [
    [MessageType.Video, "video"],
    [MessageType.Audio, "audio"],
    [MessageType.DataAmf0, "amf"],
    [MessageType.CommandAmf0, "amf"],
    [MessageType.Aggregate, "video"],
  ] as const;
  const [type, target] = kinds[mutator.below(kinds.length)] ?? kinds[0];
  const bytes = encodeMessage(
    3 + mutator.below(5),
    { type, timestamp, streamId: 1, payload: mutator.next(target) },
    CHUNK_SIZE,
  );
  if (mutator.below(20) === 0) mutator.change(bytes);
  return bytes;
}

/** An encoder with a good key that sends mutated messages. */
export function attackAsEncoder(port: number, streamKey: string, mutator: Mutator): Promise<void> {
  return attack(port, (socket) => {
    const publication = { app: "relay", tcUrl: `rtmp://127.0.0.1:${port}/relay`, name: streamKey };
    const session = new ClientSession(publication, randomBytes(HANDSHAKE_RANDOM_BYTES), CHUNK_SIZE);
    socket.write(session.start());
    socket.on("data", (bytes: Buffer) => {
      for (const output of session.receive(bytes, performance.now())) {
        if (output.kind === "send") socket.write(output.bytes);
        if (output.kind !== "publishing") continue;
        const count = mutator.below(MESSAGES_MAX);
        for (let message = 0; message < count; message += 1) socket.write(mutatedMessage(mutator, message * 40));
      }
    });
  });
}

const API = "/api/v2/re-stream/channels";

/** Requests to the API and the dashboard, to be mutated; `{channel}` stands for an existing channel. */
const REQUESTS: readonly { readonly method: string; readonly path: string; readonly body?: string }[] = [
  { method: "GET", path: API },
  { method: "GET", path: `${API}?pageNo=1&pageSizeNo=20&channelName=a` },
  { method: "GET", path: `${API}/{channel}` },
  { method: "GET", path: `${API}/{channel}/platforms` },
  { method: "PATCH", path: `${API}/{channel}`, body: '{"channelName":"fuzzed","hold":{"seconds":30},"latency":"low"}' },
  {
    method: "POST",
    path: `${API}/{channel}/platforms`,
    body: '{"targetName":"CUSTOM","rtmpUrl":"rtmp://127.0.0.1:1/live","streamKey":"k"',
  },
  { method: "GET", path: "/api/v2/re-stream/live" },
  { method: "GET", path: "/metrics" },
  { method: "GET", path: "/openapi.json" },
  { method: "GET", path: "/" },
  { method: "GET", path: "/assets/index.js" },
  { method: "POST", path: "/dashboard/sign-in", body: '{"password":"wrong"}' },
  { method: "POST", path: "/dashboard/password", body: '{"token":"x","password":"another one"}' },
  { method: "GET", path: "/dashboard/session" },
  { method: "GET", path: "/preview/{channel}.flv?token=abc" },
];

/** A request, signed or not, with its bytes changed. */
export function attackApi(port: number, secretKey: string, channelId: string, mutator: Mutator): Promise<void> {
  return attack(port, (socket) => {
    const request = REQUESTS[mutator.below(REQUESTS.length)];
    const { method = "GET", path = "/", body = "" } = request ?? {};
    const authorization = mutator.below(2) === 0 ? `Authorization: Bearer ${secretKey}\r\n` : "";
    const content = body === "" ? "" : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    const head = `${method} ${path.replace("{channel}", channelId)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n`;
    const text = Buffer.from(`${head}${authorization}${content}Connection: close\r\n\r\n${body}`);
    for (let times = mutator.below(4); times > 0; times -= 1) mutator.change(text);
    socket.write(text);
  });
}

/** A target whose replies are mutated, and that sends anything once it has taken the stream. */
export class MutatedTarget {
  connections = 0;
  readonly #server: Server;
  readonly #mutator: Mutator;

  private constructor(server: Server, mutator: Mutator) {
    this.#server = server;
    this.#mutator = mutator;
    server.on("connection", (socket) => this.#take(socket));
  }

  static async start(mutator: Mutator): Promise<MutatedTarget> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new MutatedTarget(server, mutator);
  }

  get url(): string {
    const address = this.#server.address();
    return `rtmp://127.0.0.1:${typeof address === "object" ? address?.port : 0}/live`;
  }

  close(): void {
    this.#server.close();
  }

  #take(socket: Socket): void {
    this.connections += 1;
    const mutator = this.#mutator;
    const session = new ServerSession(Buffer.alloc(HANDSHAKE_RANDOM_BYTES), performance.now());
    socket.on("error", () => undefined);
    const say = (bytes: Buffer) => {
      const own = Buffer.from(bytes);
      if (mutator.below(4) === 0) mutator.change(own);
      if (!socket.destroyed) socket.write(own);
    };
    socket.on("data", (bytes: Buffer) => {
      for (const output of session.receive(bytes, performance.now())) {
        if (output.kind === "send") say(output.bytes);
        if (output.kind === "closed") socket.end();
        if (output.kind !== "publish-requested") continue;
        for (const answer of session.answer(output.request.requestId, "accept", performance.now())) {
          if (answer.kind === "send") say(answer.bytes);
        }
        for (let times = mutator.below(20); times > 0; times -= 1) say(this.#remark());
        // Sometimes it floods.
        if (mutator.below(5) === 0) socket.write(Buffer.alloc(2 * 1_024 * 1_024, mutator.below(256)));
      }
    });
    setTimeout(() => socket.destroy(), ATTACK_MS);
  }

  #remark(): Buffer {
    const mutator = this.#mutator;
    if (mutator.below(2) === 0) return mutator.next("client");
    const args = [mutator.below(1_000), "NetStream.Publish.Start"] as const;
    return encodeMessage(3, encodeCommand(1, { name: "onStatus", transactionId: 0, object: null, args }), 128);
  }
}
