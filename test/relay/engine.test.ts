import { expect, test } from "vitest";
import { AMF0_LIMITS, decodeAmf0 } from "../../src/protocol/amf0/decode.ts";
import { numberProperty } from "../../src/protocol/amf0/value.ts";
import { BAD_KEY, marksOf, mediaOf, REFUSED, RelayStage, target } from "../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_RECUT,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../support/streams/media-messages.ts";

test("a target is dialled at the first media, not before, and starts with metadata, sequence headers and a keyframe", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(metadata({ width: 640, height: 360, videocodecid: 7, duration: 12, custom: "x" }));
  expect(stage.dialer.links).toHaveLength(0);
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, AVC_CONFIG));
  const link = stage.dialer.latest(1);
  expect(stage.statuses(1)).toEqual(["CONNECTING"]);
  link.accept(9);
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(0, aacFrame(2)));
  publisher.push(video(40, avcFrame(false, 3)));
  expect(link.writes).toHaveLength(0);
  stage.flush();
  expect(link.writes).toHaveLength(1);
  const messages = link.messages();
  expect(messages.map(({ type, timestamp, streamId }) => [type, timestamp, streamId])).toEqual([
    [18, 0, 9],
    [8, 0, 9],
    [9, 0, 9],
    [9, 0, 9],
    [8, 0, 9],
    [9, 40, 9],
  ]);
  expect(messages.slice(1, 3).map(({ payload }) => payload)).toEqual([AAC_CONFIG, AVC_CONFIG]);
  const [command, name, values] = decodeAmf0(messages[0]?.payload ?? Buffer.alloc(0), AMF0_LIMITS);
  expect([command, name]).toEqual(["@setDataFrame", "onMetaData"]);
  expect([numberProperty(values, "width"), numberProperty(values, "duration")]).toEqual([640, undefined]);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("inter frames before the first keyframe go to no target", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(false, 1)));
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.push(video(80, avcFrame(true, 3)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(2)).toEqual([[9, 0, 3]]);
});

test("a backlog that an encoder sends at once reaches every target whole, and no link is given up", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2, { bufferPolicy: "disconnect" }));
  publisher.push(video(0, avcFrame(true, 0)));
  stage.flush();
  stage.clock.advance(4_000);
  const times = Array.from({ length: 300 }, (_, index) => (index + 1) * 40);
  for (const timeMs of times) publisher.push(video(timeMs, avcFrame(timeMs % 2_000 === 0, 1)));
  stage.flush();
  for (const targetId of [1, 2]) {
    expect(
      mediaOf(stage.dialer.latest(targetId))
        .slice(2)
        .map(({ timestamp }) => timestamp),
    ).toEqual([0, ...times]);
  }
  expect(stage.dialer.links).toHaveLength(2);
});

test("a backlog larger than a send queue reaches a target that takes it", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 0)));
  for (let index = 1; index <= 80; index += 1) publisher.push(video(index * 40, avcFrame(false, 1, 300 * 1024)));
  stage.flush();
  const sizes = mediaOf(stage.dialer.latest(1))
    .slice(3)
    .map(({ payload }) => payload.length);
  expect(sizes).toEqual(Array.from({ length: 80 }, () => avcFrame(false, 1, 300 * 1024).length));
});

test("a target that is ready soon after a keyframe starts with it, a later one waits for the next", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(1_000, avcFrame(true, 1)));
  publisher.push(video(1_040, avcFrame(false, 2)));
  stage.dialer.latest(1).accept();
  stage.clock.advance(2_100);
  publisher.push(video(3_140, avcFrame(false, 3)));
  stage.dialer.latest(2).accept();
  publisher.push(video(3_180, avcFrame(false, 4)));
  publisher.push(video(3_220, avcFrame(true, 5)));
  publisher.push(video(3_260, avcFrame(false, 6)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(1)).toEqual([
    [9, 0, 1],
    [9, 40, 2],
    [9, 2_140, 3],
    [9, 2_180, 4],
    [9, 2_220, 5],
    [9, 2_260, 6],
  ]);
  expect(marksOf(stage.dialer.latest(2)).slice(1)).toEqual([
    [9, 0, 5],
    [9, 40, 6],
  ]);
});

