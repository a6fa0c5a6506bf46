import { expect, test } from "vitest";
import { encodeAmf0 } from "../../src/protocol/amf0/encode.ts";
import { amf0EcmaArray, amf0Object } from "../../src/protocol/amf0/value.ts";
import { splitAggregate } from "../../src/protocol/rtmp/chunk/aggregate.ts";
import { PACE_OF_ENCODER } from "../../src/protocol/rtmp/chunk/paced-reader.ts";
import { MessageType } from "../../src/protocol/rtmp/message.ts";
import { readIntroduction } from "../../src/protocol/rtmp/server/introduction.ts";
import type { MediaMessage } from "../../src/relay/stream/media-message.ts";
import { threadMs } from "../support/processes/thread-time.ts";
import { RelayStage, target } from "../support/stages/relay-stage.ts";
import { AVC_CONFIG, audio, avcFrame, metadata, video } from "../support/streams/media-messages.ts";

/** Another message for each number. */
const config = (number: number) =>
  Buffer.concat([AVC_CONFIG.subarray(0, 7), Buffer.from([number >> 8, number & 0xff]), AVC_CONFIG.subarray(9)]);
const HEVC_FRAME = Buffer.concat([Buffer.from([0x93]), Buffer.from("hvc1"), Buffer.from("000000022601", "hex")]);

test("a stream that changes all the time is reported as often as any stream may be, and goes on", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  for (let number = 0; number < 1_000; number += 1) publisher.push(video(number, config(number)));
  publisher.push(video(1_000, avcFrame(true, 7)));
  stage.flush();
  const sent = stage.dialer.links.flatMap((link) => link.messages());
  expect(sent.filter(({ payload }) => payload[0] === 0x17 && payload[1] === 0).length).toBeLessThanOrEqual(65);
  expect(sent.at(-1)?.payload).toEqual(avcFrame(true, 7));
});

test("an encoder that sends other metadata each second has all of it sent on", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  for (let second = 1; second <= 100; second += 1) {
    stage.clock.advance(1_000);
    publisher.push(video(second * 1_000, avcFrame(true, 1)));
    publisher.push(metadata({ width: second }));
    stage.flush();
  }
  const link = stage.dialer.latest(1);
  expect(link.messages().filter(({ type }) => type === MessageType.DataAmf0).length).toBeGreaterThan(99);
});

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A message of many tracks, as small as they can be. */
const multitrack = (packetType: number, number: number) =>
  Buffer.concat([
    Buffer.from([0x96, 0x10 | packetType]),
    Buffer.from("avc1"),
    ...times(256, (trackId) => Buffer.from([trackId, 0, 0, 2, 1, number & 0xff])),
  ]);

/** The most expensive messages that an encoder can send, each as often as a turn has room for messages, or bytes. */
const WORST: readonly { readonly name: string; readonly make: (number: number) => MediaMessage }[] = [
  { name: "other headers", make: (number) => video(number, config(number)) },
  { name: "other metadata", make: (number) => metadata({ width: number }) },
  { name: "another codec", make: (number) => video(number, number % 2 === 0 ? HEVC_FRAME : avcFrame(true, 1)) },
  { name: "frames of 256 tracks", make: (number) => video(number, multitrack(3, number)) },
  { name: "headers of 256 tracks", make: (number) => video(number, multitrack(0, number)) },
  {
    name: "prefixes without end",
    make: (number) => video(number, Buffer.concat([Buffer.from([0x97]), Buffer.alloc(60_000, Buffer.from([0, 0, 7]))])),
  },
  {
    name: "NAL units of one byte",
    make: (number) =>
      video(
        number,
        Buffer.concat([Buffer.from("2701000000", "hex"), Buffer.alloc(60_000, Buffer.from([0, 0, 0, 1, 9]))]),
      ),
  },
  { name: "audio of other formats", make: (number) => audio(number, Buffer.from([0x20 | (number & 0x0f), 1, 2])) },
];

/** What a turn may read from an encoder, in bytes. */
const TURN_BYTES = 2 * 1_024 * 1_024;

test.each(WORST)("a turn full of $name delays others by some hundredths of a second at most", ({ make }) => {
  const stage = new RelayStage();
  const publisher = stage.onAir(...times(5, (index) => target(index + 1)));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const bytes = make(1).payload.length;
  const count = Math.min(PACE_OF_ENCODER.turnMessagesMax, Math.ceil(TURN_BYTES / bytes));
  const turn = (from: number) => {
    const messages = times(count, (index) => make(from + index));
    return threadMs(() => {
      for (const message of messages) publisher.push(message);
      stage.flush();
    });
  };
  const best = Math.min(...times(4, (round) => turn((round + 1) * count)));
  expect(best).toBeLessThan(100);
});

/** The most expensive messages of other kinds that unauthenticated peers and encoders can send. */
const SINGLE = [
  {
    name: "connect",
    run: () =>
      readIntroduction(
        amf0Object({
          app: "/".repeat(512),
          tcUrl: `rtmp://host/?authmod=adobe${"&a=".repeat(2_600)}`,
          flashVer: "\u0001".repeat(8_000),
          fourCcList: times(200, () => "abcd"),
        }),
      ),
  },
  {
    name: "an aggregate",
    run: () =>
      splitAggregate({
        type: 22,
        timestamp: 0,
        streamId: 1,
        payload: Buffer.alloc(15 * 1_024, "080000000000000000000000000000", "hex"),
      }),
  },
] as const;

test.each(SINGLE)("$name is read within a hundredth of a second, however full", ({ run }) => {
  // The best of some: the garbage of other tests is collected in between.
  expect(Math.min(...times(5, () => threadMs(run)))).toBeLessThan(10);
});

test("the largest metadata is read within some hundredths of a second", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const largest = (number: number): MediaMessage => ({
    kind: "data",
    timestamp: 0,
    payload: encodeAmf0([
      "@setDataFrame",
      "onMetaData",
      amf0EcmaArray({ width: number, x: times(1_000_000, () => null) }),
    ]),
  });
  const costs = [1, 2, 3].map((number) => {
    const message = largest(number);
    return threadMs(() => publisher.push(message));
  });
  expect(Math.min(...costs)).toBeLessThan(25);
});
