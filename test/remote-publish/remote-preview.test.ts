import { expect, test } from "vitest";
import { ChunkReader } from "../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { LIMITS_PUBLISHING } from "../../src/protocol/rtmp/chunk/reader-limits.ts";
import { encodeControl } from "../../src/protocol/rtmp/control.ts";
import type { Message } from "../../src/protocol/rtmp/message.ts";
import { SERVER_CHUNK_SIZE } from "../../src/protocol/rtmp/server/play.ts";
import { hostPreview, openRemotePreview } from "../../src/remote-publish/remote-preview.ts";
import type { FromViewer, PreviewFormat, ToViewer } from "../../src/thread-protocol/preview.ts";
import { ManualTransport } from "../support/stages/manual-transport.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";
import { avcFrame, video } from "../support/streams/media-messages.ts";

const RTMP: PreviewFormat = { kind: "rtmp", streamId: 1 };

/** A player in one thread, the channel on air in the other. */
async function play(channelId = "ls-1") {
  const home = new RelayStage();
  const publisher = home.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  const transport = new ManualTransport<FromViewer, ToViewer>();
  hostPreview(home.engine, home.clock, channelId, transport.far);
  const received: Message[] = [];
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  const chunkSize = { kind: "set-chunk-size", chunkSize: SERVER_CHUNK_SIZE } as const;
  reader.receive(encodeMessage(2, encodeControl(chunkSize), 128), () => undefined);
  const end = { count: 0, bytes: 0 };
  const preview = openRemotePreview(transport.near, home.clock, RTMP, {
    take: (bytes) => {
      end.bytes += bytes.length;
      reader.receive(Buffer.from(bytes), (message) => received.push(message));
    },
    end: () => {
      end.count += 1;
    },
  });
  await transport.settle();
  return { home, publisher, transport, received, end, preview, isShown: await preview.started };
}

const marks = (messages: readonly Message[]) =>
  messages.filter(({ type, payload }) => type === 9 && payload[1] === 1).map(({ payload }) => payload.at(-1));

test("a player gets a channel of another thread from its last keyframe on, until the broadcast is over", async () => {
  const { home, publisher, transport, received, end } = await play();
  publisher.push(video(40, avcFrame(false, 2)));
  home.flush();
  await transport.settle();
  expect(marks(received)).toEqual([1, 2]);
  publisher.end("clean");
  await transport.settle();
  expect(end.count).toBe(1);
});

test("a channel that is not on air is refused", async () => {
  const { isShown, end } = await play("ls-2");
  expect([isShown, end.count]).toEqual([false, 1]);
});

test("a thread that does not reply whether it shows the channel counts as dead after five seconds", async () => {
  const transport = new ManualTransport<FromViewer, ToViewer>();
  const clock = new VirtualClock();
  let ends = 0;
  const preview = openRemotePreview(transport.near, clock, RTMP, {
    take: () => undefined,
    end: () => {
      ends += 1;
    },
  });
  clock.advance(5_000);
  expect([await preview.started, ends]).toEqual([false, 1]);
});

test("a player that pauses gets no video up to the keyframe after its pause", async () => {
  const { home, publisher, transport, received, preview } = await play();
  preview.pause(true);
  await transport.settle();
  publisher.push(video(40, avcFrame(false, 2)));
  preview.pause(false);
  await transport.settle();
  publisher.push(video(80, avcFrame(false, 3)));
  publisher.push(video(120, avcFrame(true, 4)));
  home.flush();
  await transport.settle();
  expect(marks(received)).toEqual([1, 4]);
});

test("a player that takes nothing for ten seconds is cut, wherever its bytes wait, and one that takes them is not", async () => {
  for (const isTaking of [true, false]) {
    const { home, publisher, transport, end, preview } = await play();
    for (let second = 0; second < 12; second += 1) {
      home.pass(publisher, 1_000);
      await transport.settle();
      if (isTaking) preview.taken(end.bytes);
      await transport.settle();
    }
    expect(end.count).toBe(isTaking ? 0 : 1);
  }
});

test("a player that leaves is sent nothing more", async () => {
  const { home, publisher, transport, received, preview, end } = await play();
  home.flush();
  await transport.settle();
  preview.end();
  await transport.settle();
  publisher.push(video(40, avcFrame(true, 2)));
  home.flush();
  await transport.settle();
  expect([marks(received), end.count]).toEqual([[1], 0]);
});

test("a viewer over HTTP gets an FLV file over the same transport", async () => {
  const home = new RelayStage();
  const publisher = home.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  const transport = new ManualTransport<FromViewer, ToViewer>();
  hostPreview(home.engine, home.clock, "ls-1", transport.far);
  const shown: Uint8Array[] = [];
  const sink = { take: (bytes: Uint8Array) => void shown.push(bytes), end: () => undefined };
  const preview = openRemotePreview(transport.near, home.clock, { kind: "flv" }, sink);
  await transport.settle();
  home.flush();
  await transport.settle();
  expect(await preview.started).toBe(true);
  expect(Buffer.concat(shown).subarray(0, 4)).toEqual(Buffer.from([0x46, 0x4c, 0x56, 1]));
});

test("a viewer that leaves before the channel's thread replies gets no end", async () => {
  const transport = new ManualTransport<FromViewer, ToViewer>();
  const clock = new VirtualClock();
  let ends = 0;
  const sink = {
    take: () => undefined,
    end: () => {
      ends += 1;
    },
  };
  const preview = openRemotePreview(transport.near, clock, { kind: "flv" }, sink);
  preview.end();
  clock.advance(10_000);
  expect([await preview.started, ends]).toEqual([false, 0]);
});