test("all targets are written the same memory, once for each flush", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2), target(3));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(5, aacFrame(1)));
  stage.flush();
  publisher.push(video(40, avcFrame(false, 2, 9_000)));
  publisher.push(audio(45, aacFrame(3)));
  stage.flush();
  const last = stage.dialer.links.map((link) => link.given.at(-1));
  expect(stage.dialer.links.map((link) => link.writes.length)).toEqual([2, 2, 2]);
  expect(new Set(last.map((bytes) => `${bytes?.byteOffset} ${bytes?.length}`)).size).toBe(1);
  expect(new Set(last.map((bytes) => bytes?.buffer)).size).toBe(1);
});

test("audio alone starts at once behind its header, and missing metadata is made up", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(500, AAC_CONFIG));
  stage.dialer.latest(1).accept();
  publisher.push(audio(500, aacFrame(1)));
  publisher.push(audio(521, aacFrame(2)));
  stage.flush();
  const link = stage.dialer.latest(1);
  expect(marksOf(link)).toEqual([
    [8, 0, AAC_CONFIG.at(-1)],
    [8, 0, 1],
    [8, 21, 2],
  ]);
  const [, , values] = decodeAmf0(link.messages()[0]?.payload ?? Buffer.alloc(0), AMF0_LIMITS);
  expect(numberProperty(values, "audiosamplerate")).toBe(48_000);
});

test("video that metadata announces is waited for, two seconds at most", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(metadata({ width: 640, height: 360, videocodecid: 7 }));
  publisher.push(audio(0, AAC_CONFIG));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  stage.clock.advance(1_990);
  publisher.push(audio(1_990, aacFrame(2)));
  stage.clock.advance(10);
  publisher.push(audio(2_000, aacFrame(3)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(1)).toEqual([[8, 0, 3]]);
});

test("video that starts ten seconds late joins the running audio", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, AAC_CONFIG));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  for (let second = 1; second <= 10; second += 1) {
    stage.clock.advance(1_000);
    publisher.push(audio(second * 1_000, aacFrame(2)));
  }
  publisher.push(video(10_005, AVC_CONFIG));
  publisher.push(video(10_005, avcFrame(false, 3)));
  publisher.push(video(10_045, avcFrame(true, 4)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(1)).toEqual([
    [8, 0, 1],
    ...Array.from({ length: 10 }, (_, index) => [8, (index + 1) * 1_000, 2]),
    [9, 10_000, AVC_CONFIG.at(-1)],
    [9, 10_045, 4],
  ]);
});

test("a repeated sequence header is not sent again, a changed one goes out before the next keyframe", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(40, AVC_CONFIG));
  publisher.push(audio(40, AAC_CONFIG));
  publisher.push(video(40, avcFrame(false, 2)));
  publisher.push(video(80, AVC_CONFIG_CHANGED));
  publisher.push(audio(80, AAC_CONFIG_RECUT));
  publisher.push(video(80, avcFrame(true, 3)));
  stage.flush();
  const payloads = mediaOf(stage.dialer.latest(1)).map(({ payload }) => payload);
  expect(payloads.filter((payload) => payload.equals(AVC_CONFIG))).toHaveLength(1);
  expect(payloads.filter((payload) => payload.equals(AAC_CONFIG))).toHaveLength(1);
  expect(payloads.slice(-3)).toEqual([AVC_CONFIG_CHANGED, AAC_CONFIG_RECUT, avcFrame(true, 3)]);
});

test("a target that joins between a changed header and its keyframe does not get the old group of pictures", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(40, AVC_CONFIG_CHANGED));
  stage.dialer.latest(1).accept();
  publisher.push(video(40, avcFrame(true, 2)));
  stage.flush();
  expect(mediaOf(stage.dialer.latest(1)).map(({ payload }) => payload)).toEqual([
    AVC_CONFIG_CHANGED,
    avcFrame(true, 2),
  ]);
});

