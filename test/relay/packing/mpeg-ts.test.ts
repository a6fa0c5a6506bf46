import { expect, test } from "vitest";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { MPEG_TS } from "../../../src/relay/packing/mpeg-ts.ts";
import { RelayStage, target } from "../../support/stages/relay-stage.ts";
import { aacFrame, audio, avcFrame, metadata, video } from "../../support/streams/media-messages.ts";
import { Recorder } from "../../support/targets/recorder.ts";

/** Never from the cache: the form's count of packets goes on for all. */
const NEXT_KEYFRAME = -1;

test("all receivers of a transport stream share its packets, and one that comes later begins at a keyframe", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  const first = new Recorder(MPEG_TS, NEXT_KEYFRAME);
  const second = new Recorder(MPEG_TS, NEXT_KEYFRAME);
  stage.engine.subscribe("ls-1", first);
  expect(first.recorded).toEqual([]);
  publisher.push(video(40, avcFrame(true, 2)));
  publisher.push(audio(50, aacFrame(3)));
  stage.engine.subscribe("ls-1", second);
  publisher.push(metadata({ width: 640 }));
  publisher.push(video(80, avcFrame(false, 4, 9_000)));
  publisher.push(video(120, avcFrame(true, 5)));
  stage.flush();
  const sizes = (recorder: Recorder) => recorder.recorded.map(([type, , bytes]) => `${type} ${bytes.length > 0}`);
  const head = ["18 false", "8 false", "9 false"];
  expect(sizes(first)).toEqual([...head, "9 true", "8 true", "18 false", "9 true", "9 true"]);
  expect(sizes(second)).toEqual([...head, "9 true"]);
  expect(second.recorded.at(-1)?.[2]).toBe(first.recorded.at(-1)?.[2]);
  for (const recorder of [first, second]) {
    const demuxer = new TsDemuxer();
    const bytes = Buffer.concat(recorder.recorded.map(([, , each]) => each));
    demuxer.push(bytes);
    demuxer.end();
    expect(demuxer.counts).toMatchObject({ continuityErrors: 0, droppedPes: 0 });
  }
});
