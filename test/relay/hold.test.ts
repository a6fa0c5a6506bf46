import { expect, test } from "vitest";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { marksOf, mediaOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AAC_CONFIG_CHANGED,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../support/streams/media-messages.ts";

const SILENT_STEREO = Buffer.from("af01210049900219002380", "hex");

/** Runs an encoder: a keyframe each second, 25 frames a second, audio between them; marks count the seconds. */
function run(
  stage: RelayStage,
  publisher: PublisherHandle,
  seconds: number,
  fromMs = 0,
  onFrame: () => void = () => undefined,
): number {
  for (let frame = 0; frame < seconds * 25; frame += 1) {
    const timestamp = fromMs + frame * 40;
    publisher.push(video(timestamp, avcFrame(frame % 25 === 0, 1 + (frame % 100))));
    publisher.push(audio(timestamp + 5, aacFrame(200)));
    stage.clock.advance(40);
    onFrame();
  }
  return fromMs + seconds * 1_000;
}

/** A channel held for a minute at most, whose target got one second of a stream. */
function onAir(holdSeconds = 60): { stage: RelayStage; publisher: PublisherHandle } {
  const stage = new RelayStage(holdSeconds);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 1);
  return { stage, publisher };
}

function times(stage: RelayStage): number[] {
  return mediaOf(stage.dialer.latest(1)).map(({ timestamp }) => timestamp);
}

function expectNeverBackwards(stage: RelayStage): void {
  const all = times(stage);
  expect(all).toEqual([...all].sort((left, right) => left - right));
}

const news = (stage: RelayStage) =>
  stage.facts.flatMap((fact) => {
    if (fact.kind === "target-status" || fact.kind === "hold-set" || fact.kind === "internal-fault") return [];
    return [fact.kind === "ingest-ended" ? `${fact.kind} ${fact.end} ${fact.isBroadcastOver}` : fact.kind];
  });

test("a lost encoder leaves links and status as they are, and filler starts two seconds after the last media, in step with the clock", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(1_900);
  const before = mediaOf(stage.dialer.latest(1)).length;
  stage.clock.advance(1_160);
  expect(stage.dialer.latest(1).closedHow).toBeUndefined();
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
  const filler = mediaOf(stage.dialer.latest(1)).slice(before);
  const frames = filler.filter(({ type }) => type === 9);
  expect(frames.map(({ timestamp }) => timestamp)).toEqual([2_965, 3_465, 3_965]);
  expect(frames.map(({ payload }) => payload)).toEqual([avcFrame(true, 1), avcFrame(false, 2), avcFrame(true, 1)]);
  const silence = filler.filter(({ type }) => type === 8);
  expect(silence.every(({ payload }) => payload.equals(SILENT_STEREO))).toBe(true);
  expect(silence.slice(0, 4).map(({ timestamp }) => timestamp)).toEqual([2_965, 2_986, 3_008, 3_029]);
  expectNeverBackwards(stage);
  expect(news(stage)).toEqual([
    "ingest-started",
    "publisher-active",
    "ingest-ended connection-lost false",
    "ingest-held",
  ]);
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ state: "HELD", bytesPerSecond: 0, videoCodec: "avc" });
});

test("filler keeps the original composition offset", () => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  const [key, following] = [avcFrame(true, 1, 50, 80), avcFrame(false, 2, 50, 200)];
  publisher.push(video(0, key));
  publisher.push(video(40, following));
  publisher.push(video(80, avcFrame(false, 3, 50, 0)));
  stage.clock.advance(100);
  publisher.end("connection-lost");
  stage.clock.advance(2_700);
  expect(
    mediaOf(stage.dialer.latest(1))
      .slice(-2)
      .map(({ payload }) => payload),
  ).toEqual([expect.anything(), expect.anything()]);
  const frames = mediaOf(stage.dialer.latest(1)).filter(({ type }) => type === 9);
  expect(frames.slice(-2).map(({ payload }) => payload)).toEqual([key, following]);
});