test("empty messages, end marks, commands and timed data are not forwarded, and ADTS headers are removed", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(10, Buffer.from("1702000000", "hex")));
  publisher.push(video(20, Buffer.from("1701000000", "hex")));
  publisher.push(video(25, Buffer.from("170100000000000000", "hex")));
  publisher.push(video(30, Buffer.alloc(0)));
  publisher.push(video(30, Buffer.from("5700", "hex")));
  publisher.push(audio(30, Buffer.alloc(0)));
  publisher.push(audio(30, Buffer.from("af00", "hex")));
  publisher.push({ kind: "data", timestamp: 30, payload: Buffer.from("02000a6f6e43756550", "hex") });
  publisher.push(audio(35, Buffer.from("af01fff14c8001bffc210049", "hex")));
  publisher.push(video(40, avcFrame(false, 2)));
  stage.flush();
  expect(
    mediaOf(stage.dialer.latest(1))
      .slice(2)
      .map(({ type, timestamp, payload }) => [type, timestamp, payload.toString("hex")]),
  ).toEqual([
    [9, 0, avcFrame(true, 1).toString("hex")],
    [8, 35, expect.stringMatching(/^af01/)],
    [9, 40, avcFrame(false, 2).toString("hex")],
  ]);
});

test("composition times, also negative ones, and HEVC and AV1 in the enhanced form pass unchanged", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  const hevc = (text: string) => Buffer.from(text, "hex");
  const sequence = [
    hevc("906876633101020304"),
    hevc("91687663310000000000000226019988"),
    hevc("a3687663310000000202019988"),
  ];
  const [config = Buffer.alloc(0), key = Buffer.alloc(0), inter = Buffer.alloc(0)] = sequence;
  publisher.push(video(0, config));
  stage.dialer.latest(1).accept();
  publisher.push(video(0, key));
  publisher.push(video(40, inter));
  stage.flush();
  expect(mediaOf(stage.dialer.latest(1)).map(({ payload }) => payload)).toEqual(sequence);
  const avc = new RelayStage();
  const avcSource = avc.onAir(target(1));
  const frames = [avcFrame(true, 1, 50, 80), avcFrame(false, 2, 50, -40), avcFrame(false, 3, 50, -8_388_608)];
  for (const [index, frame] of frames.entries()) avcSource.push(video(index * 40, frame));
  avc.flush();
  expect(
    mediaOf(avc.dialer.latest(1))
      .slice(2)
      .map(({ payload }) => payload),
  ).toEqual(frames);
});

test("a target that fails waits, is dialled again and starts at 0 with headers and a keyframe; its sibling is unaffected", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  stage.dialer.latest(1).fail({ code: "TCP_RESET", severity: "transient", message: "reset", messageKo: "오류" });
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING", "FAIL TCP_RESET"]);
  publisher.push(video(40, avcFrame(false, 2)));
  stage.clock.advance(750);
  stage.dialer.latest(1).fail(REFUSED);
  expect(stage.dialer.links).toHaveLength(3);
  stage.clock.advance(1_499);
  expect(stage.dialer.links).toHaveLength(3);
  stage.clock.advance(1);
  expect(stage.dialer.links).toHaveLength(4);
  publisher.push(video(2_500, avcFrame(false, 3)));
  stage.dialer.latest(1).accept();
  publisher.push(video(2_540, avcFrame(true, 4)));
  publisher.push(video(2_580, avcFrame(false, 5)));
  stage.flush();
  expect(stage.statuses(1)).toEqual([
    "CONNECTING",
    "PUBLISHING",
    "FAIL TCP_RESET",
    "CONNECTING TCP_RESET",
    "FAIL TCP_REFUSED",
    "CONNECTING TCP_REFUSED",
    "PUBLISHING",
  ]);
  const again = stage.dialer.latest(1);
  expect(again.messages().map(({ type, timestamp }) => [type, timestamp])).toEqual([
    [18, 0],
    [8, 0],
    [9, 0],
    [9, 0],
    [9, 40],
  ]);
  expect(marksOf(again).slice(2)).toEqual([
    [9, 0, 4],
    [9, 40, 5],
  ]);
  expect(marksOf(stage.dialer.latest(2)).slice(2)).toEqual([
    [9, 0, 1],
    [9, 40, 2],
    [9, 2_500, 3],
    [9, 2_540, 4],
    [9, 2_580, 5],
  ]);
  expect(stage.statuses(2)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("retry delays double from one second to thirty, start over after thirty seconds on air, and never end", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const delays: number[] = [];
  const failAndWait = () => {
    stage.dialer.latest(1).fail(REFUSED);
    const count = stage.dialer.links.length;
    let waitedMs = 0;
    while (stage.dialer.links.length === count && waitedMs < 60_000) {
      stage.pass(publisher, 10);
      waitedMs += 10;
    }
    delays.push(waitedMs);
  };
  for (let round = 0; round < 8; round += 1) failAndWait();
  expect(delays).toEqual([750, 1_500, 3_000, 6_000, 12_000, 22_500, 22_500, 22_500]);
  stage.dialer.latest(1).accept();
  stage.pass(publisher, 29_990);
  failAndWait();
  expect(delays.at(-1)).toBe(22_500);
  stage.dialer.latest(1).accept();
  stage.pass(publisher, 30_000);
  failAndWait();
  expect(delays.at(-1)).toBe(750);
});

test("a refused key is retried each minute, and counts as still in use right after a time on air", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  const refused = new RelayStage();
  refused.engine.introduce(refused.spec([target(1)]));
  const refusedSource = refused.open();
  refusedSource.push(video(0, AVC_CONFIG));
  refused.dialer.latest(1).fail(BAD_KEY);
  refused.pass(refusedSource, 59_999);
  expect(refused.dialer.links).toHaveLength(1);
  refused.pass(refusedSource, 1);
  expect(refused.dialer.links).toHaveLength(2);
  publisher.push(video(0, avcFrame(true, 1)));
  stage.dialer.latest(1).fail({ code: "TCP_RESET", severity: "transient", message: "reset", messageKo: "오류" });
  stage.clock.advance(750);
  stage.dialer.latest(1).fail(BAD_KEY);
  expect(stage.statuses(1).at(-1)).toBe("FAIL STREAM_KEY_IN_USE");
});

