import { expect, test } from "vitest";
import {
  ADTS,
  AUDIO_PID,
  adts,
  closed,
  demuxed,
  PMT_PID,
  pmt,
  type StreamEntry,
  shown,
  TsWriter,
} from "../../support/streams/ts-packets.ts";

const FOUND = ["audio 1000 af001188", "audio 1000 af010101"];
const OTHER: StreamEntry = { pid: 0x140, type: 0x0f };
/** A section of another table, of so many bytes. */
const foreign = (bytes: number) => closed(0x80, 1, 0, Buffer.alloc(bytes - 12, 0x5a));

/** The audio that comes where the PMT's PID carries these packets. */
function read(packetsOf: (ts: TsWriter) => Buffer): readonly string[] {
  const ts = new TsWriter();
  const list = ts.tables([]).subarray(0, 188);
  return shown(demuxed(list, packetsOf(ts), ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 })));
}

/** The packets of these bytes on the PMT's PID. */
const payload = (ts: TsWriter, ...parts: readonly Buffer[]) => ts.packets(PMT_PID, Buffer.concat(parts));
const pointer = (bytes: number) => Buffer.from([bytes]);
const own = pmt(1, [ADTS]);
/** It takes two packets. */
const LONG = pmt(1, [{ pid: 0x150, type: 0x86, descriptors: `05c8${"43".repeat(200)}` }, ADTS]);

test.each<{ readonly name: string; readonly packets: (ts: TsWriter) => Buffer }>([
  { name: "a table behind a pointer", packets: (ts) => payload(ts, pointer(3), Buffer.alloc(3), own) },
  { name: "a table behind another one in its packet", packets: (ts) => payload(ts, pointer(0), foreign(40), own) },
  { name: "a table behind one of several packets", packets: (ts) => payload(ts, pointer(0), foreign(600), own) },
  {
    name: "a table behind one that is longer than any PMT",
    packets: (ts) => payload(ts, pointer(0), foreign(3_000), own),
  },
  {
    name: "a table that begins where another one ends",
    packets: (ts) => {
      const [first, rest] = [foreign(300).subarray(0, 183), foreign(300).subarray(183)];
      return Buffer.concat([payload(ts, pointer(0), first), payload(ts, pointer(rest.length), rest, own)]);
    },
  },
  {
    name: "a table that ends where another one begins",
    packets: (ts) => {
      const rest = LONG.subarray(183);
      const packets = [
        payload(ts, pointer(0), LONG.subarray(0, 183)),
        payload(ts, pointer(rest.length), rest, foreign(40)),
      ];
      return Buffer.concat(packets);
    },
  },
  {
    name: "a table after one whose rest never comes",
    packets: (ts) => Buffer.concat([payload(ts, pointer(0), LONG.subarray(0, 183)), payload(ts, pointer(0), own)]),
  },
  {
    name: "a table after one without a body",
    packets: (ts) => payload(ts, pointer(0), closed(2, 1, 0, Buffer.alloc(0)), own),
  },
  {
    name: "a table in two packets",
    packets: (ts) => payload(ts, pointer(0), LONG),
  },
  {
    name: "a table after one that will apply later",
    packets: (ts) => payload(ts, pointer(0), closed(2, 1, 1, pmt(1, [OTHER], 1).subarray(8, -4), false), own),
  },
  {
    name: "a table after one whose CRC is wrong",
    packets: (ts) => payload(ts, pointer(0), Buffer.concat([own.subarray(0, -1), Buffer.from([0])]), own),
  },
  {
    name: "a table with descriptors of its program",
    packets: (ts) => payload(ts, pointer(0), closed(2, 1, 0, Buffer.from("e100f006050448444d560fe101f000", "hex"))),
  },
  {
    name: "a table whose last stream is cut short",
    packets: (ts) => payload(ts, pointer(0), closed(2, 1, 0, Buffer.from("e100f0000fe101f0001be100f0ff", "hex"))),
  },
  {
    name: "a table of 32 streams, of which this is the last",
    packets: (ts) => payload(ts, pointer(0), pmt(1, [...others(31), ADTS])),
  },
])("found: $name", ({ packets }) => {
  expect(read(packets)).toEqual(FOUND);
});

/** Streams that are no media. */
function others(count: number): StreamEntry[] {
  return Array.from({ length: count }, (_, index) => ({ pid: 0x200 + index, type: 0x86 }));
}

