import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import { expect, onTestFinished, test } from "vitest";
import { createMailer } from "../../../src/webhooks/contacts/mail.ts";

const DIGEST = { title: "Fanfare: 쇼", lines: ["YOUTUBE failed", ".", "end"] };
const NEVER = new AbortController().signal;

/** A mail server that takes mail for `a@example.com` with a password, and keeps it. */
async function mailServer(): Promise<{ readonly port: number; readonly mails: { to: string[]; text: string }[] }> {
  const mails: { to: string[]; text: string }[] = [];
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username, password }, _session, done) =>
      username === "fan" && password === "secret" ? done(null, { user: "fan" }) : done(new Error("no")),
    onRcptTo: ({ address }, _session, done) =>
      address.endsWith("@example.com") ? done() : done(Object.assign(new Error("no such"), { responseCode: 550 })),
    onData: (stream, session, done) => {
      let text = "";
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on("end", () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, mails };
}

test("mail goes to all mailboxes through the server with its login", async () => {
  const { port, mails } = await mailServer();
  const send = createMailer({ url: `smtp://fan:secret@127.0.0.1:${port}`, from: "fanfare@example.com" });
  expect(await send(["a@example.com", "b@example.com"], DIGEST, NEVER)).toEqual({ status: 250 });
  expect(mails.map(({ to }) => to)).toEqual([["a@example.com", "b@example.com"]]);
  const text = mails[0]?.text ?? "";
  expect(text).toMatch(/^From: fanfare@example\.com\r?\n/m);
  expect(text).toContain(`Subject: =?UTF-8?Q?${"Fanfare=3A_=EC=87=BC"}?=`);
  expect(text).toMatch(/YOUTUBE failed\r?\n\.\r?\nend/);
});

/** A mail server that offers a login but no TLS, or whose offer somebody in between took out. Keeps what it is told. */
async function strippedServer() {
  const said: string[] = [];
  const server = createServer((socket) => {
    socket.write("220 mail.example.com ESMTP\r\n");
    socket.on("data", (bytes) => {
      const line = String(bytes).trim();
      said.push(line);
      const answers: Readonly<Record<string, string>> = {
        EHLO: "250-mail\r\n250 AUTH PLAIN LOGIN",
        STARTTLS: "502 no",
      };
      socket.write(`${answers[line.split(" ")[0] ?? ""] ?? "250 OK"}\r\n`);
    });
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return { said, port: address === null || typeof address === "string" ? 0 : address.port };
}

test("a login does not go without TLS to a server elsewhere, whatever it offers, unless the address says so", async () => {
  const { said, port } = await strippedServer();
  // Not one of the names that stand for this machine, although it leads there.
  const send = (query: string) =>
    createMailer({ url: `smtp://fan:secret@0.0.0.0:${port}${query}`, from: "f@example.com" });
  expect(await send("")(["a@example.com"], DIGEST, NEVER)).toEqual({ problem: "TLS_FAILED" });
  expect(said.filter((line) => line.startsWith("AUTH"))).toEqual([]);
  expect(await send("?requireTLS=false")(["a@example.com"], DIGEST, NEVER)).toMatchObject({ status: 250 });
  expect(said.filter((line) => line.startsWith("AUTH"))).not.toEqual([]);
});

test("what the mail server says no to is said, with its code", async () => {
  const { port, mails } = await mailServer();
  const wrong = createMailer({ url: `smtp://fan:wrong@127.0.0.1:${port}`, from: "f@example.com" });
  expect(await wrong(["a@example.com"], DIGEST, NEVER)).toEqual({ problem: "MAIL_REJECTED", status: 535 });
  const send = createMailer({ url: `smtp://fan:secret@127.0.0.1:${port}`, from: "f@example.com" });
  expect(await send(["a@elsewhere.org"], DIGEST, NEVER)).toEqual({ problem: "MAIL_REJECTED", status: 550 });
  expect(mails).toEqual([]);
});

test("a server that is not there, is no mail server, or never answers", async () => {
  const silent = createServer();
  const rude = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  for (const server of [silent, rude]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
  }
  const portOf = (server: typeof silent) => {
    const address = server.address();
    return address === null || typeof address === "string" ? 0 : address.port;
  };
  const mailer = (port: number) => createMailer({ url: `smtp://127.0.0.1:${port}`, from: "f@example.com" });
  expect(await mailer(1)(["a@example.com"], DIGEST, NEVER)).toEqual({ problem: "CONNECTION_FAILED" });
  const answered = await mailer(portOf(rude))(["a@example.com"], DIGEST, NEVER);
  expect(answered?.problem).toMatch(/^(?:CONNECTION_FAILED|MAIL_REJECTED)$/);
  const closing = new AbortController();
  const waiting = mailer(portOf(silent))(["a@example.com"], DIGEST, closing.signal);
  await once(silent, "connection");
  closing.abort();
  expect(await waiting).toBeUndefined();
});

/** A mail server that greets, and whose answer after that has no end: a line each 10 ms. */
async function talkativeServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write("220 mail.example.com ESMTP\r\n");
    const talk = setInterval(() => socket.write("250-please wait\r\n"), 10);
    socket.on("error", () => undefined);
    socket.on("close", () => clearInterval(talk));
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { server, port: address === null || typeof address === "string" ? 0 : address.port };
}

const closed = (socket: Socket | undefined) => new Promise<unknown>((resolve) => socket?.once("close", resolve));

test("the connection to a server that talks without end is over with the attempt, and when the process ends", async () => {
  const { server, port } = await talkativeServer();
  const url = `smtp://127.0.0.1:${port}`;
  const connection = once(server, "connection");
  const late = createMailer({ url, from: "f@example.com" }, 50)(["a@example.com"], DIGEST, NEVER);
  const [first]: Socket[] = await connection;
  const isOver = closed(first);
  expect(await late).toEqual({ problem: "TIMEOUT" });
  await isOver;
  const closing = new AbortController();
  const next = once(server, "connection");
  const cancelled = createMailer({ url, from: "f@example.com" })(["a@example.com"], DIGEST, closing.signal);
  const [second]: Socket[] = await next;
  const isOverToo = closed(second);
  closing.abort();
  expect(await cancelled).toBeUndefined();
  await isOverToo;
});
