import { expect, test } from "vitest";
import { gatewayTo } from "../../../src/relay/publish-gateway.ts";
import type { PublisherHandle } from "../../../src/relay/publisher/publisher.ts";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, video } from "../../support/streams/media-messages.ts";

const HOLD_SECONDS = 20;
const FRAME_MS = 40;

/** An encoder that goes on whatever happens to the relay, with a keyframe every two seconds. */
class Encoder {
  readonly #stage: RelayStage;
  readonly #publisher: PublisherHandle;
  readonly sent: number[] = [];
  #nextMs = 0;

  constructor(stage: RelayStage, publisher: PublisherHandle) {
    this.#stage = stage;
    this.#publisher = publisher;
  }

  /** Reads everything that the encoder has sent up to now. */
  read(): void {
    for (; this.#nextMs <= this.#stage.clock.now(); this.#nextMs += FRAME_MS) {
      const index = this.#nextMs / FRAME_MS;
      this.#publisher.push(video(this.#nextMs, avcFrame(index % 50 === 0, index % 256, 30)));
      this.#publisher.push(audio(this.#nextMs, aacFrame(index % 256)));
      this.sent.push(index % 256);
    }
  }

  run(forMs: number): void {
    for (let ms = 0; ms < forMs; ms += FRAME_MS) {
      this.read();
      this.#stage.clock.advance(FRAME_MS);
    }
  }
}

const marks = (stage: RelayStage, type: number) =>
  mediaOf(stage.dialer.latest(1))
    .filter((message) => message.type === type && message.payload[1] === 1)
    .map(({ payload }) => payload.at(-1));

test.each([2_100, 3_000, 4_900, 5_100, 12_000, 90_000])(
  "a pause of %i ms costs no frame, ends nothing and does not count as the encoder's silence, though timers run before the reads",
  (pauseMs) => {
    for (let phaseMs = 0; phaseMs < 2_000; phaseMs += 280) {
      const stage = new RelayStage(HOLD_SECONDS);
      const encoder = new Encoder(stage, stage.onAir(target(1)));
      encoder.run(4_000 + phaseMs);
      stage.clock.pause(pauseMs);
      // Timers that were due meanwhile run, and then the data in the sockets is read.
      stage.clock.advance(1);
      encoder.read();
      encoder.run(8_000);
      expect(marks(stage, 9)).toEqual(encoder.sent);
      expect(marks(stage, 8)).toEqual(encoder.sent);
      const kinds = stage.facts.map(({ kind }) => kind).filter((kind) => kind !== "target-status");
      expect(kinds).toEqual(["ingest-started", "publisher-active"]);
      expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
      expect(stage.samples.at(-1)?.targets[0]?.droppedFrames).toBe(0);
    }
  },
);

test("many short pauses in a row, as on an overloaded machine, do not count as silence either", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const encoder = new Encoder(stage, stage.onAir(target(1)));
  encoder.run(4_000);
  for (let turn = 0; turn < 20; turn += 1) {
    stage.clock.pause(1_900);
    stage.clock.advance(100);
    encoder.read();
  }
  encoder.run(2_000);
  expect(marks(stage, 9)).toEqual(encoder.sent);
  expect(stage.facts.map(({ kind }) => kind)).not.toContain("ingest-held");
});

test("a target that took nothing before a pause is given time after it", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const encoder = new Encoder(stage, stage.onAir(target(1)));
  encoder.run(1_000);
  const link = stage.dialer.latest(1);
  link.isTaking = false;
  encoder.run(3_000);
  stage.clock.pause(30_000);
  stage.clock.advance(1);
  encoder.read();
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
  expect(link.closedHow).toBeUndefined();
});

test("the hold of a lost encoder does not count time in which it could not return, and filler of a pause is not made up", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const publisher = stage.onAir(target(1));
  new Encoder(stage, publisher).run(2_000);
  publisher.end("connection-lost");
  stage.clock.advance(5_000);
  const before = mediaOf(stage.dialer.latest(1)).length;
  stage.clock.pause(3_600_000);
  stage.clock.advance(500);
  expect(mediaOf(stage.dialer.latest(1)).length - before).toBeLessThan(300);
  new Encoder(stage, stage.open()).read();
  expect(stage.facts.map(({ kind }) => kind)).toContain("ingest-held");
  expect(stage.facts.some((fact) => fact.kind === "ingest-ended" && fact.isBroadcastOver)).toBe(false);
});

test("an encoder that is silent after a pause counts as silent all the same", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  new Encoder(stage, stage.onAir(target(1))).run(4_000);
  stage.clock.pause(3_000);
  stage.clock.advance(8_000);
  const held = stage.facts.find(({ kind }) => kind === "ingest-held");
  expect(held).toMatchObject({ end: "frozen" });
});

test("a server that accepts no new encoders keeps those on air, or held, and lets a takeover in", async () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const spec = stage.spec([target(1)]);
  const full = () => gatewayTo(stage.engine, spec, "main", () => false).tryAdmit();
  expect(await full()).toBe("overloaded");
  const publisher = stage.onAir(target(1));
  new Encoder(stage, publisher).run(2_000);
  expect(await full()).toBe("admitted");
  publisher.end("connection-lost");
  expect(await full()).toBe("admitted");
  stage.clock.advance(60_000);
  expect(await full()).toBe("overloaded");
  expect(await gatewayTo(stage.engine, spec, "main").tryAdmit()).toBe("admitted");
});

test("a target that was a little behind before a pause loses nothing by it", () => {
  const stage = new RelayStage(HOLD_SECONDS);
  const encoder = new Encoder(stage, stage.onAir(target(1)));
  encoder.run(2_000);
  const link = stage.dialer.latest(1);
  link.isTaking = false;
  encoder.run(2_000);
  stage.clock.pause(4_000);
  stage.clock.advance(1);
  encoder.read();
  link.isTaking = true;
  link.drain();
  encoder.run(2_000);
  expect(marks(stage, 9)).toEqual(encoder.sent);
  expect(stage.samples.at(-1)?.targets[0]?.droppedFrames).toBe(0);
});
