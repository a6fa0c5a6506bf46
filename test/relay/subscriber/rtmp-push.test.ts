import { expect, test } from "vitest";
import type { FakeLink } from "../../support/stages/fake-links.ts";
import { RelayStage, target } from "../../support/stages/relay-stage.ts";
import { avcFrame, video } from "../../support/streams/media-messages.ts";

const KIB = 1_024;
const FRAME_BYTES = 2 * KIB;
/** 400 KiB, in blocks of 64 KiB: more than one write, less than the queue holds. */
const FRAMES = 200;

/** A target that took nothing of these frames; `isReportedLater`: as behind TLS. */
function behindWith(isReportedLater: boolean): FakeLink {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const link = stage.dialer.latest(1);
  link.isReportedLater = isReportedLater;
  link.isTaking = false;
  publisher.push(video(1, avcFrame(false, 2)));
  stage.flush();
  for (let frame = 0; frame < FRAMES; frame += 1) {
    publisher.push(video(2 + frame, avcFrame(false, frame, FRAME_BYTES)));
    stage.flush();
  }
  return link;
}

/** The sizes of writes from here on, in KiB, rounded. */
function writesOf(link: FakeLink, go: () => void): number[] {
  const from = link.writes.length;
  go();
  return link.writes.slice(from).map(({ length }) => Math.round(length / KIB));
}

test("a backlog behind TLS goes in large writes, one for each turn in which the one before it is reported", () => {
  const link = behindWith(true);
  const turns = writesOf(link, () => {
    for (let turn = 0; turn < 7; turn += 1) link.drain();
  });
  // One block each, as it lies.
  expect(turns).toEqual([63, 63, 63, 63, 63, 63, 28]);
});

test("a target whose kernel has no room is written little at a time, and more with each write that it takes at once", () => {
  const link = behindWith(false);
  const small = writesOf(link, () => {
    for (let turn = 0; turn < 3; turn += 1) link.drain();
  });
  expect(small).toEqual([2, 2, 2]);
  link.isTaking = true;
  expect(writesOf(link, () => link.drain())).toEqual([2, 6, 14, 30, 14, 52, 63, 63, 63, 63, 28]);
});

test("a target that took nothing for some groups of pictures gets what was sent, and then its blocks are used again", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const [slow, quick] = [stage.dialer.latest(1), stage.dialer.latest(2)];
  slow.isTaking = false;
  for (let frame = 1; frame < FRAMES; frame += 1) {
    publisher.push(video(20 * frame, avcFrame(frame % 20 === 0, frame, FRAME_BYTES)));
    stage.flush();
  }
  slow.isTaking = true;
  slow.drain();
  expect(slow.messages().length).toBeGreaterThan(FRAMES);
  expect(slow.messages().every(({ payload }, index) => quick.messages()[index]?.payload.equals(payload))).toBe(true);
  const send = (frame: number) => {
    publisher.push(video(20 * frame, avcFrame(true, frame, FRAME_BYTES)));
    stage.flush();
  };
  send(FRAMES);
  const blocks = new Set(quick.given.map(({ buffer }) => buffer));
  for (let frame = FRAMES + 1; frame < 2 * FRAMES; frame += 1) send(frame);
  expect(quick.given.every(({ buffer }) => blocks.has(buffer))).toBe(true);
});
