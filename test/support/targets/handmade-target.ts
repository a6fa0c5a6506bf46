import { connect, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { ServerSession } from "../../../src/protocol/rtmp/server/server-session.ts";
import { serve } from "../stages/dialling.ts";

/** Accepts whatever a connection publishes, and calls `onPublish` each time. */
export function acceptPublish(socket: Socket, onPublish: () => void): void {
  const session = new ServerSession(Buffer.alloc(1_528), performance.now());
  socket.on("data", (bytes) => {
    for (const output of session.receive(bytes, performance.now())) {
      if (output.kind === "send") socket.write(output.bytes);
      if (output.kind !== "publish-requested") continue;
      for (const answer of session.answer(output.request.requestId, "accept", performance.now())) {
        if (answer.kind === "send") socket.write(answer.bytes);
      }
      onPublish();
    }
  });
}

/** A target that finishes the handshake and then calls `reply` at each read. Returns its URL. */
export async function replyingTarget(reply: (socket: Socket) => void): Promise<string> {
  const port = await serve(
    createServer((socket: Socket) => {
      socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]));
      let received = 0;
      socket.on("data", (bytes: Buffer) => {
        received += bytes.length;
        if (received > 3_073 && socket.writable) reply(socket);
      });
    }),
  );
  return `rtmp://127.0.0.1:${port}/live`;
}

/** A TLS port that passes every connection on to a plain port of 127.0.0.1, until the test is over. Returns its number. */
export function tlsInFront(
  port: number,
  options: TlsOptions,
  onConnection: (socket: TLSSocket) => void = () => undefined,
): Promise<number> {
  const server = createTlsServer(options, (socket) => {
    onConnection(socket);
    const behind = connect(port, "127.0.0.1").on("error", () => socket.destroy());
    socket.on("error", () => behind.destroy());
    socket.pipe(behind).pipe(socket);
  });
  server.on("tlsClientError", () => undefined);
  return serve(server);
}
