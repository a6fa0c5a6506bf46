import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { ClientFailure } from "../../../src/protocol/rtmp/client/client-outputs.ts";
import { ClientSession } from "../../../src/protocol/rtmp/client/client-session.ts";
import { type Credentials, LoginDialogue } from "../../../src/protocol/rtmp/server/publish-auth.ts";

const HANDSHAKE_RANDOM_BYTES = 1_528;
const CHUNK_SIZE = 4_096;
/** Eight digits of the client's own. */
const CLIENT_CHALLENGE = "8f1e6c20";

/** Where to publish, and as which user. */
export type LoginAttempt = {
  readonly port: number;
  readonly app: string;
  readonly streamKey: string;
  readonly credentials: Credentials;
};

/** The server's reply to one connection: it accepted the publication, or it refused, or it only hung up. */
export type LoginAnswer = "publishing" | "hung-up" | ClientFailure;

/** Makes one connection with this text after its application; it is over once it is answered. */
export function sayLogin({ port, app, streamKey }: LoginAttempt, loginQuery: string): Promise<LoginAnswer> {
  const publication = { app, tcUrl: `rtmp://127.0.0.1:${port}/${app}`, name: streamKey, loginQuery };
  const session = new ClientSession(publication, randomBytes(HANDSHAKE_RANDOM_BYTES), CHUNK_SIZE);
  const socket = connect(port, "127.0.0.1", () => socket.write(session.start()));
  return new Promise((resolve) => {
    socket.on("error", () => undefined);
    socket.on("close", () => resolve("hung-up"));
    socket.on("data", (bytes: Buffer) => {
      for (const output of session.receive(bytes, performance.now())) {
        if (output.kind === "send") socket.write(output.bytes);
        if (output.kind === "publishing") resolve("publishing");
        if (output.kind === "failed") resolve(output.failure);
        if (output.kind === "publishing" || output.kind === "failed") socket.destroy();
      }
    });
  });
}

/** Sends this text and resolves, once it was sent, with a function that hangs up: does not wait for a reply. */
export function hangUpAfter({ port, app, streamKey }: LoginAttempt, loginQuery: string): Promise<() => void> {
  const publication = { app, tcUrl: `rtmp://127.0.0.1:${port}/${app}`, name: streamKey, loginQuery };
  const session = new ClientSession(publication, randomBytes(HANDSHAKE_RANDOM_BYTES), CHUNK_SIZE);
  const socket = connect(port, "127.0.0.1", () => socket.write(session.start()));
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    let isHandshaken = false;
    socket.on("data", (bytes: Buffer) => {
      for (const output of session.receive(bytes, performance.now()))
        if (output.kind === "send") socket.write(output.bytes);
      // The handshake's reply makes the client send `connect`, with the text.
      if (!isHandshaken) setImmediate(() => resolve(() => void socket.destroy()));
      isHandshaken = true;
    });
  });
}

/**
 * The proof of the password, after the server was asked for its challenge: to be sent on a connection of its own.
 * `challengePort`: of another server of the cluster, which is asked for the challenge.
 */
export async function loginProof(attempt: LoginAttempt, challengePort = attempt.port): Promise<string> {
  const dialogue = new LoginDialogue(attempt.credentials, attempt.app);
  let query = "";
  for (const [asked, port] of [["a name", attempt.port] as const, ["a proof", challengePort] as const]) {
    const answer = await sayLogin({ ...attempt, port }, query);
    const isDemand = typeof answer === "object" && answer.kind === "login-demanded";
    const step = isDemand ? dialogue.answer(answer.demand, CLIENT_CHALLENGE) : undefined;
    if (step?.kind !== "reconnect") throw new Error(`the server was to ask for ${asked}: ${JSON.stringify(answer)}`);
    query = step.query;
  }
  return query;
}
