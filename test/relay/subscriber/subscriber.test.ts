import { expect, test } from "vitest";
import { encodeFlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import type { Packer, WireForm, WireMessage } from "../../../src/relay/packing/wire-form.ts";
import type { Packet } from "../../../src/relay/stream/packet.ts";
import { mediaOf, RelayStage, target } from "../../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  aacFrame,
  audio,
  avcFrame,
  metadata,
  video,
} from "../../support/streams/media-messages.ts";
import { Recorder } from "../../support/targets/recorder.ts";

const tag = (type: number, payload: Buffer) => encodeFlvTag({ type, timestamp: 0, payload });
const faultsOf = (stage: RelayStage) => stage.facts.filter(({ kind }) => kind === "internal-fault");

test("a recorder joins a running channel through the port, and gets exactly what its targets get", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(audio(10, aacFrame(2)));
  stage.flush();
  const recorder = new Recorder();
  expect(stage.engine.subscribe("ls-1", recorder)).toBe(true);
  publisher.push(video(40, avcFrame(false, 3, 9_000)));
  publisher.push(metadata({ width: 640 }));
  stage.flush();
  publisher.push(video(80, avcFrame(true, 4)));
  publisher.end("clean");
  const [first, ...others] = recorder.recorded;
  // Metadata that the relay made up from the headers.
  expect(first?.slice(0, 2)).toEqual([18, 0]);
  expect(first?.[2].includes(Buffer.from("onMetaData"))).toBe(true);
  expect(first?.[2].includes(Buffer.from("@setDataFrame"))).toBe(false);
  expect(others.filter(([type]) => type !== 18)).toEqual([
    [8, 0, tag(8, AAC_CONFIG)],
    [9, 0, tag(9, AVC_CONFIG)],
    [9, 0, tag(9, avcFrame(true, 1))],
    [8, 10, tag(8, aacFrame(2))],
    [9, 40, tag(9, avcFrame(false, 3, 9_000))],
    [9, 80, tag(9, avcFrame(true, 4))],
  ]);
  expect(others.filter(([type]) => type === 18).map(([, timeMs]) => timeMs)).toEqual([40]);
  expect(recorder.endedHow).toBe("end");
  const sent = mediaOf(stage.dialer.latest(1)).map(({ type, timestamp, payload }) => [
    type,
    timestamp,
    tag(type, payload),
  ]);
  expect(recorder.recorded.filter(([type]) => type !== 18)).toEqual(sent);
  expect(faultsOf(stage)).toEqual([]);
});

test("a recorder that joins in the middle of a group starts with its keyframe, and gets nothing after its end", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir();
  for (let frame = 0; frame < 100; frame += 1) publisher.push(video(frame * 40, avcFrame(frame === 0, frame)));
  const recorder = new Recorder();
  stage.engine.subscribe("ls-1", recorder);
  const times = () => recorder.recorded.filter(([, , bytes]) => bytes[12] === 1).map(([, timeMs]) => timeMs);
  expect(times()).toEqual(Array.from({ length: 100 }, (_, frame) => frame * 40));
  recorder.end("cut");
  stage.flush();
  publisher.push(video(4_000, avcFrame(true, 100)));
  stage.flush();
  expect(times()).toHaveLength(100);
});

test("a channel that is off air takes no subscriber", () => {
  const stage = new RelayStage();
  expect(stage.engine.subscribe("ls-1", new Recorder())).toBe(false);
  stage.onAir(target(1)).end("clean");
  expect(stage.engine.subscribe("ls-1", new Recorder())).toBe(false);
});

/** A form that counts what it packs, and a recorder that takes it. */
function counted() {
  const packed: WireMessage[] = [];
  let packers = 0;
  const form: WireForm = {
    name: "counted",
    newPacker: () => {
      packers += 1;
      return (message) => {
        packed.push(message);
        return Buffer.from([packed.length]);
      };
    },
  };
  class Counting extends Recorder {
    readonly got: Buffer[] = [];
    override offer(packet: Packet, isStart: boolean, packer: Packer): void {
      super.offer(packet, isStart, packer);
      if (!this.isWaitingToBegin) this.got.push(packer.pack(form, packet));
    }
  }
  return { packed, packers: () => packers, Counting };
}

