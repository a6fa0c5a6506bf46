import { expect, test } from "vitest";
import {
  hasFrozen,
  holdEndMs,
  isGivenUp,
  isMissed,
  mayGoOnAir,
  nextLookMs,
  standbyOf,
} from "../../../src/relay/broadcast/broadcast-rules.ts";
import type { BroadcastState, Hold } from "../../../src/relay/broadcast/broadcast-state.ts";
import type { Publisher } from "../../../src/relay/publisher/publisher.ts";
import type { IngestEnd } from "../../../src/thread-protocol/facts.ts";
import { FREEZE_TIMES } from "../../../src/thread-protocol/freeze-times.ts";
import { newPublisher, sending } from "../../support/encoders/publishers.ts";
import { AVC_CONFIG, avcFrame, video } from "../../support/streams/media-messages.ts";

const live = (publisher: Publisher): BroadcastState<Publisher> => ({ at: "live", publisher });
const holdOn = (lost: Publisher, end: IngestEnd = "connection-lost"): Hold<Publisher> => ({
  ...{ sinceMs: 10_000, sinceAwakeMs: 10_000, extendedMs: 0, lost, end },
});

/** The first whole millisecond up to `untilMs` in which the rule holds; undefined where it never does. */
function firstMs(rule: (awakeMs: number) => boolean, fromMs: number, untilMs: number): number | undefined {
  for (let atMs = fromMs; atMs <= untilMs; atMs += 1) if (rule(atMs)) return atMs;
  return undefined;
}

test("a publisher is frozen, and later given up, after the channel's own times", () => {
  const publisher = sending({ fromMs: 0, untilMs: 1_000 });
  const frozenMs = (mediaSeconds: number) =>
    firstMs((atMs) => hasFrozen(publisher, atMs, { mediaSeconds, videoSeconds: 0 }), 1_000, 60_000);
  const givenUpMs = (mediaSeconds: number) =>
    firstMs((atMs) => isGivenUp(publisher, atMs, { mediaSeconds, videoSeconds: 0 }), 1_000, 60_000);
  expect([frozenMs(5), givenUpMs(5)]).toEqual([6_000, 11_000]);
  expect([frozenMs(12), givenUpMs(12)]).toEqual([13_000, 25_000]);
});

test("a slow publisher has twice its own longest gap before it is frozen", () => {
  const slow = sending({ fromMs: 0, untilMs: 32_000, stepMs: 4_000, has: ["video"] });
  expect(firstMs((atMs) => hasFrozen(slow, atMs, FREEZE_TIMES), 32_000, 60_000)).toBe(40_000);
  expect(firstMs((atMs) => isGivenUp(slow, atMs, FREEZE_TIMES), 32_000, 60_000)).toBe(48_000);
});

test("a publisher that sent nothing at all is never frozen, one that sent only a header is", () => {
  const silent = newPublisher();
  expect([hasFrozen(silent, 600_000, FREEZE_TIMES), isGivenUp(silent, 600_000, FREEZE_TIMES)]).toEqual([false, false]);
  const header = newPublisher();
  header.take(video(0, AVC_CONFIG), 0, 0);
  expect(firstMs((atMs) => hasFrozen(header, atMs, FREEZE_TIMES), 0, 20_000)).toBe(5_000);
});

test("a source is frozen like an encoder, and never given up: what plays it notices that", () => {
  for (const kind of ["files", "pull"] as const) {
    const source = newPublisher(0, "main", kind);
    source.take(video(0, AVC_CONFIG), 0, 0);
    expect(firstMs((atMs) => hasFrozen(source, atMs, FREEZE_TIMES), 0, 20_000)).toBe(5_000);
    expect(isGivenUp(source, 600_000, FREEZE_TIMES)).toBe(false);
  }
});

test("where nothing is on air, and on the same key, every publisher may go on air at once", () => {
  const [onAir, next] = [sending({ fromMs: 0, untilMs: 1_000 }), newPublisher(1_000)];
  const states: BroadcastState<Publisher>[] = [
    { at: "off" },
    { at: "held", ...holdOn(onAir) },
    { at: "frozen", ...holdOn(onAir) },
    live(onAir),
  ];
  for (const state of states) expect(mayGoOnAir(state, next, 1_000)).toBe(true);
});

test("a backup goes on air when the main publisher was silent for two seconds, however healthy it is itself", () => {
  const main = sending({ fromMs: 0, untilMs: 60_000 });
  const backup = sending({ fromMs: 0, untilMs: 63_000 }, "backup");
  expect(firstMs((atMs) => mayGoOnAir(live(main), backup, atMs), 60_000, 63_000)).toBe(62_000);
});

