import { expect, test } from "vitest";
import { Engine } from "../../src/relay/engine.ts";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../src/thread-protocol/targets/target-status.ts";
import { mediaOf, REFUSED, RelayStage, target } from "../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../support/streams/media-messages.ts";

const CLEAN = { kind: "ingest-ended", isBroadcastOver: true };

/** Runs an encoder by the wall clock: a keyframe each `groupSeconds`, and audio that is so much later than video. */
function run(
  stage: RelayStage,
  publisher: PublisherHandle,
  seconds: number,
  options: { groupSeconds?: number; lateMs?: number } = {},
): void {
  const { groupSeconds = 1, lateMs = 0 } = options;
  for (let frame = 0; frame < seconds * 25; frame += 1) {
    const timestamp = Math.round(stage.clock.now());
    publisher.push(video(timestamp, avcFrame(frame % (25 * groupSeconds) === 0, frame % 256)));
    publisher.push(audio(Math.max(0, timestamp - lateMs), aacFrame(1)));
    stage.clock.advance(40);
  }
}

const faults = (stage: RelayStage) => stage.facts.filter(({ kind }) => kind === "internal-fault");
const news = (stage: RelayStage) =>
  stage.facts.flatMap((fact) =>
    fact.kind === "ingest-ended"
      ? [`${fact.end} ${fact.isBroadcastOver}`]
      : fact.kind === "ingest-held"
        ? ["held"]
        : [],
  );

function expectInOrder(stage: RelayStage): void {
  const times = mediaOf(stage.dialer.latest(1)).map(({ timestamp }) => timestamp);
  expect(times).toEqual([...times].sort((left, right) => left - right));
}

test("a burst with late audio and then a loss: the hold is filled, ends in time, and nothing throws", () => {
  const stage = new RelayStage(10);
  const publisher = stage.onAir(target(1));
  for (let frame = 0; frame < 100; frame += 1) {
    publisher.push(video(frame * 40, avcFrame(frame % 25 === 0, frame)));
    if (frame >= 5) publisher.push(audio(frame * 40 - 200, aacFrame(1)));
  }
  publisher.end("connection-lost");
  stage.clock.advance(10_100);
  expect(faults(stage)).toEqual([]);
  expect(news(stage).at(-1)).toBe("hold-expired true");
  expectInOrder(stage);
});

test("filler goes on between a thaw and the next keyframe", () => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 2, { groupSeconds: 10 });
  stage.clock.advance(3_000);
  const before = mediaOf(stage.dialer.latest(1)).length;
  for (let second = 0; second < 5; second += 1) {
    for (let frame = 0; frame < 25; frame += 1) {
      publisher.push(video(Math.round(stage.clock.now()), avcFrame(false, 200)));
      stage.clock.advance(40);
    }
  }
  const filler = mediaOf(stage.dialer.latest(1)).slice(before);
  expect(filler.filter(({ type }) => type === 9).length).toBeGreaterThanOrEqual(9);
  expect(filler.map(({ payload }) => payload.at(-1))).not.toContain(200);
});

test("a target stays in step with the wall clock after a stall whose backlog arrives late", () => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 3);
  const stalledAt = stage.clock.now();
  stage.clock.advance(4_000);
  for (let frame = 0; frame < 100; frame += 1) {
    publisher.push(video(stalledAt + frame * 40, avcFrame(frame % 25 === 0, 7)));
  }
  run(stage, publisher, 3);
  stage.flush();
  const last = mediaOf(stage.dialer.latest(1)).at(-1)?.timestamp ?? 0;
  expect(Math.abs(last - stage.clock.now())).toBeLessThan(200);
  expectInOrder(stage);
});

