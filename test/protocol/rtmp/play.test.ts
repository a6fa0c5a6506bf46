import { expect, test } from "vitest";
import { amf0Object } from "../../../src/protocol/amf0/value.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { encodeCommand } from "../../../src/protocol/rtmp/command.ts";
import { encodePlayed, previewOf, SERVER_CHUNK_SIZE, stampPlayed } from "../../../src/protocol/rtmp/server/play.ts";
import type { ServerOutput } from "../../../src/protocol/rtmp/server/server-outputs.ts";
import { ServerSession } from "../../../src/protocol/rtmp/server/server-session.ts";

const GREETING = Buffer.concat([Buffer.from([3]), Buffer.alloc(3_072)]);

/** A player by hand, as far as `createStream`. It sends what FFmpeg sends. */
class Player {
  readonly session = new ServerSession(Buffer.alloc(1_528, 0x5a), 0);

  constructor() {
    this.session.receive(GREETING, 0);
    this.command("connect", 1, 0, [], amf0Object({ app: "preview", tcUrl: "rtmp://host/preview" }));
    this.command("createStream", 2, 0, []);
  }

  command(
    name: string,
    transactionId: number,
    streamId: number,
    args: (string | number | boolean)[],
    object = null as ReturnType<typeof amf0Object> | null,
  ) {
    const message = encodeCommand(streamId, { name, transactionId, object, args });
    return this.session.receive(encodeMessage(3, message, 128), 0);
  }

  play(name = "ls-1?token=abc") {
    return this.command("play", 4, 1, [name, -2_000]);
  }
}

const sent = (outputs: readonly ServerOutput[]) =>
  Buffer.concat(outputs.flatMap((output) => (output.kind === "send" ? [output.bytes] : []))).toString("hex");
const others = (outputs: readonly ServerOutput[]) => outputs.filter(({ kind }) => kind !== "send");

/** A text after its length, as AMF0 has it in an object's keys, and the same as a value. */
const key = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]).toString("hex");
const text = (value: string) => `02${key(value)}`;
const length = (hex: string) => (hex.length / 2).toString(16).padStart(6, "0");

/** `onStatus` on message stream 1, byte by byte (RTMP 1.0, chapters 5.3 and 7.2.2). */
function status(level: string, code: string, description: string): string {
  const object = `03${key("level")}${text(level)}${key("code")}${text(code)}${key("description")}${text(description)}000009`;
  const payload = `${text("onStatus")}000000000000000000${"05"}${object}`;
  return `05000000${length(payload)}1401000000${payload}`;
}

test("an accepted player gets StreamBegin, Reset, Start and sample access", () => {
  const player = new Player();
  expect(player.play()).toEqual([
    { kind: "play-requested", request: { requestId: 1, streamId: 1, app: "preview", name: "ls-1?token=abc" } },
  ]);
  const access = `${text("|RtmpSampleAccess")}01010101`;
  expect(sent(player.session.answerPlay(1, "accept", 0))).toBe(
    [
      "02000000000006040000000000000000" + "0001",
      status("status", "NetStream.Play.Reset", "Playing and resetting."),
      status("status", "NetStream.Play.Start", "Started playing."),
      `05000000${length(access)}1201000000${access}`,
    ].join(""),
  );
  expect(player.session.answerPlay(1, "accept", 0)).toEqual([]);
});

test.each([
  { why: "not-found", code: "NetStream.Play.StreamNotFound", description: "There is no such preview now." },
  { why: "failed", code: "NetStream.Play.Failed", description: "The preview cannot be shown now." },
] as const)("a player that is refused gets $code, and the connection ends", ({ why, code, description }) => {
  const player = new Player();
  player.play();
  const outputs = player.session.answerPlay(1, why, 0);
  expect(sent(outputs)).toBe(status("error", code, description));
  expect(others(outputs)).toEqual([{ kind: "closed", reason: "play-refused", detail: "preview not shown" }]);
});

test("at the broadcast's end the player gets StreamEOF and UnpublishNotify", () => {
  const player = new Player();
  player.play();
  expect(player.session.endPlay()).toEqual([]);
  player.session.answerPlay(1, "accept", 0);
  const outputs = player.session.endPlay();
  expect(sent(outputs)).toBe(
    `020000000000060400000000000100000001${status("status", "NetStream.Play.UnpublishNotify", "Nothing is sent any more.")}`,
  );
  expect(others(outputs)).toEqual([{ kind: "closed", reason: "play-over", detail: "the preview is over" }]);
});

