import { expect, test } from "vitest";
import type { PublisherHandle } from "../../src/relay/publisher/publisher.ts";
import { marksOf, RelayStage, target } from "../support/stages/relay-stage.ts";
import {
  AAC_CONFIG,
  AVC_CONFIG,
  AVC_CONFIG_CHANGED,
  aacFrame,
  audio,
  avcFrame,
  video,
} from "../support/streams/media-messages.ts";

/**
 * Runs encoders side by side. Each sends a keyframe a second, the second encoder half a second later; each frame
 * carries its encoder's mark.
 */
function run(
  stage: RelayStage,
  seconds: number,
  encoders: readonly { publisher: PublisherHandle; mark: number }[],
): void {
  for (let frame = 0; frame < seconds * 25; frame += 1) {
    const timestamp = Math.round(stage.clock.now());
    for (const [index, { publisher, mark }] of encoders.entries()) {
      publisher.push(video(timestamp, avcFrame((frame + index * 12) % 25 === 0, mark)));
      publisher.push(audio(timestamp, aacFrame(mark)));
    }
    stage.clock.advance(40);
  }
}

function withBackup(): {
  stage: RelayStage;
  main: { publisher: PublisherHandle; mark: number };
  backup: { publisher: PublisherHandle; mark: number };
} {
  const stage = new RelayStage(60);
  const main = { publisher: stage.onAir(target(1)), mark: 1 };
  const backup = { publisher: stage.open("ls-1", "standby", 2, "backup"), mark: 2 };
  backup.publisher.push(audio(0, AAC_CONFIG));
  backup.publisher.push(video(0, AVC_CONFIG));
  return { stage, main, backup };
}

/** The encoders whose video the target got, in turn. */
function shown(stage: RelayStage): unknown[] {
  const frames = marksOf(stage.dialer.latest(1)).filter(([type]) => type === 9);
  const marks = frames.map((frame) => frame[2]).filter((mark) => mark === 1 || mark === 2);
  return marks.filter((mark, index) => mark !== marks[index - 1]);
}

const active = (stage: RelayStage) =>
  stage.facts.flatMap((fact) => (fact.kind === "publisher-active" ? [fact.slot] : []));

test("the main encoder is on air while both are connected, and the standby changes nothing", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 5, [main, backup]);
  expect(shown(stage)).toEqual([1]);
  expect(active(stage)).toEqual(["main"]);
  expect(stage.samples.at(-1)?.ingest.slot).toBe("main");
});

test("the standby replaces a lost main encoder at its next keyframe, on the same connections, and time goes on", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  main.publisher.end("connection-lost");
  run(stage, 3, [backup]);
  expect(shown(stage)).toEqual([1, 2]);
  expect(active(stage)).toEqual(["main", "backup"]);
  expect(stage.dialer.links).toHaveLength(1);
  const times = marksOf(stage.dialer.latest(1)).map(([, timestamp]) => Number(timestamp));
  expect(times).toEqual([...times].sort((left, right) => left - right));
  expect(times.at(-1)).toBeGreaterThan(5_800);
  expect(stage.statuses(1)).toEqual(["CONNECTING", "PUBLISHING"]);
});

test("the standby replaces a main encoder that sends nothing for two seconds, connected or not", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  run(stage, 2, [backup]);
  expect(shown(stage)).toEqual([1]);
  run(stage, 2, [backup]);
  expect(shown(stage)).toEqual([1, 2]);
});

test("the main encoder goes back on air after half a minute of steady media, not before", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  main.publisher.end("connection-lost");
  run(stage, 2, [backup]);
  const again = { publisher: stage.open("ls-1", "main again", 3), mark: 1 };
  again.publisher.push(audio(0, AAC_CONFIG));
  again.publisher.push(video(0, AVC_CONFIG));
  run(stage, 29, [again, backup]);
  expect(active(stage)).toEqual(["main", "backup"]);
  run(stage, 3, [again, backup]);
  expect(active(stage)).toEqual(["main", "backup", "main"]);
  expect(shown(stage)).toEqual([1, 2, 1]);
});

test("a main encoder that stumbles starts its half minute again", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  main.publisher.end("connection-lost");
  run(stage, 2, [backup]);
  const again = { publisher: stage.open("ls-1", "main again", 3), mark: 1 };
  again.publisher.push(audio(0, AAC_CONFIG));
  again.publisher.push(video(0, AVC_CONFIG));
  run(stage, 20, [again, backup]);
  run(stage, 3, [backup]);
  run(stage, 25, [again, backup]);
  expect(active(stage)).toEqual(["main", "backup"]);
  run(stage, 7, [again, backup]);
  expect(active(stage)).toEqual(["main", "backup", "main"]);
});

test("a clean stop of the encoder on air switches to the other, one of the standby changes nothing, one of the last ends the broadcast", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  main.publisher.end("clean");
  run(stage, 3, [backup]);
  expect(shown(stage)).toEqual([1, 2]);
  expect(stage.dialer.latest(1).closedHow).toBeUndefined();
  backup.publisher.end("clean");
  expect(stage.dialer.latest(1).closedHow).toBe("end");
  const other = withBackup();
  run(other.stage, 2, [other.main, other.backup]);
  other.backup.publisher.end("clean");
  run(other.stage, 2, [other.main]);
  expect(shown(other.stage)).toEqual([1]);
  expect(other.stage.dialer.latest(1).closedHow).toBeUndefined();
});