test("a target that takes nothing is FAIL after 5 s, PUBLISHING again at the first progress, and closed after 10 s", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const link = stage.dialer.latest(1);
  let timestamp = 0;
  const run = (seconds: number) => {
    for (let frame = 0; frame < seconds * 25; frame += 1) {
      publisher.push(video(timestamp, avcFrame(frame % 25 === 0, 1)));
      timestamp += 40;
      stage.clock.advance(40);
    }
  };
  run(1);
  link.isTaking = false;
  run(4);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
  run(3);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING", "FAIL STALLED"]);
  expect(link.closedHow).toBeUndefined();
  link.isTaking = true;
  link.drain();
  expect(stage.statuses(1).at(-1)).toBe("PUBLISHING");
  run(1);
  link.isTaking = false;
  run(12);
  expect(stage.statuses(1).slice(4)).toEqual(["PUBLISHING SLOW", "FAIL STALLED", "FAIL STALLED", "CONNECTING STALLED"]);
  expect(link.closedHow).toBe("abort");
  const sample = stage.samples.at(-1)?.targets[0];
  expect(sample?.droppedFrames).toBeGreaterThan(100);
  expect(sample?.retryCount).toBe(1);
});

test("the queue of a stuck target stays within five seconds of media, and its sibling loses no packet", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  stage.dialer.latest(1).isTaking = false;
  for (let frame = 0; frame < 225; frame += 1) {
    publisher.push(video(frame * 40, avcFrame(frame % 50 === 0, frame)));
    stage.clock.advance(40);
    const queueMs = stage.samples.at(-1)?.targets[0]?.queueMs ?? 0;
    expect(queueMs).toBeLessThanOrEqual(5_000);
  }
  stage.flush();
  const healthy = mediaOf(stage.dialer.latest(2)).slice(2);
  expect(healthy.map(({ timestamp }) => timestamp)).toEqual(Array.from({ length: 225 }, (_, index) => index * 40));
});

test("an acknowledgement counts as progress while the socket's queue stands still, and shows what is unacknowledged", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const link = stage.dialer.latest(1);
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  link.isTaking = false;
  link.acknowledge(0);
  for (let second = 1; second <= 20; second += 1) {
    publisher.push(video(second * 1_000, avcFrame(true, second)));
    link.acknowledge(10);
    stage.clock.advance(1_000);
  }
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING", "PUBLISHING SLOW"]);
  expect(stage.samples.at(-1)?.targets[0]?.unackedBytes).toBe(link.takenBytes - (link.acks?.bytes ?? 0));
});

