import fc from "fast-check";
import { expect, test } from "vitest";
import { AMF0_LIMITS, AMF0_LIMITS_BEFORE_PUBLISH, decodeAmf0 } from "../../../src/protocol/amf0/decode.ts";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import {
  type Amf0Value,
  amf0EcmaArray,
  amf0Object,
  numberProperty,
  property,
  textProperty,
} from "../../../src/protocol/amf0/value.ts";
import { ProtocolError } from "../../../src/protocol/protocol-error.ts";
import { hex } from "../../support/streams/hex.ts";

function faultOf(bytes: Buffer, limits = AMF0_LIMITS): string | undefined {
  try {
    decodeAmf0(bytes, limits);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
}

/** The only form in which a value is written, which is also read back as it. */
const bothWays: readonly { name: string; value: Amf0Value; bytes: string }[] = [
  { name: "a number", value: 4, bytes: "00 4010000000000000" },
  { name: "NaN", value: Number.NaN, bytes: "00 7FF8000000000000" },
  { name: "true", value: true, bytes: "01 01" },
  { name: "false", value: false, bytes: "01 00" },
  { name: "a string", value: "live", bytes: "02 0004 6C697665" },
  { name: "an empty string", value: "", bytes: "02 0000" },
  { name: "a string beyond ASCII", value: "방송", bytes: "02 0006 EBB0A9EC86A1" },
  {
    name: "an object",
    value: amf0Object({ app: "live", fpad: false }),
    bytes: "03 0003 617070 02 0004 6C697665 0004 66706164 01 00 000009",
  },
  { name: "an empty object", value: amf0Object({}), bytes: "03 000009" },
  { name: "an object with a nameless property", value: amf0Object({ "": null }), bytes: "03 0000 05 000009" },
  { name: "null", value: null, bytes: "05" },
  {
    name: "an ECMA array with its true count",
    value: amf0EcmaArray({ width: 1280, stereo: true }),
    bytes: "08 00000002 0005 7769647468 00 4094000000000000 0006 73746572656F 01 01 000009",
  },
  {
    name: "a strict array of FourCCs",
    value: ["av01", "hvc1"],
    bytes: "0A 00000002 02 0004 61763031 02 0004 68766331",
  },
  {
    name: "an object that holds an ECMA array that holds a strict array",
    value: amf0Object({ k: amf0EcmaArray({ t: [1, [null]] }) }),
    bytes: "03 0001 6B 08 00000001 0001 74 0A 00000002 00 3FF0000000000000 0A 00000001 05 000009 000009",
  },
  {
    name: "a date",
    value: { kind: "date", milliseconds: 1000, timezone: -60 },
    bytes: "0B 408F400000000000 FFC4",
  },
];

test.each(bothWays)("$name is written and read back", ({ value, bytes }) => {
  expect(encodeAmf0([value])).toEqual(hex(bytes));
  expect(decodeAmf0(hex(bytes), AMF0_LIMITS)).toEqual([value]);
});

/** Forms that only other writers use. */
const readOnly: readonly { name: string; value: Amf0Value; bytes: string }[] = [
  { name: "a boolean that is neither 0 nor 1", value: true, bytes: "01 7F" },
  { name: "undefined", value: null, bytes: "06" },
  { name: "a reference", value: null, bytes: "07 0001" },
  { name: "unsupported", value: null, bytes: "0D" },
  { name: "a short long string", value: "k", bytes: "0C 00000001 6B" },
  { name: "an XML document", value: "<a/>", bytes: "0F 00000004 3C612F3E" },
  {
    name: "a typed object, without its class",
    value: amf0Object({ a: 1 }),
    bytes: "10 0003 466F6F 0001 61 00 3FF0000000000000 000009",
  },
  { name: "an ECMA array with count 0", value: amf0EcmaArray({ a: true }), bytes: "08 00000000 0001 61 01 01 000009" },
  {
    name: "an ECMA array with an absurd count",
    value: amf0EcmaArray({ a: true }),
    bytes: "08 FFFFFFFF 0001 61 01 01 000009",
  },
  { name: "an ECMA array without its end mark", value: amf0EcmaArray({ a: true }), bytes: "08 00000001 0001 61 01 01" },
  { name: "an empty ECMA array without its end mark", value: amf0EcmaArray({}), bytes: "08 00000000" },
  {
    name: "ECMA arrays inside one another that all lack it",
    value: amf0EcmaArray({ a: amf0EcmaArray({ b: null }) }),
    bytes: "08 00000001 0001 61 08 00000001 0001 62 05",
  },
  { name: "an object without its end mark", value: amf0Object({ a: true }), bytes: "03 0001 61 01 01" },
  {
    name: "an object whose end mark lacks its last byte",
    value: amf0Object({ a: true }),
    bytes: "03 0001 61 01 01 0000",
  },
  { name: "an ECMA array with a third of an end mark", value: amf0EcmaArray({}), bytes: "08 00000000 00" },
  { name: "GBK where UTF-8 belongs", value: "\ufffd\ufffd", bytes: "02 0002 D6D0" },
  {
    name: "a property called __proto__",
    value: { kind: "object", entries: new Map([["__proto__", true]]) },
    bytes: "03 0009 5F5F70726F746F5F5F 01 01 000009",
  },
  { name: "AMF3 undefined", value: null, bytes: "11 00" },
  { name: "AMF3 null", value: null, bytes: "11 01" },
  { name: "AMF3 false", value: false, bytes: "11 02" },
  { name: "AMF3 true", value: true, bytes: "11 03" },
  { name: "an AMF3 integer of one byte", value: 127, bytes: "11 04 7F" },
  { name: "an AMF3 integer of two bytes", value: 128, bytes: "11 04 8100" },
  { name: "an AMF3 integer of three bytes", value: 0x1f_ff_ff, bytes: "11 04 FFFF7F" },
  { name: "an AMF3 integer of four bytes", value: 0x20_00_00, bytes: "11 04 80C08000" },
  { name: "a negative AMF3 integer", value: -1, bytes: "11 04 FFFFFFFF" },
  { name: "an AMF3 double", value: 0.5, bytes: "11 05 3FE0000000000000" },
  { name: "an AMF3 string", value: "live", bytes: "11 06 09 6C697665" },
  {
    name: "an AMF3 date",
    value: { kind: "date", milliseconds: 1000, timezone: 0 },
    bytes: "11 08 01 408F400000000000",
  },
  { name: "an AMF3 date by reference", value: null, bytes: "11 08 00" },
  { name: "an AMF3 byte array", value: null, bytes: "11 0C 05 AABB" },
  { name: "an AMF3 array", value: [1, "a", "a"], bytes: "11 09 07 01 04 01 06 03 61 06 00" },
  {
    name: "an AMF3 array with named elements",
    value: amf0EcmaArray({ n: true, 0: null }),
    bytes: "11 09 03 03 6E 03 01 01",
  },
  {
    name: "an AMF3 object with fixed and free properties",
    value: amf0Object({ app: "live", x: 1 }),
    bytes: "11 0A 1B 01 07 617070 06 09 6C697665 03 78 04 01 01",
  },
  {
    name: "AMF3 objects that share their traits",
    value: [amf0Object({ a: 1 }), amf0Object({ a: 2 })],
    bytes: "11 09 05 01 0A 13 01 03 61 04 01 0A 01 04 02",
  },
  { name: "an AMF3 object by reference", value: null, bytes: "11 0A 00" },
];

test.each(readOnly)("$name is read", ({ value, bytes }) => {
  expect(decodeAmf0(hex(bytes), AMF0_LIMITS)).toEqual([value]);
});

test("the AMF3 marker holds for one value only", () => {
  expect(decodeAmf0(hex("11 04 05 00 3FF0000000000000 11 03"), AMF0_LIMITS)).toEqual([5, 1, true]);
});

test.each([
  { name: "a movie clip", bytes: "04" },
  { name: "an object end on its own", bytes: "09" },
  { name: "a record set", bytes: "0E" },
  { name: "an undefined marker", bytes: "FF" },
  { name: "a number cut short", bytes: "00 4010" },
  { name: "a string longer than what is there", bytes: "02 FFFF 61" },
  { name: "a long string longer than what is there", bytes: "0C 7FFFFFFF 61" },
  { name: "an object that ends after a name", bytes: "03 0001 61" },
  { name: "an object that ends within a name", bytes: "03 0001" },
  { name: "a strict array longer than what is there", bytes: "0A FFFFFFFF 05" },
  { name: "an AMF3 XML document", bytes: "11 07 01" },
  { name: "an AMF3 dictionary", bytes: "11 11 01" },
  { name: "an AMF3 object that serialises itself", bytes: "11 0A 07 03 61" },
  { name: "AMF3 traits with more names than bytes", bytes: "11 0A FFFFFFF3 01" },
  { name: "an AMF3 array longer than what is there", bytes: "11 09 FFFFFFFF 01 01" },
  { name: "an AMF3 string never sent", bytes: "11 06 02" },
  { name: "AMF3 traits never sent", bytes: "11 0A 05" },
])("$name is refused", ({ bytes }) => {
  expect(faultOf(hex(bytes))).toBe("bad-amf");
});

const nest = (depth: number, open: string, inner: string, close: string): Buffer =>
  hex(open.repeat(depth) + inner + close.repeat(depth));
const nestings: readonly { name: string; nested: (depth: number) => Buffer }[] = [
  { name: "objects", nested: (depth) => nest(depth, "03 0001 61 ", "05", "000009 ") },
  { name: "ECMA arrays", nested: (depth) => nest(depth, "08 00000001 0001 61 ", "05", "000009 ") },
  { name: "strict arrays", nested: (depth) => nest(depth, "0A 00000001 ", "05", "") },
  { name: "typed objects", nested: (depth) => nest(depth, "10 0000 0001 61 ", "05", "000009 ") },
  { name: "AMF3 arrays", nested: (depth) => Buffer.concat([hex("11"), nest(depth, "09 03 01 ", "01", "")]) },
  { name: "AMF3 objects", nested: (depth) => Buffer.concat([hex("11"), nest(depth, "0A 0B 01 03 61 ", "01", "01")]) },
];

test.each(nestings)("sixteen $name inside one another are read and a seventeenth is refused", ({ nested }) => {
  expect(faultOf(nested(16))).toBeUndefined();
  expect(faultOf(nested(17))).toBe("bad-amf");
});

test.each(nestings)("$name nested thousands deep end in an error, not in a stack overflow", ({ nested }) => {
  expect(faultOf(nested(12_000))).toBe("bad-amf");
});

test("before publish eight levels, 256 values and strings of 8 KiB are allowed", () => {
  const limits = AMF0_LIMITS_BEFORE_PUBLISH;
  for (const { nested } of nestings) {
    expect(faultOf(nested(8), limits)).toBeUndefined();
    expect(faultOf(nested(9), limits)).toBe("bad-amf");
  }
  expect(faultOf(Buffer.alloc(256, 5), limits)).toBeUndefined();
  expect(faultOf(Buffer.alloc(257, 5), limits)).toBe("bad-amf");
  expect(faultOf(encodeAmf0(["x".repeat(8_192)]), limits)).toBeUndefined();
  expect(faultOf(encodeAmf0(["x".repeat(8_193)]), limits)).toBe("bad-amf");
});

test("values count wherever they are: 1024 of them are read and one more is refused", () => {
  const arrays = (count: number): Buffer => encodeAmf0([Array.from({ length: count }, () => null)]);
  expect(faultOf(arrays(1_023))).toBeUndefined();
  expect(faultOf(arrays(1_024))).toBe("bad-amf");
  const properties = (count: number): Buffer =>
    encodeAmf0([amf0Object(Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, null])))]);
  expect(faultOf(properties(1_023))).toBeUndefined();
  expect(faultOf(properties(1_024))).toBe("bad-amf");
});