test("the main publisher goes on air again after thirty seconds without a gap, and not before", () => {
  const backup = sending({ fromMs: 0, untilMs: 80_000 }, "backup");
  const back = sending({ fromMs: 20_000, untilMs: 80_000 });
  expect(firstMs((atMs) => mayGoOnAir(live(backup), back, atMs), 20_000, 80_000)).toBe(50_000);
  // A gap of three seconds in between restarts the count.
  const gap = sending({ fromMs: 20_000, untilMs: 40_000 });
  for (let atMs = 43_000; atMs <= 80_000; atMs += 40) gap.take(video(atMs, avcFrame(false, 1)), atMs, atMs);
  expect(firstMs((atMs) => mayGoOnAir(live(backup), gap, atMs), 43_000, 80_000)).toBe(73_000);
});

test("the other key's publisher is the standby once both have sent a frame", () => {
  const [main, backup] = [sending({ fromMs: 0, untilMs: 1_000 }), sending({ fromMs: 0, untilMs: 1_000 }, "backup")];
  const [idleMain, idleBackup] = [newPublisher(), newPublisher(0, "backup")];
  expect(standbyOf(live(main), [main, backup], 1_000)).toBe(backup);
  expect(standbyOf(live(backup), [main, backup], 1_000)).toBe(main);
  expect(standbyOf(live(main), [main, idleBackup], 1_000)).toBe(undefined);
  expect(standbyOf(live(idleMain), [idleMain, backup], 1_000)).toBe(undefined);
  // A newcomer with the key of the one on air replaces it: it does not count as a standby.
  expect(standbyOf(live(main), [main, sending({ fromMs: 0, untilMs: 1_000 })], 1_000)).toBe(undefined);
  expect(standbyOf({ at: "held", ...holdOn(main) }, [backup], 1_000)).toBe(undefined);
});

test("media of the publisher on air are missed after two seconds, and of a slow one after twice its longest gap", () => {
  const slow = sending({ fromMs: 0, untilMs: 32_000, stepMs: 4_000, has: ["video"] });
  const usual = sending({ fromMs: 0, untilMs: 32_000 });
  expect(firstMs((atMs) => isMissed(live(usual), atMs), 32_000, 60_000)).toBe(34_000);
  expect(firstMs((atMs) => isMissed(live(slow), atMs), 32_000, 60_000)).toBe(40_000);
});

test("media of a lost publisher are missed after two seconds, however slow it was, and nothing is missed while off", () => {
  const slow = sending({ fromMs: 0, untilMs: 32_000, stepMs: 4_000, has: ["video"] });
  for (const at of ["held", "frozen"] as const)
    expect(firstMs((atMs) => isMissed({ at, ...holdOn(slow) }, atMs), 32_000, 60_000)).toBe(34_000);
  expect(isMissed({ at: "off" }, 60_000)).toBe(false);
});

test("a publisher is looked at every second, in time for its silence, and every 100 ms while filler is sent", () => {
  const publisher = sending({ fromMs: 0, untilMs: 1_000 });
  const looks = [1_000, 1_999, 2_000, 2_500, 2_950, 5_000];
  expect(looks.map((atMs) => nextLookMs(publisher, false, atMs))).toEqual([1_000, 1_000, 1_000, 500, 100, 100]);
  expect(looks.map((atMs) => nextLookMs(publisher, true, atMs))).toEqual([100, 100, 100, 100, 100, 100]);
});

test("a hold lasts as long as the channel's setting and a person's extensions, and after a clean stop it has no time of its own", () => {
  const lost = sending({ fromMs: 0, untilMs: 10_000 });
  expect(holdEndMs(holdOn(lost), 60, [])).toBe(70_000);
  expect(holdEndMs({ ...holdOn(lost), extendedMs: 120_000 }, 60, [])).toBe(190_000);
  for (const end of ["clean", "shutdown"] as const)
    expect(holdEndMs({ ...holdOn(lost, end), extendedMs: 120_000 }, 60, [])).toBe(10_000);
});

test("a hold lasts until every other connected publisher had ten seconds for its keyframe", () => {
  const lost = sending({ fromMs: 0, untilMs: 10_000 });
  const [early, late] = [newPublisher(2_000, "backup"), newPublisher(15_000, "backup")];
  expect(holdEndMs(holdOn(lost, "clean"), 60, [early])).toBe(20_000);
  expect(holdEndMs(holdOn(lost, "clean"), 60, [early, late])).toBe(25_000);
  expect(holdEndMs(holdOn(lost), 60, [early, late])).toBe(70_000);
  // The frozen publisher is connected too, and is no heir of itself.
  expect(holdEndMs(holdOn(lost, "clean"), 0, [lost])).toBe(10_000);
});