test("a stall of all targets of two channels is reported once as our own uplink, and retried for that reason", () => {
  const stage = new RelayStage(0);
  const sources = ["ls-1", "ls-2"].map((channelId, index) => {
    stage.engine.introduce(stage.spec([target(index + 1)], channelId));
    const publisher = stage.open(channelId);
    publisher.push(video(0, AVC_CONFIG));
    stage.dialer.latest(index + 1).accept();
    return publisher;
  });
  for (const link of stage.dialer.links) link.isTaking = false;
  for (let frame = 0; frame < 12 * 25; frame += 1) {
    for (const publisher of sources) publisher.push(video(frame * 40, avcFrame(frame % 25 === 0, frame % 256)));
    stage.clock.advance(40);
  }
  for (const targetId of [1, 2]) {
    const reasons = stage.facts.flatMap((fact) =>
      fact.kind === "target-status" && fact.targetId === targetId && fact.status.status === "FAIL"
        ? [
            `${fact.status.lastError?.message.slice(0, 13)} ${fact.status.nextRetryTime === undefined ? "stalled" : "waiting"}`,
          ]
        : [],
    );
    expect(reasons.slice(0, 3)).toEqual(["The platform  stalled", "All platforms stalled", "All platforms waiting"]);
  }
});

test("one stalled target among healthy ones is reported as its own fault", () => {
  const stage = new RelayStage(0);
  const publisher = stage.onAir(target(1), target(2));
  stage.dialer.latest(1).isTaking = false;
  run(stage, publisher, 8);
  const messages = stage.facts.flatMap((fact) =>
    fact.kind === "target-status" ? [fact.status.lastError?.message] : [],
  );
  expect(messages.filter((message) => message?.startsWith("All targets"))).toEqual([]);
});

test("retries beyond the allowed rate wait for their turn and report when it is", () => {
  const stage = new RelayStage(0);
  const targets = Array.from({ length: 60 }, (_, index) => target(index + 1));
  const publisher = stage.onAir(...targets);
  for (const link of [...stage.dialer.links]) link.fail(REFUSED);
  stage.pass(publisher, 1_000);
  expect(stage.dialer.links.length - 60).toBeLessThanOrEqual(7);
  const waiting = stage.facts.flatMap((fact) =>
    fact.kind === "target-status" && fact.targetId === 60 ? [fact.status.nextRetryTime] : [],
  );
  expect(waiting.at(-1)).toBe(stage.clock.wallNow() - stage.clock.now() + 750 + 59 * 50);
  stage.pass(publisher, 2_800);
  expect(stage.dialer.links.length).toBe(120);
});

test("a third encoder of a key displaces the second, and a newcomer of the standby does not disturb the main encoder", () => {
  const stage = new RelayStage(60);
  const main = stage.onAir(target(1));
  run(stage, main, 1);
  stage.open("ls-1", "second main", 2);
  stage.open("ls-1", "third main", 3);
  expect(stage.dismissed).toEqual([2]);
  stage.open("ls-1", "backup", 4, "backup");
  stage.open("ls-1", "second backup", 5, "backup");
  expect(stage.dismissed).toEqual([2, 4]);
});

test("an encoder that returns just before the hold ends gets its time for a keyframe", () => {
  const stage = new RelayStage(20);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 1);
  publisher.end("connection-lost");
  stage.clock.advance(19_000);
  const again = stage.open("ls-1", "again", 2);
  again.push(audio(0, AAC_CONFIG));
  again.push(video(0, AVC_CONFIG));
  for (let second = 0; second < 5; second += 1) {
    again.push(video(second * 1_000, avcFrame(false, 1)));
    stage.clock.advance(1_000);
  }
  expect(stage.dismissed).toEqual([]);
  again.push(video(5_000, avcFrame(true, 9)));
  expect(stage.facts.findLast(({ kind }) => kind === "publisher-active")).toMatchObject({ heldMs: 24_000 });
});

test("two clean stops end the broadcast at once, and one clean stop waits ten seconds at most for the other encoder", () => {
  const stage = new RelayStage(120);
  const main = stage.onAir(target(1));
  run(stage, main, 1);
  const backup = stage.open("ls-1", "backup", 2, "backup");
  main.end("clean");
  expect(news(stage).at(-1)).toBe("held");
  backup.end("clean");
  expect(stage.facts.at(-1)).toMatchObject({ ...CLEAN, end: "clean" });
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  const other = new RelayStage(120);
  const first = other.onAir(target(1));
  run(other, first, 1);
  other.open("ls-1", "backup", 2, "backup");
  first.end("clean");
  other.clock.advance(10_100);
  expect(other.facts.findLast(({ kind }) => kind === "ingest-ended")).toMatchObject({ ...CLEAN, end: "clean" });
});