test("strings up to 64 KiB are read, as long strings where needed", () => {
  expect(encodeAmf0(["x".repeat(65_535)]).subarray(0, 3)).toEqual(hex("02 FFFF"));
  const longest = "x".repeat(65_536);
  expect(encodeAmf0([longest]).subarray(0, 5)).toEqual(hex("0C 00010000"));
  expect(decodeAmf0(encodeAmf0([longest]), AMF0_LIMITS)).toEqual([longest]);
  expect(faultOf(encodeAmf0([`${longest}x`]))).toBe("bad-amf");
});

test("a property name longer than AMF0 allows is a fault of ours", () => {
  expect(() => encodeAmf0([amf0Object({ ["x".repeat(65_536)]: null })])).toThrow(RangeError);
});

test("properties are found in objects and ECMA arrays alike, and nowhere else", () => {
  for (const value of [amf0Object({ app: "live", n: 2 }), amf0EcmaArray({ app: "live", n: 2 })]) {
    expect(property(value, "app")).toBe("live");
    expect(textProperty(value, "app")).toBe("live");
    expect(textProperty(value, "n")).toBeUndefined();
    expect(numberProperty(value, "n")).toBe(2);
    expect(numberProperty(value, "app")).toBeUndefined();
    expect(property(value, "App")).toBeUndefined();
    expect(property(value, "constructor")).toBeUndefined();
  }
  const others: (Amf0Value | undefined)[] = [
    undefined,
    null,
    1,
    "app",
    ["app"],
    { kind: "date", milliseconds: 0, timezone: 0 },
  ];
  for (const value of others) expect(property(value, "length")).toBeUndefined();
});