test("an encoder that returns goes on at its first keyframe, on the same connections, without repeating equal headers", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(5_000);
  const again = stage.open("ls-1", "again", 2);
  again.push(metadata({ width: 640, height: 360 }));
  again.push(audio(0, AAC_CONFIG));
  again.push(video(0, AVC_CONFIG));
  again.push(video(0, avcFrame(false, 90)));
  stage.clock.advance(40);
  const before = mediaOf(stage.dialer.latest(1)).length;
  again.push(video(40, avcFrame(true, 91)));
  again.push(audio(45, aacFrame(92)));
  again.push(video(80, avcFrame(false, 93)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(before)).toEqual([
    [9, 6_045, 91],
    [8, 6_050, 92],
    [9, 6_085, 93],
  ]);
  expectNeverBackwards(stage);
  expect(stage.dialer.links).toHaveLength(1);
  expect(stage.facts.find((fact) => fact.kind === "publisher-active" && fact.heldMs > 0)).toMatchObject({
    heldMs: 5_040,
  });
  expect(stage.samples.at(-1)?.ingest.state).toBe("HELD");
  stage.clock.advance(1_000);
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ state: "LIVE", encoder: "again" });
});

test("another resolution comes with its header before its keyframe, on the same connection", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(3_000);
  const before = mediaOf(stage.dialer.latest(1)).length;
  const again = stage.open();
  again.push(audio(0, AAC_CONFIG));
  again.push(video(0, AVC_CONFIG_CHANGED));
  again.push(video(0, avcFrame(true, 91)));
  stage.flush();
  const payloads = mediaOf(stage.dialer.latest(1))
    .slice(before)
    .filter(({ type }) => type === 9)
    .map(({ payload }) => payload);
  expect(payloads.slice(-2)).toEqual([AVC_CONFIG_CHANGED, avcFrame(true, 91)]);
  expect(stage.dialer.links).toHaveLength(1);
});

test.each([
  { name: "another sample rate", head: [audio(0, AAC_CONFIG_CHANGED), video(0, AVC_CONFIG)] },
  { name: "another codec", head: [audio(0, AAC_CONFIG), video(0, Buffer.from("906876633101020304", "hex"))] },
])("$name reconnects every target", ({ head }) => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(3_000);
  const again = stage.open();
  for (const message of head) again.push(message);
  const key =
    head[1]?.payload[0] === 0x90 ? Buffer.from("91687663310000000000000226019988", "hex") : avcFrame(true, 91);
  // The tracks that are still missing may come within two seconds.
  for (let at = 0; at <= 3_000; at += 500) {
    again.push(video(at, key));
    stage.clock.advance(500);
  }
  expect(stage.dialer.links.map(({ closedHow }) => closedHow)).toEqual(["cut", undefined]);
  stage.dialer.latest(1).accept();
  again.push(video(4_000, key));
  stage.flush();
  const fresh = mediaOf(stage.dialer.latest(1));
  expect(fresh[0]?.timestamp).toBe(0);
  expect(fresh.map(({ payload }) => payload)).toEqual([
    ...head.map(({ payload }) => payload),
    key,
    ...fresh.slice(3).map(({ payload }) => payload),
  ]);
});

test("audio that is missing at the return is waited for two seconds, then the targets reconnect without it", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(3_000);
  const again = stage.open();
  again.push(video(0, AVC_CONFIG));
  again.push(video(0, avcFrame(true, 91)));
  stage.clock.advance(1_000);
  again.push(video(1_000, avcFrame(true, 92)));
  expect(stage.dialer.links).toHaveLength(1);
  stage.clock.advance(1_000);
  again.push(video(2_000, avcFrame(true, 93)));
  expect(stage.dialer.links).toHaveLength(2);
});

