import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench } from "tinybench";
import { AMF0_LIMITS, decodeAmf0 } from "../src/protocol/amf0/decode.ts";
import { encodeAmf0 } from "../src/protocol/amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../src/protocol/amf0/value.ts";
import type { ChunkHeader } from "../src/protocol/rtmp/chunk/chunk-header.ts";
import { ChunkReader } from "../src/protocol/rtmp/chunk/chunk-reader.ts";
import { cutLength, cutMessage, encodeMessage } from "../src/protocol/rtmp/chunk/chunk-writer.ts";
import { PayloadSlab } from "../src/protocol/rtmp/chunk/payload-slab.ts";
import { LIMITS_PUBLISHING } from "../src/protocol/rtmp/chunk/reader-limits.ts";
import { type Message, MessageType } from "../src/protocol/rtmp/message.ts";
import { Engine } from "../src/relay/engine.ts";
import { MEDIA_CHUNK_SIZE } from "../src/relay/packing/media-chunk-size.ts";
import { classifyMessage } from "../src/relay/stream/classify-message.ts";
import type { MediaMessage } from "../src/relay/stream/media-message.ts";
import { StreamMemory } from "../src/relay/stream/stream-memory.ts";
import { PreviewSubscriber } from "../src/relay/subscriber/preview/preview-subscriber.ts";
import type { Link } from "../src/relay/subscriber/rtmp-push/link.ts";
import { readFlv } from "../src/testkit/flv-file.ts";
import { machineRows, table } from "../test/soak/machine.ts";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { VirtualClock } from "../test/support/stages/virtual-clock.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { mediaMessage } from "../test/support/streams/media-messages.ts";

/** Measures how fast each step of a packet's way is, alone: README.md in this folder. */
const READ_BYTES = 64 * 1024;
const CSID = 6;
const SMALL_CHUNK_BYTES = 128;
const AMF_ROUNDS = 1_000;
const MB = 1_000_000;

const { values } = parseArgs({
  options: {
    /** Milliseconds for each step. */
    time: { type: "string", default: "2000" },
    /** Prints the result and writes no file. */
    dry: { type: "boolean", default: false },
  },
});

/** One step: what it does once, and how many bytes and items (messages, values) that is. */
type Piece = { readonly name: string; readonly bytes: number; readonly items: number; readonly run: () => void };

function chunked(messages: readonly Message[], chunkBytes: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(chunkBytes);
  const announced: Message = { type: MessageType.SetChunkSize, timestamp: 0, streamId: 0, payload: size };
  return Buffer.concat([
    encodeMessage(2, announced, SMALL_CHUNK_BYTES),
    ...messages.map((message) => encodeMessage(CSID, message, chunkBytes)),
  ]);
}

/** A reader as an encoder's connection has it, fed by reads of a socket's usual size. */
function reading(name: string, messages: readonly Message[], chunkBytes: number): Piece {
  const bytes = chunked(messages, chunkBytes);
  const slab = new PayloadSlab();
  const run = () => {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    reader.lendPayloads(slab);
    let count = 0;
    for (let at = 0; at < bytes.length; at += READ_BYTES) {
      reader.receive(bytes.subarray(at, at + READ_BYTES), () => {
        count += 1;
      });
    }
    if (count < messages.length) throw new Error(`${count} messages of ${messages.length}`);
  };
  return { name, bytes: bytes.length, items: messages.length, run };
}

function writing(messages: readonly Message[]): Piece {
  const headers = messages.map(
    ({ type, payload }): ChunkHeader => ({ fmt: 1, csid: CSID, time: 20, length: payload.length, type, streamId: 0 }),
  );
  const lengths = headers.map((header) => cutLength(header, MEDIA_CHUNK_SIZE));
  const into = Buffer.alloc(Math.max(...lengths));
  const run = () => {
    for (const [index, { payload }] of messages.entries()) {
      const header = headers[index];
      if (header !== undefined) cutMessage(into, 0, header, payload, MEDIA_CHUNK_SIZE);
    }
  };
  const bytes = lengths.reduce((sum, length) => sum + length, 0);
  return { name: `chunk writer, chunks of ${MEDIA_CHUNK_SIZE} bytes`, bytes, items: messages.length, run };
}

function classifying(messages: readonly MediaMessage[]): Piece {
  const run = () => {
    let frames = 0;
    const memory = new StreamMemory();
    for (const message of messages) if (classifyMessage(message, memory).what === "frame") frames += 1;
    if (frames === 0) throw new Error("no frames");
  };
  const bytes = messages.reduce((sum, { payload }) => sum + payload.length, 0);
  return { name: "packet classification", bytes, items: messages.length, run };
}

const TARGETS = 20;
const VIEWERS = 5;

/** A link that takes everything at once. */
class OpenLink implements Link {
  readonly isHolding = false;
  readonly isResending = false;
  readonly pendingBytes = 0;
  readonly isBehind = false;
  readonly acks = undefined;
  readonly kernelQueue = undefined;
  readonly creditBytes = Number.POSITIVE_INFINITY;
  takenBytes = 0;
  write(bytes: Buffer): void {
    this.takenBytes += bytes.length;
  }
  suit(): void {}
  probe(): void {}
  close(): void {}
}

