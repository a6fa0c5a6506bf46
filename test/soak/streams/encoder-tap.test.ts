import { expect, test } from "vitest";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { differences } from "./encoder-tap.ts";

const message = (kind: "audio" | "video", hash: string): MessageRecord => ({
  ...{ kind, hash, timestamp: 0, bytes: 1, isConfig: false, isKeyframe: false },
});
const messages = (text: string) =>
  [...text].map((letter) => message(letter === letter.toLowerCase() ? "audio" : "video", letter));

test("a target has every frame from some frame on, in order, of video and of audio", () => {
  const sent = messages("AaBbAaCcDd");
  expect(differences(messages("BbAaCc"), sent, 8)).toEqual([]);
  // Audio and video of the same time may change places.
  expect(differences(messages("bBaACc"), sent, 8)).toEqual([]);
  // The first frame came twice: the second one of it is where the target began.
  expect(differences(messages("AaCcDd"), sent, 10)).toEqual([]);
  const config = { ...message("video", "X"), isConfig: true };
  expect(differences([config, ...messages("Cc")], sent, 8)).toEqual([]);
});

test("a frame that is lost, sent twice, changed or late is named", () => {
  const sent = messages("AaBbCcDd");
  const lost = "video: 1 frames were lost, the first at number 1 of 2";
  expect(differences(messages("BbcDd"), sent, 8)).toEqual([lost]);
  const other = (count: number) =>
    `video: 1 frames came that were not the next ones, the first at number 1 of ${count}`;
  const late = (count: number) => `video: ${count} frames did not come at the end`;
  expect(differences(messages("BbBcd"), sent, 8)).toEqual([other(2), late(2)]);
  expect(differences(messages("BbcXCdD"), sent, 8)).toEqual([other(4)]);
  expect(differences(messages("Xbcd"), sent, 8)).toEqual(["video: the first of 1 frames is none that was sent"]);
  expect(differences(messages("BbCcd"), sent, 8)).toEqual([late(1)]);
  expect(differences(messages("BbCcd"), sent, 6)).toEqual([]);
});