test("the end of the hold closes links without a goodbye, and a later encoder starts a new broadcast", () => {
  const { stage, publisher } = onAir(10);
  publisher.end("connection-lost");
  stage.clock.advance(9_900);
  expect(stage.dialer.latest(1).closedHow).toBeUndefined();
  stage.clock.advance(200);
  expect(stage.dialer.latest(1).closedHow).toBe("cut");
  expect(stage.statuses(1).at(-1)).toBe("READY");
  expect(news(stage).slice(-2)).toEqual(["ingest-held", "ingest-ended hold-expired true"]);
  expect(stage.samples.at(-1)?.ingest.state).toBe("ENDED");
  const later = stage.open();
  later.push(video(0, AVC_CONFIG));
  expect(stage.dialer.links).toHaveLength(2);
  expect(stage.facts.findLast(({ kind }) => kind === "ingest-started")).toMatchObject({ isBroadcastNew: true });
});

test("a hold can be ended at once, with a proper goodbye", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(3_000);
  stage.engine.end("ls-1");
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  expect(news(stage).at(-1)).toBe("ingest-ended ended true");
});

test("a clean stop ends the broadcast at once, without hold and filler", () => {
  const { stage, publisher } = onAir();
  publisher.end("clean");
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  expect(news(stage).at(-1)).toBe("ingest-ended clean true");
});

test("without a hold a lost encoder ends the broadcast and closes links without a goodbye", () => {
  const { stage, publisher } = onAir(0);
  publisher.end("connection-lost");
  expect(stage.dialer.latest(1).closedHow).toBe("cut");
  expect(news(stage).at(-1)).toBe("ingest-ended connection-lost true");
});

test("a frozen encoder is filled for after 2 s, reported as lost after 5, and closed after 10", () => {
  const { stage } = onAir();
  stage.clock.advance(1_900);
  const before = mediaOf(stage.dialer.latest(1)).length;
  stage.clock.advance(400);
  expect(mediaOf(stage.dialer.latest(1)).length).toBeGreaterThan(before);
  expect(news(stage)).toEqual(["ingest-started", "publisher-active"]);
  stage.clock.advance(2_700);
  expect(news(stage)).toEqual(["ingest-started", "publisher-active", "ingest-held"]);
  expect(stage.dismissed).toEqual([]);
  stage.clock.advance(5_100);
  expect(stage.dismissed).toEqual([1]);
  expect(news(stage).slice(3)).toEqual(["ingest-ended frozen false"]);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("an encoder that thaws goes on at its next keyframe, not with frames that refer to what filler replaced", () => {
  const { stage, publisher } = onAir();
  stage.clock.advance(6_000);
  const before = mediaOf(stage.dialer.latest(1)).length;
  publisher.push(video(7_000, avcFrame(false, 90)));
  publisher.push(audio(7_005, aacFrame(90)));
  publisher.push(video(7_040, avcFrame(true, 91)));
  publisher.push(video(7_080, avcFrame(false, 92)));
  stage.flush();
  const news = marksOf(stage.dialer.latest(1)).slice(before);
  expect(news.slice(-2)).toEqual([
    [9, 7_040, 91],
    [9, 7_080, 92],
  ]);
  expect(news.map((mark) => mark[2])).not.toContain(90);
  expectNeverBackwards(stage);
  expect(stage.dismissed).toEqual([]);
});

test("a stream of audio alone is filled with silence alone", () => {
  const audioOnly = new RelayStage(60);
  audioOnly.engine.introduce(audioOnly.spec([target(1)]));
  const publisher = audioOnly.open();
  publisher.push(audio(0, AAC_CONFIG));
  audioOnly.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  publisher.end("connection-lost");
  audioOnly.clock.advance(3_050);
  expect(
    new Set(
      mediaOf(audioOnly.dialer.latest(1))
        .slice(2)
        .map(({ type }) => type),
    ),
  ).toEqual(new Set([8]));
});

test.each([
  {
    name: "HEVC",
    config: "906876633101020304",
    key: "91687663310000000000000226019988",
    next: "a3687663310000000202019988",
  },
  { name: "AV1", config: "906176303181040c00", key: "916176303112000a0a0000000240", next: "a16176303132000a0a00" },
])("$name without audio is filled with its keyframe alone", ({ config, key, next }) => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const silent = stage.open();
  silent.push(video(0, Buffer.from(config, "hex")));
  stage.dialer.latest(1).accept();
  silent.push(video(0, Buffer.from(key, "hex")));
  silent.push(video(40, Buffer.from(next, "hex")));
  silent.end("connection-lost");
  stage.clock.advance(3_150);
  const filler = mediaOf(stage.dialer.latest(1)).slice(3);
  expect(filler.map(({ payload }) => payload.toString("hex"))).toEqual([key, key, key]);
});

test("silence keeps its cadence to the millisecond over a minute, and mono stays mono", () => {
  const stage = new RelayStage(120);
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, Buffer.from("af001208", "hex")));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  publisher.end("connection-lost");
  stage.clock.advance(62_100);
  const silence = mediaOf(stage.dialer.latest(1)).slice(2);
  expect(silence[0]?.payload.toString("hex")).toBe("af0100c800802380");
  const start = silence[0]?.timestamp ?? 0;
  expect(silence.map(({ timestamp }) => timestamp - start)).toEqual(
    silence.map((_, index) => Math.round((index * 1_024_000) / 44_100)),
  );
  expect(silence.length).toBeGreaterThan(2_580);
});

