import { expect, test } from "vitest";
import { chooseDrops, type WaitingPacket, waitingMsOf } from "../../../src/relay/subscriber/rtmp-push/choose-drops.ts";

type Named = WaitingPacket & { readonly name: string };

/**
 * A packet of 10 bytes, named by a letter and its time: K keyframe, P inter frame, A audio, H header; a digit: its
 * track.
 */
function packet(name: string, changes: Partial<WaitingPacket> = {}): Named {
  const [, letter = "", track = "0", time = "0"] = /^([KPAH])(\d?)@(\d+)$/.exec(name) ?? [];
  const timeMs = Number(time);
  const trackId = Number(track);
  return {
    name,
    kind: letter === "A" ? "audio" : "video",
    isConfig: letter === "H",
    isKeyframe: letter === "K" && trackId === 0,
    startsTrack: letter === "K",
    trackId,
    timeMs,
    arrivalMs: timeMs,
    start: 0,
    end: 10,
    ...changes,
  };
}

const packets = (names: string) => names.split(" ").map((name) => packet(name));
const namesOf = (some: readonly Named[]) => some.map(({ name }) => name).join(" ");
const LIMITS = { bytesMax: 1_000, timeMaxMs: 100 };

type Case = {
  readonly what: string;
  readonly waiting: string;
  readonly kept: string;
  readonly lost: string;
  readonly needsKeyframe?: boolean;
  readonly tracks?: readonly number[];
};

test.each<Case>([
  {
    what: "video before the last keyframe is dropped, audio is kept",
    waiting: "K@0 A@20 P@40 A@50 K@80 P@120",
    ...{ kept: "A@20 A@50 K@80 P@120", lost: "K@0 P@40" },
  },
  {
    what: "of two waiting keyframes the last counts",
    waiting: "K@0 K@30 P@60 K@90 P@110",
    ...{ kept: "K@90 P@110", lost: "K@0 K@30 P@60" },
  },
  {
    what: "without a second keyframe all video is dropped",
    waiting: "K@0 P@40 A@60 P@120",
    ...{ kept: "A@60", lost: "K@0 P@40 P@120", needsKeyframe: true },
  },
  {
    what: "a last group that is over the limits itself is dropped too",
    waiting: "P@0 K@10 P@60 P@150",
    ...{ kept: "", lost: "P@0 K@10 P@60 P@150", needsKeyframe: true },
  },
  {
    what: "where audio is too old by itself its oldest is dropped, after all video",
    waiting: "A@0 P@5 A@30 A@120 A@140",
    ...{ kept: "A@120 A@140", lost: "P@5 A@0 A@30", needsKeyframe: true },
  },
  {
    what: "audio alone needs no keyframe",
    waiting: "A@0 A@40 A@101",
    ...{ kept: "A@40 A@101", lost: "A@0" },
  },
  {
    what: "headers are never dropped, however old",
    waiting: "H@0 K@0 P@40 H@50 K@90 P@140",
    ...{ kept: "H@0 H@50 K@90 P@140", lost: "K@0 P@40" },
  },
  {
    what: "a further track goes on only from a keyframe of its own",
    waiting: "K@0 K1@5 K@80 P1@85 P2@90 K2@100 P2@110 P@120",
    ...{ kept: "K@80 K2@100 P2@110 P@120", lost: "K@0 K1@5 P1@85 P2@90", tracks: [0, 2] },
  },
])("over time: $what", ({ waiting, kept, lost, needsKeyframe = false, tracks = [0] }) => {
  const drops = chooseDrops(packets(waiting), LIMITS);
  expect(namesOf(drops.kept)).toBe(kept);
  expect(namesOf(drops.lost)).toBe(lost);
  expect([drops.cause, drops.needsKeyframe, [...drops.tracks]]).toEqual(["overTime", needsKeyframe, tracks]);
});

test("over its byte bound it drops video before the last keyframe, then only as much of the oldest audio as needed", () => {
  const waiting = packets("A@0 K@1 A@2 A@3 P@4 A@5 A@6");
  const drops = chooseDrops(waiting, { bytesMax: 30, timeMaxMs: 100 });
  expect(drops.cause).toBe("overBytes");
  expect(namesOf(drops.lost)).toBe("K@1 P@4 A@0 A@2");
  expect(namesOf(drops.kept)).toBe("A@3 A@5 A@6");
  const withGroup = chooseDrops(packets("K@0 P@1 P@2 K@3 P@4"), { bytesMax: 20, timeMaxMs: 100 });
  expect([namesOf(withGroup.kept), withGroup.cause, withGroup.needsKeyframe]).toEqual(["K@3 P@4", "overBytes", false]);
});

test("it leaves the waiting packets unchanged", () => {
  const waiting = packets("K@0 P@40 A@60 P@120");
  const before = [...waiting];
  chooseDrops(waiting, LIMITS);
  expect(waiting).toEqual(before);
});

test("how far behind the queue is counts by its own time or by arrival, whichever is less, and never by a header", () => {
  expect(waitingMsOf(packets("H@0 H@10 K@40 P@90"))).toBe(50);
  expect(waitingMsOf(packets("K@0 P@50 P@90"), 1)).toBe(40);
  expect(waitingMsOf([packet("K@0", { arrivalMs: 500 }), packet("P@90", { arrivalMs: 520 })])).toBe(20);
  expect([waitingMsOf([]), waitingMsOf(packets("H@0 H@90"))]).toEqual([0, 0]);
});