test("an encoder that sends headers and nothing else is frozen like any other", () => {
  const stage = new RelayStage(60);
  stage.onAir(target(1));
  stage.clock.advance(10_500);
  expect(stage.dismissed).toEqual([1]);
  expect(news(stage)).toEqual(["held", "frozen false"]);
});

test("a broadcast that never had any media is not held", () => {
  const stage = new RelayStage(120);
  stage.engine.introduce(stage.spec([target(1)]));
  stage.open().end("timed-out");
  expect(news(stage)).toEqual(["timed-out true"]);
});

test("metadata that changes after five hours needs no extended timestamp", () => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  publisher.push(metadata({ width: 640 }));
  publisher.push(video(0, avcFrame(true, 1)));
  for (let minute = 1; minute <= 300; minute += 1) {
    for (let second = 0; second < 60; second += 1) {
      publisher.push(video((minute - 1) * 60_000 + second * 1_000, avcFrame(second === 0, 1)));
      stage.clock.advance(1_000);
    }
  }
  publisher.push(metadata({ width: 1_280 }));
  stage.flush();
  expect(stage.dialer.latest(1).messages().at(-1)).toMatchObject({ type: 18, timestamp: 0 });
  expect(stage.dialer.latest(1).writes.at(-1)?.readUIntBE(1, 3)).toBe(0);
});

test("audio before the returning encoder's first frame is not sent, and presentation time never goes backwards", () => {
  const stage = new RelayStage(60);
  const publisher = stage.onAir(target(1));
  for (let frame = 0; frame < 50; frame += 1) {
    publisher.push(video(frame * 40, avcFrame(frame % 25 === 0, 1, 50, frame % 3 === 0 ? 80 : 200)));
    stage.clock.advance(40);
  }
  publisher.end("connection-lost");
  stage.clock.advance(4_000);
  const again = stage.open("ls-1", "again", 2);
  again.push(audio(0, AAC_CONFIG));
  again.push(video(0, AVC_CONFIG));
  const before = mediaOf(stage.dialer.latest(1)).length;
  again.push(video(1_000, avcFrame(true, 9, 50, 0)));
  again.push(audio(800, aacFrame(66)));
  again.push(audio(1_010, aacFrame(67)));
  stage.flush();
  const presented = mediaOf(stage.dialer.latest(1))
    .filter(({ type, payload }) => type === 9 && payload[1] === 1)
    .map(({ timestamp, payload }) => timestamp + payload.readIntBE(2, 3));
  expect(presented.at(-1)).toBeGreaterThan(Math.max(...presented.slice(0, -1)));
  const audioFrames = mediaOf(stage.dialer.latest(1))
    .slice(before)
    .filter(({ type }) => type === 8);
  expect(audioFrames.map(({ payload }) => payload.at(-1))).not.toContain(66);
  expect(audioFrames.map(({ payload }) => payload.at(-1))).toContain(67);
});

test("a key that is refused after an edit is the new key's fault, though the target was on air a moment ago", () => {
  const stage = new RelayStage(0);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 1);
  stage.engine.apply(stage.spec([target(1, { streamKey: "mistyped" })]));
  stage.dialer.latest(1).fail({ code: "PUBLISH_REJECTED", severity: "fatal", message: "refused", messageKo: "오류" });
  expect(stage.statuses(1).at(-1)).toBe("FAIL PUBLISH_REJECTED");
});

test.each([
  ["publish-refused", "FAIL STREAM_KEY_IN_USE"],
  ["publish-unanswered", "FAIL STREAM_KEY_IN_USE"],
  ["publish-refused-otherwise", "FAIL PUBLISH_REJECTED"],
  ["stream-number-broken", "FAIL PUBLISH_REJECTED"],
] as const)("a target that was on air a moment ago and fails with %s is %s", (name, status) => {
  const stage = new RelayStage(0);
  const publisher = stage.onAir(target(1));
  run(stage, publisher, 1);
  stage.dialer.latest(1).fail(targetError("closed-on-air"));
  stage.clock.advance(1_000);
  stage.dialer.latest(1).fail(targetError(name, "NetStream.Publish.InvalidSign"));
  expect(stage.statuses(1).at(-1)).toBe(status);
});