test("HE-AAC is not filled with the silence of AAC-LC", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const publisher = stage.open();
  publisher.push(audio(0, Buffer.from("af002b118856e500", "hex")));
  stage.dialer.latest(1).accept();
  publisher.push(audio(0, aacFrame(1)));
  publisher.end("connection-lost");
  stage.clock.advance(10_000);
  expect(mediaOf(stage.dialer.latest(1))).toHaveLength(2);
});

test("a target that joins during the hold starts with headers and the filler's keyframe", () => {
  const { stage, publisher } = onAir();
  publisher.end("connection-lost");
  stage.clock.advance(3_000);
  stage.engine.introduce(stage.spec([target(1), target(2)]));
  stage.dialer.latest(2).accept();
  stage.clock.advance(1_000);
  const joined = mediaOf(stage.dialer.latest(2));
  expect(joined.slice(0, 3).map(({ payload }) => payload)).toEqual([AAC_CONFIG, AVC_CONFIG, avcFrame(true, 1)]);
  expect(joined[2]?.timestamp).toBe(0);
});

test("a newcomer takes over at its keyframe; until then the encoder on air stays, and targets are unaffected", () => {
  const { stage, publisher } = onAir();
  const second = stage.open("ls-1", "other", 2);
  second.push(audio(500_000, AAC_CONFIG));
  second.push(video(500_000, AVC_CONFIG));
  second.push(video(500_000, avcFrame(false, 90)));
  publisher.push(video(1_000, avcFrame(true, 50)));
  expect(stage.dismissed).toEqual([]);
  stage.clock.advance(40);
  second.push(video(500_040, avcFrame(true, 91)));
  expect(stage.dismissed).toEqual([1]);
  publisher.push(video(1_040, avcFrame(false, 51)));
  publisher.end("connection-lost");
  second.push(video(500_080, avcFrame(false, 92)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).slice(-3)).toEqual([
    [9, 1_000, 50],
    [9, 1_040, 91],
    [9, 1_080, 92],
  ]);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
  expect(news(stage).slice(2)).toEqual(["ingest-started", "ingest-ended replaced false", "publisher-active"]);
});

test("a newcomer that leaves before its keyframe changes nothing", () => {
  const { stage, publisher } = onAir();
  const second = stage.open("ls-1", "other", 2);
  second.push(video(0, AVC_CONFIG));
  second.end("connection-lost");
  publisher.push(video(1_000, avcFrame(true, 50)));
  stage.flush();
  expect(marksOf(stage.dialer.latest(1)).at(-1)).toEqual([9, 1_000, 50]);
  expect(stage.dismissed).toEqual([]);
});