const text = fc.string({ unit: "binary", maxLength: 12 }).filter((value) => value.isWellFormed());
const { value: anyValue } = fc.letrec<{ value: Amf0Value; entries: ReadonlyMap<string, Amf0Value> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.double(),
    fc.boolean(),
    text,
    fc.constant(null),
    fc.record({
      kind: fc.constant("date" as const),
      milliseconds: fc.double(),
      timezone: fc.integer({ min: -720, max: 720 }),
    }),
    fc.record({ kind: fc.constant("object" as const), entries: tie("entries") }),
    fc.record({ kind: fc.constant("ecma-array" as const), entries: tie("entries") }),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
  entries: fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map((pairs) => new Map(pairs)),
}));

test("every written value reads back the same", () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 4 }), (values) => {
      expect(decodeAmf0(encodeAmf0(values), AMF0_LIMITS)).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test("any bytes are either read or refused as bad AMF", () => {
  const plausible = fc.array(fc.oneof(fc.integer({ min: 0, max: 0x12 }), fc.integer({ min: 0, max: 255 })), {
    maxLength: 64,
  });
  fc.assert(
    fc.property(plausible, (bytes) => {
      expect([undefined, "bad-amf"]).toContain(faultOf(Buffer.from(bytes)));
      expect([undefined, "bad-amf"]).toContain(faultOf(Buffer.from([0x11, ...bytes])));
    }),
    { numRuns: 3_000 },
  );
});

test("a message cut short or with a bit flipped is either read or refused as bad AMF", () => {
  fc.assert(
    fc.property(fc.array(anyValue, { maxLength: 3 }), fc.nat(), fc.nat(), (values, cut, flip) => {
      const bytes = encodeAmf0(values);
      expect([undefined, "bad-amf"]).toContain(faultOf(bytes.subarray(0, cut % (bytes.length + 1))));
      if (bytes.length === 0) return;
      const bit = flip % (bytes.length * 8);
      bytes.writeUInt8((bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      expect([undefined, "bad-amf"]).toContain(faultOf(bytes));
    }),
    { numRuns: 1_000 },
  );
});
