import { expect, test } from "vitest";
import { REFUSED, RelayStage, target } from "../support/stages/relay-stage.ts";

const DAYS_400_MS = 400 * 24 * 60 * 60 * 1_000;

test("what is told of a target after the wall clock was set has all its times by the present clock", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  stage.pass(publisher, 2_000);
  const failedTime = stage.clock.wallNow();
  stage.dialer.latest(1).fail(REFUSED);
  expect(stage.status()).toMatchObject({ status: "FAIL", sinceTime: failedTime, lastError: { time: failedTime } });
  stage.clock.setWall(DAYS_400_MS);
  stage.pass(publisher, 1_000);
  // The attempt runs; its error is a second old, not 400 days.
  expect(stage.status()).toMatchObject({ status: "CONNECTING", lastError: { time: failedTime + DAYS_400_MS } });
});

test("the sample of an encoder shows its beginning by the present clock", () => {
  const stage = new RelayStage();
  stage.onAir(target(1));
  const beganTime = stage.clock.wallNow();
  const sampledTime = () => stage.samples.at(-1)?.ingest.startTime;
  stage.clock.advance(1_500);
  expect(sampledTime()).toBe(beganTime);
  stage.clock.setWall(-DAYS_400_MS);
  stage.clock.advance(1_000);
  expect(sampledTime()).toBe(beganTime - DAYS_400_MS);
  stage.clock.setWall(DAYS_400_MS);
  stage.clock.advance(1_000);
  expect(sampledTime()).toBe(beganTime);
});