test("pause and its end are reported and get a reply; deleteStream ends playback, and another play may follow", () => {
  const player = new Player();
  player.play();
  player.session.answerPlay(1, "accept", 0);
  const paused = player.command("pause", 0, 1, [true, 0]);
  expect(sent(paused)).toBe(status("status", "NetStream.Pause.Notify", "Paused."));
  expect(others(paused)).toEqual([{ kind: "play-paused", isPaused: true }]);
  const resumed = player.command("pause", 0, 1, [false, 0]);
  expect(sent(resumed)).toBe(status("status", "NetStream.Unpause.Notify", "Goes on at the next keyframe."));
  expect(others(resumed)).toEqual([{ kind: "play-paused", isPaused: false }]);
  expect(player.command("deleteStream", 5, 0, [1])).toEqual([{ kind: "play-ended" }]);
  expect(others(player.play())).toMatchObject([{ kind: "play-requested", request: { requestId: 2 } }]);
});

test("a player may be silent for an hour, and one that requests nothing is closed after fifteen seconds", () => {
  const player = new Player();
  player.play();
  player.session.answerPlay(1, "accept", 0);
  expect(player.session.tick(3_600_000)).toEqual([]);
  expect(others(new Player().session.tick(14_999))).toEqual([]);
  expect(others(new Player().session.tick(15_000))).toMatchObject([{ kind: "closed", reason: "timed-out" }]);
});

test("a player that sends video is closed, and none of it is passed on", () => {
  const player = new Player();
  player.play();
  player.session.answerPlay(1, "accept", 0);
  const video = encodeMessage(
    6,
    { type: 9, timestamp: 0, streamId: 1, payload: Buffer.from("2701000000", "hex") },
    128,
  );
  const outputs = player.session.receive(Buffer.concat(Array.from({ length: 60 }, () => video)), 0);
  expect(outputs).toMatchObject([{ kind: "closed", reason: "too-many-messages" }]);
});

test("a decision about publish does nothing for a play, and a second play on one connection fails", () => {
  const player = new Player();
  player.play();
  expect(player.session.answer(1, "accept", 0)).toEqual([]);
  player.session.answerPlay(1, "accept", 0);
  expect(sent(player.play())).toBe(status("error", "NetStream.Play.Failed", "The preview cannot be shown now."));
});

test("media leaves as complete messages on the played stream", () => {
  const payload = Buffer.from("af01aa", "hex");
  expect(encodePlayed(1, { type: 8, timestamp: 40, payload }).toString("hex")).toBe("040000280000030801000000af01aa");
  expect(encodePlayed(2, { type: 9, timestamp: 0x1000000, payload }).toString("hex")).toBe(
    "06ffffff0000030902000000" + "01000000af01aa",
  );
});

test.each([
  { app: "preview", name: "ls-1?token=abc", found: { channelId: "ls-1", token: "abc" } },
  { app: "preview/", name: "flv:ls-1?x=1&token=abc", found: { channelId: "ls-1", token: "abc" } },
  { app: "preview/_definst_", name: "mp4:ls-1?token=abc", found: { channelId: "ls-1", token: "abc" } },
  { app: "preview", name: "ls-1", found: { channelId: "ls-1", token: "" } },
  { app: "relay", name: "ls-1?token=abc", found: undefined },
])("$name of $app", ({ app, name, found }) => {
  expect(previewOf(app, name)).toEqual(found);
});

test.each([
  ["short", 40, 0xfffffe],
  ["extended", 0xffffff, 0xffffffff],
])("a message with a %s time that gets another stream and time equals one made with them", (_name, from, to) => {
  for (const bytes of [0, 5, SERVER_CHUNK_SIZE, SERVER_CHUNK_SIZE + 1, 3 * SERVER_CHUNK_SIZE - 1]) {
    const payload = Buffer.alloc(bytes, 7);
    const made = Buffer.concat([
      Buffer.alloc(3),
      encodePlayed(1, { type: 9, timestamp: from, payload }),
      Buffer.alloc(3),
    ]);
    stampPlayed(made, 3, made.length - 6, { streamId: 0x01020304, timestamp: to });
    expect(made.subarray(3, -3).equals(encodePlayed(0x01020304, { type: 9, timestamp: to, payload }))).toBe(true);
    expect([made.subarray(0, 3), made.subarray(-3)]).toEqual([Buffer.alloc(3), Buffer.alloc(3)]);
  }
});
