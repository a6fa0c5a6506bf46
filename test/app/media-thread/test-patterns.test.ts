import { expect, test } from "vitest";
import { TestPatterns } from "../../../src/app/media-thread/test-patterns.ts";
import type { IngestEnd } from "../../../src/thread-protocol/facts.ts";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../../support/streams/media-messages.ts";

const END_TIME = 1_800_000_000_000;
const HOLD_SECONDS = 60;

/** A channel whose test pattern is on air to one target. */
function onAir(forMs = 300_000) {
  const stage = new RelayStage(HOLD_SECONDS);
  const patterns = new TestPatterns({ clock: stage.clock, engine: stage.engine, takesNew: () => true });
  const spec = stage.spec([target(1)]);
  const request = { kind: "test-pattern", spec, endTime: END_TIME, forMs } as const;
  const result = patterns.start(request);
  stage.dialer.latest(1).accept();
  return { stage, patterns, request, result };
}

const ends = ({ facts }: RelayStage): (readonly [IngestEnd, boolean])[] =>
  facts.flatMap((fact) => (fact.kind === "ingest-ended" ? [[fact.end, fact.isBroadcastOver] as const] : []));
const kinds = ({ facts }: RelayStage): string[] => facts.map(({ kind }) => kind);

/** An encoder sends a keyframe and two seconds of frames. */
function stream(stage: RelayStage, slot: "main" | "backup") {
  const encoder = stage.open("ls-1", "OBS", 2, slot);
  encoder.push(audio(0, AAC_CONFIG));
  encoder.push(video(0, AVC_CONFIG));
  for (let frame = 0; frame < 50; frame += 1) {
    encoder.push(video(frame * 40, avcFrame(frame % 25 === 0, 2)));
    encoder.push(audio(frame * 40, aacFrame(2)));
    stage.clock.advance(40);
  }
  return encoder;
}

test("the pattern is video and audio in real time, and its time goes on over every repetition of the clip", () => {
  const { stage, result } = onAir();
  expect(result).toBe("started");
  stage.clock.advance(10_000);
  const media = mediaOf(stage.dialer.latest(1));
  for (const [type, frames, everyMs] of [
    [9, 250, 40],
    [8, 468, 1_024 / 48],
  ] as const) {
    // After the sequence header. The last frames of the ten seconds may wait for the next flush.
    const times = media.filter((message) => message.type === type).map(({ timestamp }) => timestamp);
    expect(times.length).toBeGreaterThan(frames - 10);
    expect(times.length).toBeLessThanOrEqual(frames + 2);
    const steps = times.slice(2).map((time, index) => time - (times[index + 1] ?? 0));
    for (const step of steps) expect(Math.abs(step - everyMs)).toBeLessThan(1);
  }
  expect(stage.samples.at(-1)?.ingest).toMatchObject({
    state: "LIVE",
    encoder: "Fanfare test pattern",
    testPatternEndTime: END_TIME,
    videoCodec: "avc",
    height: 360,
    audioCodec: "aac",
    sampleRate: 48_000,
  });
});

test("the pattern ends by itself at its time, without a hold and with a proper end at the platform", () => {
  const { stage } = onAir(5_000);
  stage.clock.advance(4_900);
  expect(ends(stage)).toEqual([]);
  stage.clock.advance(200);
  expect(ends(stage)).toEqual([["test-pattern-over", true]]);
  expect(kinds(stage)).not.toContain("ingest-held");
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  const sent = mediaOf(stage.dialer.latest(1)).length;
  stage.clock.advance(5_000);
  expect(mediaOf(stage.dialer.latest(1))).toHaveLength(sent);
});

test("the pattern stops at once, and a stop where none runs does nothing", () => {
  const { stage, patterns } = onAir();
  stage.clock.advance(1_000);
  patterns.stop("ls-1");
  patterns.stop("ls-1");
  expect(ends(stage)).toEqual([["test-pattern-over", true]]);
  expect(stage.engine.isOnAir("ls-1")).toBe(false);
});