test("a form is packed once for all its subscribers, and never while it has none", () => {
  const stage = new RelayStage();
  const { packed, packers, Counting } = counted();
  const publisher = stage.onAir(target(1));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.engine.subscribe("ls-1", new Recorder());
  publisher.push(video(40, avcFrame(false, 2)));
  stage.flush();
  expect([packers(), packed]).toEqual([0, []]);
  const takers = [new Counting(), new Counting(), new Counting()];
  publisher.push(video(80, avcFrame(true, 3)));
  // Joins cost one packing each: a cached group is packed for each subscriber that joins.
  for (const taker of takers) stage.engine.subscribe("ls-1", taker);
  expect([packers(), packed.length]).toEqual([1, 3]);
  publisher.push(video(120, avcFrame(false, 4)));
  publisher.push(video(160, avcFrame(false, 5)));
  expect([packers(), packed.slice(3)]).toEqual([
    1,
    [
      { kind: "video", type: 9, timeMs: 120, payload: avcFrame(false, 4) },
      { kind: "video", type: 9, timeMs: 160, payload: avcFrame(false, 5) },
    ],
  ]);
  expect(takers.map(({ got }) => got.map((bytes) => bytes[0]))).toEqual([
    [1, 4, 5],
    [2, 4, 5],
    [3, 4, 5],
  ]);
  // The same bytes, not equal ones.
  expect(new Set(takers.map(({ got }) => got[2])).size).toBe(1);
  for (const taker of takers) taker.end("cut");
  stage.flush();
  publisher.push(video(200, avcFrame(false, 6)));
  stage.flush();
  expect(packed).toHaveLength(5);
});

test("two recorders share the very same FLV tags", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  const recorders = [new Recorder(), new Recorder()];
  for (const recorder of recorders) stage.engine.subscribe("ls-1", recorder);
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(40, avcFrame(false, 2)));
  const [one, two] = recorders.map(({ recorded }) => recorded.slice(-2).map(([, , bytes]) => bytes));
  expect(one?.[0]).toEqual(tag(9, avcFrame(true, 1)));
  expect(one?.map((bytes, index) => bytes === two?.[index])).toEqual([true, true]);
});

test("a subscriber that throws ends alone with one fault, and is not called again", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1));
  class Broken extends Recorder {
    override offer(packet: Packet, isStart: boolean, packer: Packer): void {
      if (packet.timeMs >= 40) throw new Error("disk full");
      super.offer(packet, isStart, packer);
    }
  }
  const [broken, healthy] = [new Broken(), new Recorder()];
  for (const recorder of [broken, healthy]) stage.engine.subscribe("ls-1", recorder);
  for (let frame = 0; frame < 4; frame += 1) publisher.push(video(frame * 40, avcFrame(frame === 0, frame)));
  stage.flush();
  expect(faultsOf(stage)).toHaveLength(1);
  expect(broken.endedHow).toBe("abort");
  expect(healthy.recorded.slice(-4).map(([, timeMs]) => timeMs)).toEqual([0, 40, 80, 120]);
  expect(
    mediaOf(stage.dialer.latest(1))
      .slice(2)
      .map(({ timestamp }) => timestamp),
  ).toEqual([0, 40, 80, 120]);
  expect(healthy.endedHow).toBeUndefined();
});

test("a target whose link throws is left at once as this server's fault, and dialled again", () => {
  const stage = new RelayStage();
  const publisher = stage.onAir(target(1), target(2));
  publisher.push(video(0, avcFrame(true, 1)));
  stage.flush();
  const link = stage.dialer.latest(1);
  link.write = () => {
    throw new Error("a fault of ours");
  };
  publisher.push(video(40, avcFrame(false, 2)));
  stage.flush();
  publisher.push(video(80, avcFrame(true, 3)));
  stage.flush();
  expect(link.closedHow).toBe("abort");
  expect(faultsOf(stage)).toHaveLength(1);
  expect(stage.statuses(1).at(-1)).toBe("FAIL SERVER_TROUBLE");
  expect(
    mediaOf(stage.dialer.latest(2))
      .slice(2)
      .map(({ timestamp }) => timestamp),
  ).toEqual([0, 40, 80]);
  stage.clock.advance(1_000);
  expect(stage.dialer.latest(1)).not.toBe(link);
  stage.dialer.latest(1).accept();
  expect(stage.statuses(1).at(-1)).toBe("PUBLISHING");
});
