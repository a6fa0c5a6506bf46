import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_BEFORE_PUBLISH } from "../../src/protocol/rtmp/chunk/reader-limits.ts";
import { encodeControl } from "../../src/protocol/rtmp/control.ts";
import { MessageType } from "../../src/protocol/rtmp/message.ts";
import { waitFor } from "../support/processes/waiting.ts";

const KIB = 1_024;
const CONNECTIONS = 400;
const WARM_UP = 50;
const DEADLINE_MS = 20_000;
/** What a connection may cost before its key is known, beside one message, in bytes. Measured: 4 to 10 KiB. */
const STRANGER_BYTES_MAX = 16 * KIB;
const MESSAGE_BYTES_MAX = LIMITS_BEFORE_PUBLISH.messageBytesMax(MessageType.CommandAmf0);
const CHUNK_BYTES = 128;

const C0_C1 = Buffer.concat([Buffer.from([3]), Buffer.alloc(1_536)]);
const GREETING = Buffer.concat([C0_C1, Buffer.alloc(1_536)]);
const ANSWER_BYTES = 3_073;
/** Its pong of 18 bytes proves that everything before it was read. */
const PING = encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 1 }), CHUNK_BYTES);
const PONG_BYTES = 18;
const audioMessage = (length: number) => ({
  type: MessageType.Audio,
  timestamp: 0,
  streamId: 1,
  payload: Buffer.alloc(length),
});
/** One empty message on each chunk stream that is allowed before publish; one more is the ping's. */
const CHUNK_STREAMS = Array.from({ length: LIMITS_BEFORE_PUBLISH.chunkStreamsMax - 1 }, (_, index) =>
  encodeMessage(3 + index, audioMessage(0), CHUNK_BYTES),
);
/** The longest message that is allowed, without its last chunk. */
const UNFINISHED = encodeMessage(4, audioMessage(MESSAGE_BYTES_MAX), CHUNK_BYTES).subarray(0, -CHUNK_BYTES - 1);

type Answer = { readonly accepted: number; readonly bytes: number };

async function listenerProcess(): Promise<{ readonly port: number; ask(): Promise<Answer> }> {
  const path = join(import.meta.dirname, "..", "support", "processes", "listener-in-a-process.ts");
  const child: ChildProcess = fork(path, { execArgv: ["--expose-gc"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return {
    port,
    ask: async () => {
      child.send("measure");
      const [answer] = (await once(child, "message")) as [Answer];
      return answer;
    },
  };
}

/** Connects, sends this, and waits until so many bytes came back. */
async function openConnection(port: number, says: Buffer, answerBytes: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  let received = 0;
  const answered = new Promise<void>((resolve, reject) => {
    const check = () => (received >= answerBytes ? resolve() : undefined);
    socket.on("data", (bytes) => {
      received += bytes.length;
      check();
    });
    socket.once("close", () => reject(new Error("sent away")));
    check();
  });
  if (says.length > 0) socket.write(says);
  await answered;
  return socket;
}

test.each([
  { name: "that sends nothing", says: Buffer.alloc(0), answerBytes: 0, message: 0 },
  { name: "that got the reply to its first packet", says: C0_C1, answerBytes: ANSWER_BYTES, message: 0 },
  {
    name: "that has finished the handshake",
    says: Buffer.concat([GREETING, PING]),
    answerBytes: ANSWER_BYTES + PONG_BYTES,
    message: 0,
  },
  {
    name: "that has opened every chunk stream",
    says: Buffer.concat([GREETING, ...CHUNK_STREAMS, PING]),
    answerBytes: ANSWER_BYTES + PONG_BYTES,
    message: 0,
  },
  {
    name: "with the longest message under way",
    says: Buffer.concat([GREETING, UNFINISHED, PING]),
    answerBytes: ANSWER_BYTES + PONG_BYTES,
    message: MESSAGE_BYTES_MAX,
  },
])(
  "a plain connection without a key costs at most 16 KiB and one message: one $name",
  async ({ says, answerBytes, message }) => {
    const { port, ask } = await listenerProcess();
    const open = (count: number) =>
      Promise.all(Array.from({ length: count }, () => openConnection(port, says, answerBytes)));
    const accepted = async (count: number) =>
      await waitFor(`${count} connections`, DEADLINE_MS, async () => {
        const answer = await ask();
        return answer.accepted === count ? answer : undefined;
      });
    await open(WARM_UP);
    const before = await accepted(WARM_UP);
    await open(CONNECTIONS);
    const after = await accepted(WARM_UP + CONNECTIONS);
    const each = (after.bytes - before.bytes) / CONNECTIONS;
    expect(each).toBeGreaterThan(0);
    expect(each).toBeLessThanOrEqual(STRANGER_BYTES_MAX + message);
  },
);