/** Another encoder with the main key goes on air. */
function begin(stage: RelayStage, mark: number, compositionTimeMs = 0): PublisherHandle {
  const publisher = stage.open("ls-1", `encoder ${mark}`, mark);
  publisher.push(audio(0, AAC_CONFIG));
  publisher.push(video(0, AVC_CONFIG));
  publisher.push(video(0, avcFrame(true, mark, 100, compositionTimeMs)));
  return publisher;
}

test("an encoder whose way breaks every three seconds gets in each time, though its former connections stay open", () => {
  const { stage } = onAir();
  const link = stage.dialer.latest(1);
  for (let turn = 0; turn < 20; turn += 1) {
    stage.clock.advance(2_000);
    expect(stage.engine.admits("ls-1", "main")).toBe(true);
    run(stage, begin(stage, 2 + turn), 1, 40);
  }
  expect(stage.facts.filter(({ kind }) => kind === "encoders-fight")).toEqual([]);
  expect(stage.dialer.latest(1)).toBe(link);
  expectNeverBackwards(stage);
});

test.each([8_388_607, -8_388_608, 60_001])(
  "a composition time of %d ms moves neither filler nor the next encoder",
  (composition) => {
    const { stage, publisher } = onAir();
    publisher.push(video(1_000, avcFrame(true, 9, 100, composition)));
    publisher.end("connection-lost");
    stage.clock.advance(10_000);
    expect(times(stage).at(-1)).toBeGreaterThan(9_000);
    const next = begin(stage, 2, composition);
    run(stage, next, 1, 40);
    expect(times(stage).at(-1)).toBeLessThan(13_000);
    expect(times(stage).at(-1)).toBeGreaterThan(11_000);
    expectNeverBackwards(stage);
  },
);

test("a keyframe interval is told by the clock alone: after a jump of it, the one from before stays", () => {
  const { stage, publisher } = onAir();
  run(stage, publisher, 3, 1_000);
  run(stage, publisher, 1, 3_600_000);
  expect(stage.samples.at(-1)?.ingest.keyframeIntervalSeconds).toBe(1);
  run(stage, publisher, 1, 0);
  expect(stage.samples.at(-1)?.ingest.keyframeIntervalSeconds).toBe(1);
});

test("the fourth takeover within 30 s is refused, and so are all for 30 s more, but a dead encoder is still replaced", () => {
  const { stage, publisher } = onAir();
  let present = publisher;
  const admitted: boolean[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const isAdmitted = stage.engine.admits("ls-1", "main");
    admitted.push(isAdmitted);
    if (isAdmitted) present = begin(stage, 2 + turn);
    run(stage, present, 1, 40 + turn * 1_000);
  }
  expect(admitted).toEqual([true, true, true, false, false]);
  expect(stage.facts.filter(({ kind }) => kind === "encoders-fight")).toHaveLength(2);
  stage.clock.advance(2_000);
  expect(stage.engine.admits("ls-1", "main")).toBe(true);
  expect(stage.engine.admits("ls-1", "backup")).toBe(true);
});

test("newcomers may take over again after the refusal has passed", () => {
  const { stage, publisher } = onAir();
  let atMs = 1_000;
  for (let turn = 0; turn < 3; turn += 1) expect(stage.engine.admits("ls-1", "main")).toBe(true);
  expect(stage.engine.admits("ls-1", "main")).toBe(false);
  for (let second = 0; second < 31; second += 1) atMs = run(stage, publisher, 1, atMs);
  expect(stage.engine.admits("ls-1", "main")).toBe(true);
});

test("a changed key cuts the encoder, and the targets are held", () => {
  const { stage } = onAir();
  stage.engine.disconnectPublisher("ls-1", "main", stage.engine.lastIngestId);
  expect(stage.dismissed).toEqual([1]);
  expect(stage.dialer.latest(1).closedHow).toBeUndefined();
  expect(news(stage).slice(-2)).toEqual(["ingest-ended ended false", "ingest-held"]);
});

