import { expect, test } from "vitest";
import { Engine } from "../../../../src/relay/engine.ts";
import type { RecordingLink, RecordingListener } from "../../../../src/relay/subscriber/recording/recording-link.ts";
import type { ChannelSpec } from "../../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../../src/thread-protocol/facts.ts";
import type { RecordingEnd, RecordingProblem } from "../../../../src/thread-protocol/recordings/recordings.ts";
import { FakeDialer } from "../../../support/stages/fake-links.ts";
import { target } from "../../../support/stages/relay-stage.ts";
import { VirtualClock } from "../../../support/stages/virtual-clock.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../../../support/streams/media-messages.ts";

const WAITING_BYTES_MAX = 16 * 1024 * 1024;

type Taken = {
  readonly channelId: string;
  readonly listener: RecordingListener;
  readonly batches: Buffer[];
  end?: RecordingEnd;
};

/** A relay whose recorder is the test. */
class Stage {
  readonly clock = new VirtualClock();
  readonly dialer = new FakeDialer();
  readonly facts: Fact[] = [];
  readonly recordings: Taken[] = [];
  isThere = true;
  wanted = 0;
  leftBecause: RecordingProblem | undefined;
  #revision = 0;
  readonly #link: RecordingLink = {
    want: () => {
      this.wanted += 1;
      return this.leftBecause;
    },
    open: (channelId, _startTime, listener) => {
      if (!this.isThere) return undefined;
      const taken: Taken = { channelId, listener, batches: [] };
      this.recordings.push(taken);
      return {
        waitingBytesMax: WAITING_BYTES_MAX,
        take: (bytes) => void taken.batches.push(Buffer.from(bytes)),
        end: (reason) => {
          taken.end = reason;
        },
      };
    },
  };
  readonly engine = new Engine({
    clock: this.clock,
    random: () => 0.5,
    dialer: this.dialer,
    recordings: this.#link,
    onFact: (fact) => this.facts.push(fact),
    report: () => undefined,
  });

  spec(isRecorded: boolean): ChannelSpec {
    this.#revision += 1;
    return { channelId: "ls-1", revision: this.#revision, holdSeconds: 0, isRecorded, targets: [target(1)] };
  }

  /** An encoder with its headers sent. */
  publish(isRecorded: boolean) {
    this.engine.introduce(this.spec(isRecorded));
    const description = {
      slot: "main",
      remoteAddress: "127.0.0.1",
      encoder: "test",
      onDismissed: () => undefined,
    } as const;
    const publisher = this.engine.open("ls-1", description);
    if (publisher === undefined) throw new Error("no such channel");
    publisher.push(audio(0, AAC_CONFIG));
    publisher.push(video(0, AVC_CONFIG));
    return publisher;
  }

  get statuses(): readonly string[] {
    return this.facts.flatMap((fact) => {
      if (fact.kind !== "recording-status") return [];
      return [fact.status.status === "FAIL" ? fact.status.problem : fact.status.status];
    });
  }

  get last(): Taken {
    const last = this.recordings.at(-1);
    if (last === undefined) throw new Error("nothing is recorded");
    return last;
  }
}

/** Types and times of the tags of a recording, in order. */
function tagsOf({ batches }: Taken): readonly (readonly [number, number])[] {
  const bytes = Buffer.concat(batches);
  const tags: [number, number][] = [];
  for (let at = 0; at < bytes.length; at += 15 + bytes.readUIntBE(at + 1, 3)) {
    tags.push([bytes.readUInt8(at), bytes.readUIntBE(at + 4, 3)]);
  }
  return tags;
}

test("a broadcast is recorded from its first frame to its last, in few batches", () => {
  const stage = new Stage();
  const publisher = stage.publish(true);
  for (let timeMs = 0; timeMs < 1_000; timeMs += 40) {
    publisher.push(video(timeMs, avcFrame(timeMs === 0, 1)));
    publisher.push(audio(timeMs, aacFrame(1)));
    stage.clock.advance(40);
  }
  stage.last.listener.taken(1);
  publisher.end("clean");
  // Metadata and two headers, then 25 frames of each kind.
  const tags = tagsOf(stage.last);
  expect(tags.slice(0, 3).map(([type]) => type)).toEqual([18, 8, 9]);
  expect(tags.filter(([type]) => type === 9).map(([, timeMs]) => timeMs)).toEqual([
    0,
    ...Array.from({ length: 25 }, (_, index) => index * 40),
  ]);
  expect(tags.filter(([type]) => type === 8)).toHaveLength(26);
  expect(stage.last.batches.length).toBeLessThanOrEqual(7);
  expect(stage.last.end).toBe("BROADCAST_ENDED");
  expect(stage.statuses).toEqual(["READY", "RECORDING", "READY"]);
});

