import { expect, test } from "vitest";
import { ChunkReader, LIMITS_PUBLISHING } from "../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeControl } from "../../src/protocol/rtmp/control.ts";
import type { Message } from "../../src/protocol/rtmp/message.ts";
import { SERVER_CHUNK_SIZE } from "../../src/protocol/rtmp/server/play.ts";
import { hostPlayer, showFromAfar } from "../../src/remote-publish/remote-players.ts";
import type { FromPlayer, ToPlayer } from "../../src/thread-protocol/remote-publish.ts";
import { TestWay } from "../support/carriers.ts";
import { avcFrame, video } from "../support/media-messages.ts";
import { RelayStage, target } from "../support/relay-stage.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

/** A player in one thread, the channel on air in the other. */
async function play(channelId = "ls-1") {
  const home = new RelayStage();
  const publisher = home.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  const way = new TestWay<FromPlayer, ToPlayer>();
  hostPlayer(home.engine, home.clock, channelId, way.far);
  const received: Message[] = [];
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  const chunkSize = { kind: "set-chunk-size", chunkSize: SERVER_CHUNK_SIZE } as const;
  reader.receive(encodeMessage(2, encodeControl(chunkSize), 128), () => undefined);
  const end = { count: 0, bytes: 0 };
  const shown = showFromAfar(way.near, home.clock, 1, {
    take: (bytes) => {
      end.bytes += bytes.length;
      reader.receive(Buffer.from(bytes), (message) => received.push(message));
    },
    end: () => {
      end.count += 1;
    },
  });
  await way.settle();
  return { home, publisher, way, received, end, session: await shown };
}

const marks = (messages: readonly Message[]) =>
  messages.filter(({ type, payload }) => type === 9 && payload[1] === 1).map(({ payload }) => payload.at(-1));

test("a player sees a channel of another thread from its last keyframe on, until the broadcast is over", async () => {
  const { home, publisher, way, received, end } = await play();
  publisher.push(video(40, avcFrame(false, 2)));
  home.flush();
  await way.settle();
  expect(marks(received)).toEqual([1, 2]);
  publisher.end("clean");
  await way.settle();
  expect(end.count).toBe(1);
});

test("a channel that is not on air is not shown", async () => {
  const { session, end } = await play("ls-2");
  expect([session, end.count]).toEqual([undefined, 1]);
});

test("a home that does not say whether it shows anything is waited for no longer than five seconds", async () => {
  const way = new TestWay<FromPlayer, ToPlayer>();
  const clock = new VirtualClock();
  let ends = 0;
  const shown = showFromAfar(way.near, clock, 1, {
    take: () => undefined,
    end: () => {
      ends += 1;
    },
  });
  clock.advance(5_000);
  expect([await shown, ends]).toEqual([undefined, 1]);
});

test("a player that pauses is shown no pictures up to the keyframe behind its pause", async () => {
  const { home, publisher, way, received, session } = await play();
  session?.pause(true);
  await way.settle();
  publisher.push(video(40, avcFrame(false, 2)));
  session?.pause(false);
  await way.settle();
  publisher.push(video(80, avcFrame(false, 3)));
  publisher.push(video(120, avcFrame(true, 4)));
  home.flush();
  await way.settle();
  expect(marks(received)).toEqual([1, 4]);
});

test("one that takes nothing for ten seconds is cut, wherever what it was sent waits; one that takes is not", async () => {
  for (const isTaking of [true, false]) {
    const { home, publisher, way, end, session } = await play();
    for (let second = 0; second < 12; second += 1) {
      home.pass(publisher, 1_000);
      await way.settle();
      if (isTaking) session?.taken(end.bytes);
      await way.settle();
    }
    expect(end.count).toBe(isTaking ? 0 : 1);
  }
});

test("a player that leaves is watched for no more", async () => {
  const { home, publisher, way, received, session, end } = await play();
  home.flush();
  await way.settle();
  session?.end();
  await way.settle();
  publisher.push(video(40, avcFrame(true, 2)));
  home.flush();
  await way.settle();
  expect([marks(received), end.count]).toEqual([[1], 0]);
});