test("an encoder that came with the new key is not cut with the encoder of the old key", () => {
  const { stage } = onAir();
  const { lastIngestId } = stage.engine;
  const newcomer = stage.open();
  stage.engine.disconnectPublisher("ls-1", "main", lastIngestId);
  expect(stage.dismissed).toEqual([1]);
  for (const message of [audio(0, AAC_CONFIG), video(0, AVC_CONFIG), video(0, avcFrame(true, 99))])
    newcomer.push(message);
  stage.clock.advance(3_000);
  expect(stage.dismissed).toEqual([1]);
  expect(news(stage).slice(-1)).toEqual(["publisher-active"]);
});

test("streams whose clock stands at 2^31 or just before 2^32 are held and go on like any other", () => {
  for (const start of [2 ** 31, 2 ** 32 - 10_000, 2 ** 32 - 500]) {
    const stage = new RelayStage(60);
    const publisher = stage.onAir(target(1));
    for (let frame = 0; frame < 50; frame += 1) {
      publisher.push(video((start + frame * 40) % 2 ** 32, avcFrame(frame % 25 === 0, frame)));
      stage.clock.advance(40);
    }
    publisher.end("connection-lost");
    stage.clock.advance(4_000);
    const again = stage.open();
    again.push(audio(start, AAC_CONFIG));
    again.push(video(start, AVC_CONFIG));
    again.push(video(start, avcFrame(true, 99)));
    stage.flush();
    expectNeverBackwards(stage);
    const [type, timestamp = 0, mark] = marksOf(stage.dialer.latest(1)).at(-1) ?? [];
    expect([type, mark]).toEqual([9, 99]);
    expect(timestamp).toBeGreaterThanOrEqual(6_000);
    expect(timestamp).toBeLessThanOrEqual(6_040);
  }
});

/** What is reported about a hold's end, in seconds from each moment. */
const holdEnds = (stage: RelayStage) =>
  stage.facts.flatMap((fact) => (fact.kind === "hold-set" ? [Math.round(fact.leftMs / 1_000)] : []));

test("an extended hold lasts a minute longer, reports its end each time, and the next hold has its own time again", () => {
  const { stage, publisher } = onAir(60);
  publisher.end("connection-lost");
  expect(holdEnds(stage)).toEqual([60]);
  stage.clock.advance(50_000);
  stage.engine.changeHold("ls-1", "extend");
  expect(holdEnds(stage)).toEqual([60, 70]);
  stage.clock.advance(69_000);
  expect(news(stage).at(-1)).toBe("ingest-held");
  const back = stage.open("ls-1", "back", 2);
  back.push(audio(0, AAC_CONFIG));
  back.push(video(0, AVC_CONFIG));
  run(stage, back, 1);
  back.end("connection-lost");
  expect(holdEnds(stage)).toEqual([60, 70, 60]);
  stage.clock.advance(61_000);
  expect(news(stage).at(-1)).toBe("ingest-ended hold-expired true");
});

test("a hold lasts an hour at most, however often it is extended, and a new setting counts beside it", () => {
  const { stage, publisher } = onAir(1_800);
  publisher.end("connection-lost");
  for (let index = 0; index < 40; index += 1) stage.engine.changeHold("ls-1", "extend");
  expect(holdEnds(stage).at(-1)).toBe(3_600);
  stage.engine.apply({ ...stage.spec([target(1)]), holdSeconds: 60 });
  expect(holdEnds(stage).at(-1)).toBe(60 + 1_800);
  stage.clock.advance(1_861_000);
  expect(news(stage).at(-1)).toBe("ingest-ended hold-expired true");
});

test("a hold is ended at once on request, and a broadcast whose encoder is connected is not", () => {
  const { stage, publisher } = onAir();
  stage.engine.changeHold("ls-1", "end");
  stage.engine.changeHold("ls-1", "extend");
  expect(holdEnds(stage)).toEqual([]);
  expect(stage.engine.isOnAir("ls-1")).toBe(true);
  publisher.end("connection-lost");
  stage.engine.changeHold("ls-1", "end");
  expect(news(stage).at(-1)).toBe("ingest-ended ended true");
  expect(stage.engine.isOnAir("ls-1")).toBe(false);
});