test("turned on while on air it begins with the last keyframe; turned off it ends, and the targets do not notice", () => {
  const stage = new Stage();
  const publisher = stage.publish(false);
  publisher.push(video(0, avcFrame(true, 1)));
  publisher.push(video(500, avcFrame(false, 2)));
  stage.clock.advance(500);
  expect(stage.recordings).toEqual([]);
  stage.engine.apply(stage.spec(true));
  stage.clock.advance(1_000);
  expect(tagsOf(stage.last).filter(([type]) => type === 9)).toEqual([
    [9, 0],
    [9, 0],
    [9, 500],
  ]);
  stage.last.listener.taken(100);
  stage.engine.apply(stage.spec(false));
  expect(stage.last.end).toBe("TURNED_OFF");
  stage.engine.apply(stage.spec(true));
  expect(stage.recordings).toHaveLength(2);
  expect(stage.statuses).toEqual(["READY", "RECORDING", "OFF", "READY"]);
  expect(stage.dialer.links).toHaveLength(1);
});

test("a recorder that takes nothing ends the recording with a bounded amount of memory, and the stream goes on", () => {
  const stage = new Stage();
  const publisher = stage.publish(true);
  stage.dialer.links[0]?.accept();
  const frame = avcFrame(false, 3, 500_000);
  publisher.push(video(0, avcFrame(true, 1)));
  let timeMs = 0;
  while (stage.last.end === undefined && timeMs < 10_000) {
    timeMs += 40;
    publisher.push(video(timeMs, frame));
    stage.clock.advance(40);
  }
  expect(stage.last.end).toBe("DISK_SLOW");
  expect(Buffer.concat(stage.last.batches).length).toBeLessThanOrEqual(WAITING_BYTES_MAX + 1_000_000);
  expect(stage.statuses).toEqual(["READY", "DISK_SLOW"]);
  expect(stage.facts.filter(({ kind }) => kind === "internal-fault")).toEqual([]);
  // It is tried again after five seconds.
  const pass = (seconds: number) => {
    for (let left = seconds; left > 0; left -= 1) {
      timeMs += 1_000;
      publisher.push(video(timeMs, avcFrame(false, 3)));
      stage.clock.advance(1_000);
    }
  };
  pass(4);
  expect(stage.recordings).toHaveLength(1);
  pass(2);
  expect(stage.recordings).toHaveLength(2);
});

test("a recorder that ends a recording is asked again, and the same reason is reported once", () => {
  const stage = new Stage();
  const publisher = stage.publish(true);
  publisher.push(video(0, avcFrame(true, 1)));
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    expect(stage.recordings).toHaveLength(attempt);
    stage.last.listener.ended("DISK_FULL");
    stage.clock.advance(6_000);
    publisher.push(video(attempt * 6_000, avcFrame(true, 1)));
  }
  stage.clock.advance(1_000);
  stage.last.listener.taken(10);
  expect(stage.statuses).toEqual(["READY", "DISK_FULL", "RECORDING"]);
});

test("a channel waits for a recorder that is being started", () => {
  const stage = new Stage();
  stage.isThere = false;
  const publisher = stage.publish(true);
  publisher.push(video(0, avcFrame(true, 1)));
  stage.clock.advance(300);
  expect(stage.wanted).toBeGreaterThan(0);
  stage.isThere = true;
  stage.engine.lookAtRecordings();
  publisher.push(video(300, avcFrame(false, 1)));
  stage.clock.advance(1_000);
  expect(tagsOf(stage.last).filter(([type]) => type === 9)).toEqual([
    [9, 0],
    [9, 0],
    [9, 300],
  ]);
});

test("a broadcast that begins once another process records is told as not recorded, with the reason", () => {
  const stage = new Stage();
  stage.isThere = false;
  stage.leftBecause = "SERVER_UPGRADED";
  stage.publish(true).push(video(0, avcFrame(true, 1)));
  stage.clock.advance(1_500);
  const statuses = stage.facts.flatMap((fact) => (fact.kind === "recording-status" ? [fact.status] : []));
  expect(statuses).toEqual([{ status: "READY" }, { status: "FAIL", problem: "SERVER_UPGRADED" }]);
});