test.each<{ readonly name: string; readonly packets: (ts: TsWriter) => Buffer }>([
  { name: "behind a pointer past the packet's end", packets: (ts) => payload(ts, pointer(200), own) },
  {
    name: "whose rest is behind a pointer past the packet's end",
    packets: (ts) =>
      Buffer.concat([payload(ts, pointer(0), LONG.subarray(0, 183)), payload(ts, pointer(250), LONG.subarray(183))]),
  },
  {
    name: "in packets in which no table begins",
    packets: (ts) =>
      Buffer.concat([payload(ts, pointer(0), Buffer.from([0xff])), ts.packets(PMT_PID, own, { isStart: false })]),
  },
  { name: "behind stuffing", packets: (ts) => payload(ts, pointer(0), Buffer.from([0xff]), own) },
  {
    name: "that will apply later",
    packets: (ts) => payload(ts, pointer(0), closed(2, 1, 0, own.subarray(8, -4), false)),
  },
  { name: "whose CRC is wrong", packets: (ts) => payload(ts, pointer(0), own.subarray(0, -1), Buffer.from([0])) },
  {
    name: "of another number, as another table",
    packets: (ts) => payload(ts, pointer(0), closed(3, 1, 0, own.subarray(8, -4))),
  },
  {
    name: "whose second packet is lost",
    packets: (ts) => {
      const packets = payload(ts, pointer(0), LONG);
      ts.next(PMT_PID);
      // What follows would be the rest of it, were no packet missing.
      return Buffer.concat([packets.subarray(0, 188), ts.packets(PMT_PID, LONG.subarray(183), { isStart: false })]);
    },
  },
  { name: "with a stream after its 32nd", packets: (ts) => payload(ts, pointer(0), pmt(1, [...others(32), ADTS])) },
])("not taken: a table $name", ({ packets }) => {
  expect(read(packets)).toEqual([]);
});

test("a table that says the same again changes nothing, and one with the old number again does", () => {
  const ts = new TsWriter();
  const frame = (pid: number, pts: number) => ts.pes(pid, adts("0101"), { pts });
  const parts = [
    ts.tables([ADTS], 0),
    ...[frame(AUDIO_PID, 90_000), ts.tables([ADTS], 0), frame(AUDIO_PID, 91_920)],
    ...[ts.tables([OTHER], 1), frame(0x140, 93_840), ts.tables([ADTS], 0), frame(AUDIO_PID, 95_760)],
  ];
  const times = shown(demuxed(...parts)).map((text) => text.split(" ").slice(1, 3).join(" ").slice(0, 9));
  expect(times).toEqual([
    ...["1000 af00", "1000 af01", "1021 af01"],
    ...["1043 af00", "1043 af01", "1064 af00", "1064 af01"],
  ]);
});

test("of a list of programs the network's own table is none, and 16 are looked at", () => {
  const listed = (before: number, streams: readonly StreamEntry[]) => {
    const ts = new TsWriter();
    const programs = Array.from({ length: before }, (_, index) => ({
      ...{ program: index + 2, pmtPid: 0x300 + index, streams: [] },
    }));
    const tables = ts.programs([...programs, { program: 99, pmtPid: 0x1001, streams }]);
    return shown(demuxed(tables, ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 })));
  };
  expect(listed(15, [ADTS])).toEqual(FOUND);
  expect(listed(16, [ADTS])).toEqual([]);
  const ts = new TsWriter();
  const network = { program: 0, pmtPid: 0x1003, streams: [{ pid: 0x130, type: 0x0f }] };
  const tables = ts.programs([network, { program: 1, pmtPid: 0x1001, streams: [ADTS] }]);
  const [foreignFrame, frame] = [0x130, AUDIO_PID].map((pid) => ts.pes(pid, adts("0101"), { pts: 90_000 }));
  expect(shown(demuxed(tables, foreignFrame ?? tables))).toEqual([]);
  expect(shown(demuxed(tables, frame ?? tables))).toEqual(FOUND);
});

test("a table on one of the system's own PIDs is none", () => {
  for (const pmtPid of [0x0f, 0x1fff]) {
    const ts = new TsWriter();
    const tables = ts.programs([{ program: 1, pmtPid, streams: [ADTS] }]);
    expect(shown(demuxed(tables, ts.pes(AUDIO_PID, adts("0101"), { pts: 90_000 })))).toEqual([]);
  }
});

test("a stream on one of those PIDs is none", () => {
  for (const pid of [0x01, 0x1fff]) {
    const ts = new TsWriter();
    const tables = ts.tables([{ ...ADTS, pid }]);
    expect(shown(demuxed(tables, ts.pes(pid, adts("0101"), { pts: 90_000 })))).toEqual([]);
  }
});

test("the PID of a table that is gone is free for a stream", () => {
  const ts = new TsWriter();
  const before = ts.programs([{ program: 1, pmtPid: 0x1001, streams: [] }]);
  const after = ts.programs([{ program: 1, pmtPid: 0x1002, streams: [{ ...ADTS, pid: 0x1001 }] }]);
  expect(shown(demuxed(before, after, ts.pes(0x1001, adts("0101"), { pts: 90_000 })))).toEqual(FOUND);
});

test("of two descriptors of one kind the first counts, and one that is cut short ends their list", () => {
  const ac3 = Buffer.from(`0b77480d0040${"00".repeat(122)}`, "hex");
  const readWith = (descriptors: string) => {
    const ts = new TsWriter();
    const tables = ts.tables([{ pid: AUDIO_PID, type: 0x06, descriptors }]);
    return shown(demuxed(tables, ts.pes(AUDIO_PID, ac3, { pts: 90_000 }))).map((text) => text.slice(0, 21));
  };
  const [registered, otherwise] = ["050441432d33", "05044f707573"];
  expect(readWith(`${registered}${otherwise}`)).toEqual(["audio 1000 9161632d33"]);
  expect(readWith(`${registered}0560`)).toEqual(["audio 1000 9161632d33"]);
  expect(readWith(`0a60${registered}`)).toEqual([]);
  expect(readWith("056041432d33")).toEqual([]);
});
