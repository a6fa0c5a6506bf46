import { once } from "node:events";
import { connect, createServer } from "node:net";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { LIMITS_PUBLISHING } from "../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { type MessageRecord, recordMessage } from "../../../src/testkit/message-record.ts";

/** What a client sends before its first chunk: a version, and two parts of 1,536 bytes. */
const HANDSHAKE_BYTES = 1 + 2 * 1_536;
/** Further ahead a frame is looked for in vain: a clip that is sent over and over has it again. */
const LOST_MAX = 75;

/** A proxy between an encoder and a server, which records what the encoder sends. */
export type EncoderTap = {
  readonly port: number;
  /** Of all connections, in order. */
  readonly messages: readonly MessageRecord[];
  /** How many connections the encoder made. */
  readonly connectionCount: number;
  /** How many of them are open. */
  readonly openCount: number;
  close(): void;
};

export async function tapEncoder(serverPort: number): Promise<EncoderTap> {
  const messages: MessageRecord[] = [];
  let connectionCount = 0;
  let openCount = 0;
  const server = createServer((encoder) => {
    connectionCount += 1;
    openCount += 1;
    encoder.on("close", () => {
      openCount -= 1;
    });
    const onward = connect(serverPort, "127.0.0.1");
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    let handshakeLeft = HANDSHAKE_BYTES;
    encoder.on("data", (bytes) => {
      const chunks = bytes.subarray(handshakeLeft);
      handshakeLeft = Math.max(0, handshakeLeft - bytes.length);
      if (chunks.length === 0) return;
      reader.receive(chunks, (message) => {
        const record = recordMessage(message);
        if (record !== undefined) messages.push(record);
      });
    });
    encoder.pipe(onward).pipe(encoder);
    for (const [one, other] of [
      [encoder, onward],
      [onward, encoder],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => other.end());
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  return {
    port: address.port,
    messages,
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return openCount;
    },
    close: () => void server.close(),
  };
}

/**
 * What is wrong with what a target got of what an encoder sent: from some frame on, every frame must have come in order, at least
 * up to the first `sentBefore` messages.
 */
export function differences(
  got: readonly MessageRecord[],
  sent: readonly MessageRecord[],
  sentBefore: number,
): readonly string[] {
  return (["video", "audio"] as const).flatMap((kind) => {
    const isFrame = (message: MessageRecord) => message.kind === kind && !message.isConfig;
    const hashesOf = (messages: readonly MessageRecord[]) => messages.filter(isFrame).map(({ hash }) => hash);
    const [had, wanted, due] = [hashesOf(got), hashesOf(sent), sent.slice(0, sentBefore).filter(isFrame).length];
    const starts = wanted.flatMap((hash, at) => (hash === had[0] ? [at] : []));
    const equal = starts.map((start) => {
      const other = had.findIndex((hash, at) => hash !== wanted[start + at]);
      return { start, count: other < 0 ? had.length : other };
    });
    const best = equal.toSorted((left, right) => right.count - left.count)[0];
    if (best === undefined) return [`${kind}: the first of ${had.length} frames is none that was sent`];
    const { lost, others, next } = compared(had, wanted, best.start);
    const place = `the first at number ${best.count} of ${had.length}`;
    return [
      ...(lost > 0 ? [`${kind}: ${lost} frames were lost, ${place}`] : []),
      ...(others > 0 ? [`${kind}: ${others} frames came that were not the next ones, ${place}`] : []),
      ...(next < due ? [`${kind}: ${due - next} frames did not come at the end`] : []),
    ];
  });
}

/** Follows what came through what was sent. Frames that stand nowhere among the next ones are `others`: repeated or filler. */
function compared(had: readonly string[], wanted: readonly string[], start: number) {
  let [next, lost, others] = [start, 0, 0];
  for (const hash of had) {
    const at = wanted[next] === hash ? next : wanted.slice(next, next + LOST_MAX).indexOf(hash) + next;
    if (at < next) others += 1;
    else {
      lost += at - next;
      next = at + 1;
    }
  }
  return { lost, others, next };
}