test("a target that refuses the key each time after it has accepted holds no connection of ours", () => {
  const stage = new RelayStage(0);
  const publisher = stage.onAir(target(1));
  const failAfterSecond = (error: TargetError) => {
    run(stage, publisher, 1);
    stage.dialer.latest(1).fail(error);
    const status = stage.statuses(1).at(-1);
    for (let second = 0; stage.status()?.status === "FAIL" && second < 61; second += 1) run(stage, publisher, 1);
    stage.dialer.latest(1).accept();
    return status;
  };
  const refuseLate = () => failAfterSecond(targetError("publish-refused", "NetStream.Publish.BadName"));
  expect([refuseLate(), refuseLate()]).toEqual(["FAIL PUBLISH_REJECTED", "FAIL PUBLISH_REJECTED"]);
  // A connection that was on air may hold the key for a while, and not for longer.
  failAfterSecond(targetError("closed-on-air"));
  const statuses = Array.from({ length: 20 }, refuseLate);
  expect(statuses[0]).toBe("FAIL STREAM_KEY_IN_USE");
  expect(statuses.at(-1)).toBe("FAIL PUBLISH_REJECTED");
});

test("a new broadcast does not start with the rate of the one before", () => {
  const stage = new RelayStage(0);
  const first = stage.onAir(target(1));
  run(stage, first, 3);
  first.push(video(3_000, avcFrame(true, 1, 50_000)));
  first.end("clean");
  const second = stage.open();
  second.push(video(0, AVC_CONFIG));
  stage.clock.advance(1_000);
  expect(stage.samples.at(-1)?.targets[0]?.bytesPerSecond).toBe(0);
});

test("where threads share the uplink, it is reported as stalled only when all links of all threads stall", () => {
  for (const stalledElsewhere of [1, 2]) {
    const stage = new RelayStage();
    const engine = new Engine({
      ...{ clock: stage.clock, random: () => 0.5, dialer: stage.dialer, onFact: (fact) => stage.facts.push(fact) },
      report: () => undefined,
      shareUplink: ({ channels, links, stalledLinks }) => ({
        ...{ channels: channels + 1, links: links + 2, stalledLinks: stalledLinks + stalledElsewhere },
      }),
    });
    engine.introduce(stage.spec([target(1)]));
    const publisher = engine.open("ls-1", {
      ...{ slot: "main", remoteAddress: "", encoder: "" },
      onDismissed: () => undefined,
    });
    publisher?.push(video(0, AVC_CONFIG));
    publisher?.push(video(0, avcFrame(true, 0)));
    stage.dialer.latest(1).accept();
    stage.dialer.latest(1).isTaking = false;
    for (let second = 1; second <= 8; second += 1) {
      publisher?.push(video(second * 1_000, avcFrame(true, second)));
      stage.clock.advance(1_000);
    }
    const reasons = stage.facts.map((fact) => (fact.kind === "target-status" ? fact.status.lastError?.message : ""));
    const isBlamed = reasons.some((reason) => reason?.startsWith("All platforms stopped"));
    expect(isBlamed).toBe(stalledElsewhere === 2);
  }
});

test("threads number their encoders so that no two have the same number", () => {
  const stage = new RelayStage();
  const engine = new Engine({
    ...{ clock: stage.clock, random: () => 0.5, dialer: stage.dialer, onFact: (fact) => stage.facts.push(fact) },
    report: () => undefined,
    ingestIds: { first: 2, step: 3 },
  });
  engine.introduce(stage.spec([target(1)]));
  for (const slot of ["main", "backup"] as const) {
    engine.open("ls-1", { ...{ slot, remoteAddress: "", encoder: "" }, onDismissed: () => undefined });
  }
  const ids = stage.facts.map((fact) => (fact.kind === "ingest-started" ? fact.ingestId : undefined));
  expect(ids.filter((id) => id !== undefined)).toEqual([2, 5]);
  expect(engine.lastIngestId).toBe(5);
});