/** A channel on air with so many targets and viewers, which all keep up. Time passes by the messages' timestamps. */
function relaying(messages: readonly MediaMessage[], targets: number, viewers: number): Piece {
  const clock = new VirtualClock();
  const accepts: (() => void)[] = [];
  const engine = new Engine({
    ...{ clock, random: () => 0.5, onFact: () => undefined, report: () => undefined },
    dialer: {
      dial: (_target, events) => {
        accepts.push(() => events.onPublishing(1));
        return new OpenLink();
      },
    },
  });
  const specs = Array.from({ length: targets }, (_, index) => ({
    ...{ targetId: index + 1, url: `rtmp://target${index}/app`, streamKey: "key", isEnabled: true },
  }));
  engine.introduce({ channelId: "ls-1", revision: 1, holdSeconds: 0, targets: specs });
  const publisher = engine.open("ls-1", {
    ...{ slot: "main", remoteAddress: "127.0.0.1", encoder: "bench", onDismissed: () => undefined },
  });
  if (publisher === undefined) throw new Error("no such channel");
  const lastMs = messages.at(-1)?.timestamp ?? 0;
  let beganMs = 0;
  let previewBytes = 0;
  const run = () => {
    for (const message of messages) {
      const timestamp = beganMs + message.timestamp;
      clock.advance(Math.max(0, timestamp - clock.now()));
      publisher.push({ ...message, timestamp });
      for (const accept of accepts.splice(0)) accept();
    }
    beganMs += lastMs + 20;
  };
  run();
  for (let viewer = 0; viewer < viewers; viewer += 1) {
    const preview = new PreviewSubscriber(
      {
        take: (bytes) => {
          previewBytes += bytes.length;
          preview.taken(bytes.length);
        },
        end: () => {
          throw new Error(`the preview ended after ${previewBytes} bytes`);
        },
      },
      clock,
    );
    engine.subscribe("ls-1", preview);
  }
  const bytes = messages.reduce((sum, { payload }) => sum + payload.length, 0);
  return { name: `relay, ${targets} targets and ${viewers} previews`, bytes, items: messages.length, run };
}

const CONNECT: readonly Amf0Value[] = [
  "connect",
  1,
  amf0Object({
    app: "live",
    type: "nonprivate",
    flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
    tcUrl: "rtmp://a.example/live",
  }),
];
const METADATA: readonly Amf0Value[] = [
  "@setDataFrame",
  "onMetaData",
  amf0EcmaArray({
    ...{ duration: 0, fileSize: 0, width: 1920, height: 1080, videocodecid: 7, videodatarate: 6000, framerate: 30 },
    ...{ audiocodecid: 10, audiodatarate: 160, audiosamplerate: 48_000, audiosamplesize: 16, audiochannels: 2 },
    ...{ stereo: true, encoder: "obs-output module (libobs version 31.0.0)" },
  }),
];

function amf(name: string, of: readonly Amf0Value[]): (() => Piece)[] {
  const bytes = encodeAmf0(of);
  const times = (once: () => void) => () => {
    for (let round = 0; round < AMF_ROUNDS; round += 1) once();
  };
  const size = { bytes: bytes.length * AMF_ROUNDS, items: AMF_ROUNDS };
  return [
    () => ({ name: `AMF0 decoded, ${name}`, ...size, run: times(() => decodeAmf0(bytes, AMF0_LIMITS)) }),
    () => ({ name: `AMF0 encoded, ${name}`, ...size, run: times(() => encodeAmf0(of)) }),
  ];
}

async function row({ name, bytes, items, run }: Piece): Promise<string> {
  const [task] = await new Bench({ time: Number(values.time), throws: true }).add(name, run).run();
  if (task?.result.state !== "completed") throw new Error(`${name} was not measured`);
  const { p50, rme } = task.result.latency;
  const perSecond = 1_000 / p50;
  const rate = (bytes * perSecond) / MB;
  const cells = [name, rate.toFixed(0), (items * perSecond).toExponential(2), ((p50 * MB) / items).toFixed(0)];
  return `| ${[...cells, `± ${rme.toFixed(1)} %`].join(" | ")} |`;
}

const { path } = await makeClip({ seconds: 10, kilobits: 6_000, size: "1280x720" });
const tags = readFlv(await readFile(path));
const messages = tags.map(({ type, timestamp, payload }): Message => ({ type, timestamp, streamId: 1, payload }));
const media = tags.map(mediaMessage);
const pieces: readonly (() => Piece)[] = [
  () => reading(`chunk reader, chunks of ${MEDIA_CHUNK_SIZE} bytes`, messages, MEDIA_CHUNK_SIZE),
  () => reading(`chunk reader, chunks of ${SMALL_CHUNK_BYTES} bytes`, messages, SMALL_CHUNK_BYTES),
  () => writing(messages),
  () => classifying(media),
  () => relaying(media, TARGETS, 0),
  () => relaying(media, 1, VIEWERS),
  ...amf("a connect command", CONNECT),
  ...amf("OBS's metadata", METADATA),
];
const rows: string[] = [];
// One after another: what a later piece calls must not change the machine code of an earlier one.
for (const make of pieces) rows.push(await row(make()));
const text = `# How fast the pieces are

\`npm run bench:micro\`, ${new Date().toISOString().slice(0, 10)}: the median of tinybench's measurements over ${Number(values.time) / 1_000} s for each piece, in one thread. The messages are those of a 10 s clip,
H.264 at 6 Mbit/s and AAC (${messages.length} of them); a reader is fed ${READ_BYTES / 1_024} KiB at a time. A unit is a message, or one AMF0 body. Classification reads only a message's first bytes;
its MB/s count whole messages.

| piece | MB/s | units a second | ns a unit | mean's error |
|---|---|---|---|---|
${rows.join("\n")}

${table(["machine", ""], machineRows())}
`;
process.stdout.write(text);
if (!values.dry) await writeFile(join(ROOT, "docs", "results", "micro.md"), text);