test("a standby of another size is reported when it connects, and in samples while it differs", () => {
  const stage = new RelayStage(60);
  const main = { publisher: stage.onAir(target(1)), mark: 1 };
  run(stage, 1, [main]);
  const backup = { publisher: stage.open("ls-1", "standby", 2, "backup"), mark: 2 };
  backup.publisher.push(audio(0, Buffer.from("af001210", "hex")));
  backup.publisher.push(video(0, AVC_CONFIG_CHANGED));
  run(stage, 2, [main, backup]);
  const differences = stage.facts.filter(({ kind }) => kind === "standby-differs");
  expect(differences).toMatchObject([
    { slot: "backup", detail: expect.stringContaining("sampleRate 44100 instead of 48000") },
  ]);
  expect(stage.samples.at(-1)?.ingest.standbyDiffers).toContain("sampleRate 44100");
  backup.publisher.end("clean");
  run(stage, 1, [main]);
  expect(stage.samples.at(-1)?.ingest.standbyDiffers).toBeUndefined();
});

/** Enhanced RTMP's sequence start of HEVC, with records of 1920x1080 and 3840x2160. */
const hevcConfig = (record: string): Buffer => Buffer.from(`9068766331${record}`, "hex");
const HEVC_1080 = hevcConfig(
  "01016000000090000000000078f000fcfdf8f800000f01210001" +
    "002b420101016000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000c8422",
);
const HEVC_2160 = hevcConfig(
  "01022000000090000000000096f000fcfdfafa00000f01210001" +
    "002b420101022000000300900000030000030096a001e020021c4d965654a4c2f0168080000003008000000c8422",
);

/** A keyframe of HEVC: coded frames without composition time. */
const hevcKeyframe = Buffer.from("93687663310000000426010203", "hex");

test("the size of an HEVC standby is reported like that of H.264", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const sources = [stage.open("ls-1", "main", 1), stage.open("ls-1", "standby", 2, "backup")];
  for (const [index, publisher] of sources.entries()) publisher.push(video(0, index === 0 ? HEVC_1080 : HEVC_2160));
  for (let frame = 0; frame < 50; frame += 1) {
    for (const publisher of sources) publisher.push(video(frame * 40, hevcKeyframe));
    stage.clock.advance(40);
  }
  expect(stage.samples.at(-1)?.ingest).toMatchObject({ videoCodec: "hevc", width: 1920, height: 1080 });
  expect(stage.facts.filter(({ kind }) => kind === "standby-differs")).toMatchObject([
    {
      slot: "backup",
      detail: "width 3840 instead of 1920, height 2160 instead of 1080, pixelFormat yuv420p10le instead of yuv420p",
    },
  ]);
});

test("a standby replaces a lost encoder when the channel has no hold", () => {
  const stage = new RelayStage(0);
  const main = { publisher: stage.onAir(target(1)), mark: 1 };
  const backup = { publisher: stage.open("ls-1", "standby", 2, "backup"), mark: 2 };
  backup.publisher.push(audio(0, AAC_CONFIG));
  backup.publisher.push(video(0, AVC_CONFIG));
  run(stage, 3, [main, backup]);
  main.publisher.end("connection-lost");
  run(stage, 2, [backup]);
  expect(shown(stage)).toEqual([1, 2]);
  backup.publisher.end("connection-lost");
  expect(stage.dialer.latest(1).closedHow).toBe("cut");
});

test("a backup encoder alone starts a broadcast, and the main encoder takes it over when it comes and stays", () => {
  const stage = new RelayStage(60);
  stage.engine.introduce(stage.spec([target(1)]));
  const backup = { publisher: stage.open("ls-1", "standby", 2, "backup"), mark: 2 };
  backup.publisher.push(audio(0, AAC_CONFIG));
  backup.publisher.push(video(0, AVC_CONFIG));
  stage.dialer.latest(1).accept();
  run(stage, 2, [backup]);
  expect(shown(stage)).toEqual([2]);
  const main = { publisher: stage.open("ls-1", "main", 1), mark: 1 };
  main.publisher.push(audio(0, AAC_CONFIG));
  main.publisher.push(video(0, AVC_CONFIG));
  run(stage, 33, [main, backup]);
  expect(active(stage)).toEqual(["backup", "main"]);
});

test.each([
  ["the main one", [0, 1]],
  ["the standby", [1, 0]],
] as const)(
  "encoders that leave because the process stops, %s first, start no hold, and no end of the broadcast is reported",
  (_, order) => {
    const { stage, main, backup } = withBackup();
    run(stage, 3, [main, backup]);
    const [first, last] = [[main, backup][order[0]], [main, backup][order[1]]];
    first?.publisher.end("shutdown");
    expect(stage.dialer.latest(1).closedHow).toBe(undefined);
    if (last !== undefined) run(stage, 2, [last]);
    last?.publisher.end("shutdown");
    expect(stage.dialer.latest(1).closedHow).toBe("cut");
    expect(stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "shutdown", isBroadcastOver: true });
  },
);

test("both encoders leave because the process stops, within one group of pictures", () => {
  const { stage, main, backup } = withBackup();
  run(stage, 3, [main, backup]);
  main.publisher.end("shutdown");
  backup.publisher.end("shutdown");
  expect(stage.dialer.latest(1).closedHow).toBe("cut");
  expect(stage.facts.at(-1)).toMatchObject({ kind: "ingest-ended", end: "shutdown", isBroadcastOver: true });
});