test("when the encoder leaves, all waiting data is written, targets end properly and are READY, and totals remain", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.clock.advance(2_000);
  publisher.push(video(2_000, avcFrame(false, 2)));
  publisher.end("clean");
  const link = stage.dialer.latest(1);
  expect(marksOf(link).at(-1)).toEqual([9, 2_000, 2]);
  expect(link.closedHow).toBe("end");
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING", "READY"]);
  const last = stage.samples.at(-1)?.targets[0];
  expect(last).toEqual({
    targetId: 1,
    bytesPerSecond: 0,
    bytesTotal: link.takenBytes,
    playMs: 2_000,
    retryCount: 0,
    droppedFrames: 0,
    drops: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
    queueMs: 0,
    isUnstable: false,
  });
  expect(stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "clean", isBroadcastOver: true });
  publisher.push(video(2_040, avcFrame(true, 3)));
  publisher.end("connection-lost");
  expect(stage.facts.filter(({ kind }) => kind === "ingest-ended")).toHaveLength(1);
});

test("a broadcast that starts again dials again and starts at 0, and its totals go on", () => {
  const stage = new RelayStage();
  const first = stage.onAir(target(1));
  first.push(video(90_000, avcFrame(true, 1)));
  stage.clock.advance(1_000);
  first.end("connection-lost");
  const before = stage.samples.at(-1)?.targets[0]?.bytesTotal ?? 0;
  stage.clock.advance(60_000);
  const second = stage.open();
  second.push(video(0, AVC_CONFIG));
  stage.dialer.latest(1).accept();
  second.push(video(0, avcFrame(true, 2)));
  second.push(video(40, avcFrame(false, 3)));
  stage.clock.advance(1_000);
  expect(marksOf(stage.dialer.latest(1)).slice(1)).toEqual([
    [9, 0, 2],
    [9, 40, 3],
  ]);
  expect(stage.samples.at(-1)?.targets[0]?.bytesTotal).toBe(before + stage.dialer.latest(1).takenBytes);
});

test("two channels never mix", () => {
  const stage = new RelayStage();
  stage.engine.introduce(stage.spec([target(1)], "ls-1"));
  stage.engine.introduce(stage.spec([target(2)], "ls-2"));
  const sources = [stage.open("ls-1"), stage.open("ls-2")];
  for (const publisher of sources) publisher.push(video(0, AVC_CONFIG));
  for (const link of stage.dialer.links) link.accept();
  for (let frame = 0; frame < 10; frame += 1) {
    for (const [index, publisher] of sources.entries())
      publisher.push(video(frame * 40, avcFrame(frame === 0, 10 + index)));
    stage.clock.advance(40);
  }
  stage.flush();
  for (const [index, link] of stage.dialer.links.entries()) {
    const frames = marksOf(link).slice(1);
    expect(frames).toHaveLength(10);
    expect(new Set(frames.map((mark) => mark[2]))).toEqual(new Set([10 + index]));
  }
});

