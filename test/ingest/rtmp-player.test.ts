import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { ConnectionLimits } from "../../src/ingest/connection-limiter.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import type { PlayPermit } from "../../src/ingest/rtmp/rtmp-player.ts";
import { AMF0_LIMITS } from "../../src/protocol/amf0/decode.ts";
import { amf0Object, textProperty } from "../../src/protocol/amf0/value.ts";
import { ChunkReader } from "../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../src/protocol/rtmp/chunk/reader-limits.ts";
import { decodeCommand, encodeCommand } from "../../src/protocol/rtmp/command.ts";
import type { Message } from "../../src/protocol/rtmp/message.ts";
import { Engine } from "../../src/relay/engine.ts";
import { openPreviewSession } from "../../src/relay/preview-session.ts";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { NO_LOGINS } from "../support/stages/admission.ts";
import { FakeDialer } from "../support/stages/fake-links.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { AVC_CONFIG, avcFrame, metadata, video } from "../support/streams/media-messages.ts";

const DEADLINE_MS = 10_000;
const S0S1S2_BYTES = 3_073;
const SPEC: ChannelSpec = {
  channelId: "ls-1",
  revision: 1,
  holdSeconds: 0,
  targets: [{ targetId: 1, url: "rtmp://target/app", streamKey: "target-key", isEnabled: true }],
};

/** A listener on virtual time whose one channel is on air, with video by default; the token `good` has a permit. */
async function open(limits: ConnectionLimits = {}, hasVideo = true) {
  const clock = new VirtualClock();
  const facts: Fact[] = [];
  const onFact = (fact: Fact) => void facts.push(fact);
  const dialer = new FakeDialer();
  const engine = new Engine({ clock, random: Math.random, dialer, onFact, report: () => undefined });
  const slots = { asked: [] as string[], left: 0 };
  const listener = new RtmpListener({
    ...{ clock, randomBytes, onFact, limits, flush: () => engine.flush() },
    ...NO_LOGINS,
    admit: async () => "refused",
    permitPlayer: async (channelId, token): Promise<PlayPermit> => {
      slots.asked.push(`${channelId} ${token}`);
      if (token === "full") return "full";
      if (token !== "good") return "refuse";
      const leave = () => {
        slots.left += 1;
      };
      return {
        leave,
        show: async (streamId, sink) =>
          openPreviewSession(engine, clock, { channelId, format: { kind: "rtmp", streamId } }, sink),
      };
    },
  });
  onTestFinished(() => {
    engine.shutDown("cut");
    listener.close();
  });
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  engine.introduce(SPEC);
  const publisher = engine.open(SPEC.channelId, {
    ...{ slot: "main", remoteAddress: "127.0.0.1", encoder: "" },
    onDismissed: () => undefined,
  });
  if (publisher === undefined) throw new Error("no source");
  if (hasVideo) {
    begin(publisher);
    dialer.latest(1).accept();
  }
  return { clock, facts, dialer, engine, slots, port, publisher };
}

function begin(publisher: PublisherHandle): void {
  publisher.push(metadata({ width: 640 }));
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
}

class Player {
  readonly socket: Socket;
  readonly #reader = new ChunkReader(LIMITS_PUBLISHING);
  readonly messages: Message[] = [];
  #skipped = 0;
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.isClosed = true;
    });
    socket.on("data", (bytes) => {
      const skip = Math.min(bytes.length, S0S1S2_BYTES - this.#skipped);
      this.#skipped += skip;
      this.#reader.receive(bytes.subarray(skip), (message) => this.messages.push(message));
    });
    onTestFinished(() => void socket.destroy());
  }

  static async open(port: number, name: string): Promise<Player> {
    const player = new Player(connect(port, "127.0.0.1"));
    await once(player.socket, "connect");
    player.socket.write(Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]));
    player.say("connect", 1, amf0Object({ app: "preview" }), []);
    player.say("createStream", 2, null, []);
    player.say("play", 3, null, [name]);
    return player;
  }

  say(name: string, transactionId: number, object: ReturnType<typeof amf0Object> | null, args: (string | boolean)[]) {
    const message = encodeCommand(name === "play" ? 1 : 0, { name, transactionId, object, args });
    this.socket.write(encodeMessage(3, message, 128));
  }

  get codes(): string[] {
    return this.messages
      .filter(({ type }) => type === 20)
      .map((message) => decodeCommand(message, AMF0_LIMITS))
      .flatMap(({ name, args }) => (name === "onStatus" ? [textProperty(args[0], "code") ?? ""] : []));
  }

  get videoMessages(): number[][] {
    return this.messages
      .filter(({ type }) => type === 9)
      .map(({ timestamp, payload }) => [timestamp, payload[0] ?? 0, payload[1] ?? 0]);
  }
}