test.each(["main", "backup"] as const)(
  "an encoder with the %s key takes over at its first keyframe, and the pattern ends",
  (slot) => {
    const { stage, patterns } = onAir();
    stage.clock.advance(2_000);
    const encoder = stream(stage, slot);
    expect(ends(stage)).toEqual([["test-pattern-over", false]]);
    expect(kinds(stage)).not.toContain("standby-differs");
    expect(kinds(stage)).not.toContain("ingest-held");
    expect(stage.samples.at(-1)?.ingest).toMatchObject({ state: "LIVE", slot, encoder: "OBS" });
    expect(stage.samples.at(-1)?.ingest).not.toHaveProperty("testPatternEndTime");
    // The stop of a pattern that is gone does not end the encoder's broadcast.
    patterns.stop("ls-1");
    expect(stage.engine.isOnAir("ls-1")).toBe(true);
    // The pattern does not count as an encoder to fall back to.
    encoder.end("clean");
    expect(ends(stage).at(-1)).toEqual(["clean", true]);
  },
);

test("a takeover from a pattern does not count as a conflict, however often encoders try", () => {
  const { stage } = onAir();
  for (let count = 0; count < 10; count += 1) expect(stage.engine.admits("ls-1", "main")).toBe(true);
  expect(kinds(stage)).not.toContain("encoders-fight");
});

test("a pattern is refused where an encoder is on air or held, or where another pattern runs", () => {
  const { stage, patterns, request } = onAir();
  expect(patterns.start(request)).toBe("on-air");
  const encoder = stream(stage, "main");
  expect(patterns.start(request)).toBe("on-air");
  encoder.end("connection-lost");
  expect(kinds(stage)).toContain("ingest-held");
  expect(patterns.start(request)).toBe("on-air");
  expect(stage.samples.at(-1)?.ingest.encoder).toBe("OBS");
});

test("a server that accepts no new channel accepts no pattern", () => {
  const stage = new RelayStage();
  const patterns = new TestPatterns({ clock: stage.clock, engine: stage.engine, takesNew: () => false });
  const request = { kind: "test-pattern", spec: stage.spec([target(1)]), endTime: END_TIME, forMs: 10_000 } as const;
  expect(patterns.start(request)).toBe("overloaded");
  expect(stage.facts).toEqual([]);
});

test("a new stream key leaves the pattern alone, and the end of the broadcast, or of the server, ends it", () => {
  const { stage, patterns, request } = onAir();
  stage.engine.disconnectPublisher("ls-1", "main", stage.engine.lastIngestId);
  expect(ends(stage)).toEqual([]);
  stage.engine.end("ls-1");
  expect(ends(stage)).toEqual([["ended", true]]);
  expect(patterns.start(request)).toBe("started");
  stage.engine.shutDown("cut");
  expect(ends(stage).at(-1)).toEqual(["shutdown", true]);
  const facts = stage.facts.length;
  stage.clock.advance(1_000);
  expect(stage.facts).toHaveLength(facts);
});

test("a pattern for chosen targets leaves the others alone, also after an edit; an encoder that takes over goes to all", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const patterns = new TestPatterns({ clock: stage.clock, engine: stage.engine, takesNew: () => true });
  const spec = stage.spec([target(1), target(2)]);
  patterns.start({ kind: "test-pattern", spec, endTime: END_TIME, forMs: 300_000, targetIds: [2] });
  const dialled = () => [...new Set(stage.dialer.links.map((link) => link.target.targetId))].sort();
  expect(dialled()).toEqual([2]);
  stage.engine.apply({ ...spec, revision: spec.revision + 1 });
  stage.clock.advance(1_000);
  expect(dialled()).toEqual([2]);
  expect(stage.samples.at(-1)?.ingest.onlyTargetIds).toEqual([2]);
  stream(stage, "main");
  expect(dialled()).toEqual([1, 2]);
});
