import { expect, test } from "vitest";
import { WallSteps } from "../../../src/base/wall-steps.ts";
import { IngestLive } from "../../../src/control/live/ingest-live.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import type { IngestSlot } from "../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { IngestSample } from "../../../src/thread-protocol/samples.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";
import { channelSample } from "../../support/stages/sample.ts";
import { ManualClock } from "../manual-clock.ts";

const CHANNEL = "ls-20260101000001-AAAAA";

const of = (ingestId: number, slot: IngestSlot = "main") => ({
  time: 10 * ingestId,
  channelId: CHANNEL,
  ingestId,
  slot,
});

const started = (ingestId: number, slot: IngestSlot = "main"): Fact => ({
  kind: "ingest-started",
  ...of(ingestId, slot),
  remoteAddress: `192.0.2.${ingestId}`,
  encoder: `encoder ${ingestId}`,
  isBroadcastNew: ingestId === 1,
});
const active = (ingestId: number, slot: IngestSlot = "main"): Fact => ({
  kind: "publisher-active",
  ...of(ingestId, slot),
  heldMs: 0,
});
const held: Fact = { kind: "ingest-held", ...of(1), end: "connection-lost", holdSeconds: 120 };
const ended = (ingestId: number, isBroadcastOver: boolean): Fact => ({
  kind: "ingest-ended",
  ...of(ingestId),
  end: "connection-lost",
  isBroadcastOver,
});

const FIRST = {
  state: "LIVE",
  slot: "main",
  remoteAddress: "192.0.2.1",
  encoder: "encoder 1",
  startTime: 10,
  bytesPerSecond: 0,
  bytesTotal: 0,
} as const;
const MEASURED: IngestSample = { ...FIRST, videoCodec: "avc", width: 1_280, bytesPerSecond: 900, bytesTotal: 5_000 };

function after(...steps: readonly (Fact | IngestSample)[]): IngestSample | undefined {
  const ingest = new IngestLive(new WallSteps(new ManualClock()));
  for (const step of steps) {
    if ("kind" in step) ingest.fact(step);
    else ingest.sample(step);
  }
  return ingest.latest;
}

test("nothing is known before the first encoder, and a standby is not shown", () => {
  expect(after()).toBeUndefined();
  expect(after(started(1))).toBeUndefined();
  expect(after(started(1), active(1), started(2, "backup"))).toEqual(FIRST);
});

test("the encoder on air is shown at once, before anything was measured, and then with its measures", () => {
  expect(after(started(1), active(1))).toEqual(FIRST);
  expect(after(started(1), active(1), MEASURED)).toEqual(MEASURED);
});

test("a lost encoder is HELD with its last measures, and LIVE again when it returns", () => {
  const lost = { ...MEASURED, state: "HELD", bytesPerSecond: 0 };
  expect(after(started(1), active(1), MEASURED, held)).toEqual(lost);
  expect(after(started(1), active(1), MEASURED, held, active(1))).toEqual({ ...lost, state: "LIVE" });
});

test("an encoder that takes over is new, without measures", () => {
  const second = { ...FIRST, slot: "backup", remoteAddress: "192.0.2.2", encoder: "encoder 2", startTime: 20 };
  const facts = [started(1), active(1), MEASURED, started(2, "backup"), ended(1, false), held, active(2, "backup")];
  expect(after(...facts)).toEqual(second);
});

test("a standby that differs is a warning until the broadcast is over", () => {
  const differs: Fact = { kind: "standby-differs", ...of(2, "backup"), detail: "width 640 instead of 1280" };
  expect(after(differs)).toBeUndefined();
  const warned = { ...MEASURED, standbyDiffers: "width 640 instead of 1280" };
  expect(after(started(1), active(1), MEASURED, differs)).toEqual(warned);
  expect(after(started(1), active(1), MEASURED, differs, held)?.standbyDiffers).toBe("width 640 instead of 1280");
  expect(after(started(1), active(1), MEASURED, differs, ended(1, true))).toEqual({
    ...MEASURED,
    state: "ENDED",
    bytesPerSecond: 0,
  });
});

test("the end of a broadcast is ENDED, and later encoders count anew from the same numbers", () => {
  expect(after(started(1), active(1), MEASURED, ended(1, false))).toEqual(MEASURED);
  const over = [started(1), active(1), MEASURED, ended(1, true)];
  expect(after(...over)).toEqual({ ...MEASURED, state: "ENDED", bytesPerSecond: 0 });
  // A media thread that was started again counts its encoders from 1.
  expect(after(...over, started(1), active(1))).toEqual(FIRST);
});

test("the live state of a channel has it, and forgets it with the channel", () => {
  const view = new LiveState(new ManualClock());
  view.fact(started(1));
  view.fact(active(1));
  expect(view.live(CHANNEL)?.ingest).toEqual(FIRST);
  view.samples([{ ...channelSample(CHANNEL, []), ingest: MEASURED }]);
  expect(view.live(CHANNEL)?.ingest).toEqual(MEASURED);
  view.fact(channelChanged("deleted", CHANNEL));
  expect(view.live(CHANNEL)).toBeUndefined();
});

test("an encoder's times follow the wall clock from its connection on, also as a standby, a pattern's and after a sample", () => {
  const STEP_MS = 86_400_000;
  const clock = new ManualClock();
  const ingest = new IngestLive(new WallSteps(clock));
  const at = () => [ingest.latest?.startTime, ingest.latest?.testPatternEndTime];
  ingest.fact(started(1));
  ingest.fact(active(1));
  ingest.fact({ ...started(2, "backup"), testPatternEndTime: 90 } as Fact);
  clock.wallMs += STEP_MS;
  expect(at()).toEqual([10 + STEP_MS, undefined]);
  ingest.fact(active(2, "backup"));
  expect(at()).toEqual([20 + STEP_MS, 90 + STEP_MS]);
  // A sample has the times of its own moment.
  ingest.sample({ ...MEASURED, startTime: 20 + STEP_MS });
  expect(at()[0]).toBe(20 + STEP_MS);
  clock.wallMs -= STEP_MS;
  expect(at()[0]).toBe(20);
});