test("a player starts with metadata, headers and the current keyframe, and pauses up to the next one", async () => {
  const { clock, port, publisher, slots } = await open();
  publisher.push(video(40, avcFrame(false, 2)));
  const player = await Player.open(port, "ls-1?token=good");
  await waitFor("the start", DEADLINE_MS, () => player.codes.includes("NetStream.Play.Start") || undefined);
  clock.advance(50);
  await waitFor("video", DEADLINE_MS, () => player.videoMessages.length >= 3 || undefined);
  const [, data] = player.messages.filter(({ type }) => type === 18);
  expect(data?.timestamp).toBe(0);
  expect(data?.payload.subarray(0, 13)).toEqual(Buffer.from("02000a6f6e4d65746144617461", "hex"));
  expect(
    player.messages.filter(({ type }) => type !== 20).every(({ streamId, type }) => streamId === 1 || type < 8),
  ).toBe(true);

  player.say("pause", 0, null, [true]);
  await waitFor("the pause", DEADLINE_MS, () => player.codes.includes("NetStream.Pause.Notify") || undefined);
  publisher.push(video(80, avcFrame(true, 3)));
  player.say("pause", 0, null, [false]);
  await waitFor("its end", DEADLINE_MS, () => player.codes.includes("NetStream.Unpause.Notify") || undefined);
  publisher.push(video(120, avcFrame(false, 4)));
  publisher.push(video(160, avcFrame(true, 5)));
  clock.advance(50);
  await waitFor("the next keyframe", DEADLINE_MS, () => player.videoMessages.length >= 4 || undefined);
  expect(player.videoMessages).toEqual([
    [0, 0x17, 0],
    [0, 0x17, 1],
    [40, 0x27, 1],
    [160, 0x17, 1],
  ]);

  publisher.end("clean");
  await waitFor("the end", DEADLINE_MS, () => player.isClosed || undefined);
  expect(player.codes.at(-1)).toBe("NetStream.Play.UnpublishNotify");
  expect(slots).toEqual({ asked: ["ls-1 good"], left: 1 });
});

test("a player that joins between publish and the first frame gets that frame, after its header", async () => {
  const { clock, port, publisher } = await open({}, false);
  const player = await Player.open(port, "ls-1?token=good");
  await waitFor("the start", DEADLINE_MS, () => player.codes.includes("NetStream.Play.Start") || undefined);
  begin(publisher);
  publisher.push(video(40, avcFrame(false, 2)));
  clock.advance(50);
  await waitFor("video", DEADLINE_MS, () => player.videoMessages.length >= 3 || undefined);
  expect(player.videoMessages).toEqual([
    [0, 0x17, 0],
    [0, 0x17, 1],
    [40, 0x27, 1],
  ]);
});

test.each([
  { name: "ls-1?token=bad", code: "NetStream.Play.StreamNotFound" },
  { name: "ls-2?token=good", code: "NetStream.Play.StreamNotFound" },
  { name: "ls-1?token=full", code: "NetStream.Play.Failed" },
])("$name is refused with $code, reported, and costs no permit", async ({ name, code }) => {
  const { clock, facts, port, slots } = await open();
  const player = await Player.open(port, name);
  await waitFor("the refusal", DEADLINE_MS, () => player.codes.length > 0 || undefined);
  expect(player.codes).toEqual([code]);
  clock.advance(1_000);
  await waitFor("the end", DEADLINE_MS, () => player.isClosed || undefined);
  expect(facts).toContainEqual(expect.objectContaining({ kind: "ingest-refused", reason: "play-refused" }));
  expect(slots.left).toBe(name === "ls-2?token=good" ? 1 : 0);
});

test("a player that leaves releases its permit", async () => {
  const { port, slots } = await open();
  const player = await Player.open(port, "ls-1?token=good");
  await waitFor("the start", DEADLINE_MS, () => player.codes.includes("NetStream.Play.Start") || undefined);
  player.socket.destroy();
  await waitFor("the permit", DEADLINE_MS, () => slots.left === 1 || undefined);
});

test("a player that takes nothing is cut, and the target gets every frame", async () => {
  const { clock, dialer, port, slots, publisher, facts } = await open();
  const player = await Player.open(port, "ls-1?token=good");
  await waitFor("the start", DEADLINE_MS, () => player.codes.includes("NetStream.Play.Start") || undefined);
  player.socket.pause();
  let seconds = 0;
  while (slots.left === 0 && seconds < 200) {
    seconds += 1;
    publisher.push(video(seconds * 1_000, avcFrame(true, 1, 512 * 1024)));
    clock.advance(1_000);
    await nextTurn();
  }
  expect(slots.left).toBe(1);
  const videoMessages = dialer
    .latest(1)
    .messages()
    .filter(({ type }) => type === 9);
  expect(videoMessages.map(({ timestamp }) => timestamp)).toEqual([
    0,
    ...Array.from({ length: seconds + 1 }, (_, index) => index * 1_000),
  ]);
  expect(facts.filter(({ kind }) => kind === "internal-fault")).toEqual([]);
});

test("a player that reads nothing and announces its end does not keep its connection", async () => {
  const { clock, port, slots, publisher } = await open({ connectionsMax: 1 });
  const gone = await Player.open(port, "ls-1?token=good");
  await waitFor("the start", DEADLINE_MS, () => gone.codes.includes("NetStream.Play.Start") || undefined);
  gone.socket.pause();
  // More than any socket's buffers hold, faster than a preview is given up.
  for (let step = 1; step <= 20; step += 1) {
    publisher.push(video(step * 50, avcFrame(true, 1, 1024 * 1024)));
    clock.advance(50);
    await nextTurn();
  }
  expect(slots.left).toBe(0);
  gone.socket.end();
  await waitFor("its permit", DEADLINE_MS, () => slots.left === 1 || undefined);
  clock.advance(500);
  // There is one place, and no connection with a good key or token is closed for another.
  const next = await waitFor("a place", DEADLINE_MS, async () => {
    const player = await Player.open(port, "ls-1?token=good");
    await waitFor("an answer", DEADLINE_MS, () => player.isClosed || player.codes.length > 0 || undefined);
    return player.isClosed ? undefined : player;
  });
  expect(next.codes).toContain("NetStream.Play.Start");
});