test("a newer spec adds, removes, disables, enables and readdresses single targets, and an older one changes nothing", () => {
  const stage = new RelayStage();
  const old = stage.spec([]);
  const publisher = stage.onAir(target(1), target(2), target(3), target(4));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const [one, two, three, four] = stage.dialer.links;
  stage.engine.apply(
    stage.spec([target(1), target(3, { isEnabled: false }), target(4, { streamKey: "another" }), target(5)]),
  );
  stage.engine.apply(old);
  expect([one, two, three, four].map((link) => link?.closedHow)).toEqual([undefined, "end", "end", "end"]);
  expect(stage.dialer.links.slice(4).map((link) => [link.target.targetId, link.target.streamKey])).toEqual([
    [4, "another"],
    [5, "key5"],
  ]);
  expect(stage.statuses(3).at(-1)).toBe("READY");
  stage.engine.apply(stage.spec([target(1), target(3), target(4, { streamKey: "another" }), target(5)]));
  expect(stage.dialer.links.slice(6).map((link) => link.target.targetId)).toEqual([3]);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("a spec of a channel without an encoder is not kept", () => {
  const stage = new RelayStage();
  stage.engine.apply(stage.spec([target(1)]));
  expect(stage.engine.admits("ls-1", "main")).toBe(false);
});

test("enabling a target again with a new address dials it once", () => {
  const stage = new RelayStage();
  stage.onAir(target(1, { isEnabled: false }));
  expect(stage.dialer.links).toHaveLength(0);
  stage.engine.apply(stage.spec([target(1, { url: "rtmp://elsewhere/app" })]));
  expect(stage.dialer.links.map((link) => link.target.url)).toEqual(["rtmp://elsewhere/app"]);
});

test("a target whose login changes is dialled with the new login, and one whose login stays keeps its link", () => {
  const stage = new RelayStage();
  const login = { credentials: { id: "someone", password: "old" } };
  const isDialled = (changes: Parameters<typeof target>[1]): boolean => {
    const before = stage.dialer.links.length;
    stage.engine.apply(stage.spec([target(1, changes)]));
    return stage.dialer.links.length > before;
  };
  stage.onAir(target(1, login));
  expect(isDialled({ credentials: { id: "someone", password: "old" } })).toBe(false);
  expect(stage.dialer.latest(1).closedHow).toBeUndefined();
  expect(isDialled({ credentials: { id: "someone", password: "new" } })).toBe(true);
  expect(stage.dialer.latest(1).target.credentials).toEqual({ id: "someone", password: "new" });
  expect(isDialled({ credentials: { id: "somebody", password: "new" } })).toBe(true);
  expect(isDialled({})).toBe(true);
  expect(isDialled({})).toBe(false);
  expect(stage.dialer.links.map((link) => link.closedHow)).toEqual(["end", "end", "end", undefined]);
  expect(isDialled({ tls: { fingerprint: "ab" } })).toBe(true);
  expect(isDialled({ tls: { fingerprint: "ab" } })).toBe(false);
  expect(isDialled({ tls: { fingerprint: "ab", ca: "x" } })).toBe(true);
});

test("a removed channel dismisses its encoder and ends its targets", () => {
  const stage = new RelayStage();
  stage.onAir(target(1));
  stage.engine.remove("ls-1");
  expect(stage.dismissed).toEqual([1]);
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  expect(
    stage.engine.open("ls-1", { slot: "main", remoteAddress: "", encoder: "", onDismissed: () => undefined }),
  ).toBeUndefined();
});

test.each(["cut", "end"] as const)(
  "a shutdown by %s leaves the targets in this state, with nothing left unwritten",
  (how) => {
    const stage = new RelayStage();
    const publisher = stage.onAir(target(1));
    publisher.push(video(0, avcFrame(true, 1)));
    publisher.push(video(40, avcFrame(false, 2)));
    stage.engine.shutDown(how);
    expect(stage.dialer.latest(1).closedHow).toBe(how);
    expect(marksOf(stage.dialer.latest(1)).at(-1)).toEqual([9, 40, 2]);
    expect(stage.dismissed).toEqual([1]);
    expect(stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "shutdown" });
  },
);

test("the bytes of the last whole second are counted, of ingest and of each target", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.clock.advance(1_000);
  const frame = avcFrame(false, 2, 10_000);
  for (let count = 1; count <= 25; count += 1) {
    publisher.push(video(count * 40, frame));
    stage.clock.advance(40);
  }
  const [sample] = stage.samples.slice(-1);
  expect(sample?.ingest.bytesPerSecond).toBe(25 * frame.length);
  expect(sample?.targets[0]?.bytesPerSecond).toBeGreaterThan(24 * frame.length);
  expect(sample?.targets[0]?.bytesPerSecond).toBeLessThan(26 * frame.length);
});

test("a message of 300 KiB and a stream of 60 Mbit/s arrive whole", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const frames: Buffer[] = [];
  for (let index = 0; index < 50; index += 1) {
    const frame = avcFrame(index % 25 === 0, index, index % 25 === 0 ? 300 * 1_024 : 240_000);
    frames.push(frame);
    publisher.push(video(index * 33, frame));
    stage.clock.advance(33);
  }
  stage.flush();
  const received = mediaOf(stage.dialer.latest(1)).slice(2);
  expect(received.map(({ payload }, index) => payload.equals(frames[index] ?? Buffer.alloc(0)))).toEqual(
    frames.map(() => true),
  );
});
