import { Marker } from "./marker.ts";
import type { Amf0Value } from "./value.ts";

/** A string's length field has 16 bits; a longer one is a "long string". */
const SHORT_STRING_BYTES_MAX = 0xffff;

const OBJECT_END = Buffer.from([0, 0, Marker.ObjectEnd]);

/**
 * The values in order. ECMA arrays carry their true count, because some receivers rely on it. Not for hot paths.
 *
 * @throws RangeError for a property name beyond 65,535 bytes, which AMF0 cannot express.
 */
export function encodeAmf0(values: readonly Amf0Value[]): Buffer {
  const parts: Buffer[] = [];
  for (const value of values) writeValue(parts, value);
  return Buffer.concat(parts);
}

function writeValue(parts: Buffer[], value: Amf0Value): void {
  if (value === null) {
    parts.push(Buffer.from([Marker.Null]));
  } else if (typeof value === "number") {
    const part = Buffer.alloc(9, Marker.Number);
    part.writeDoubleBE(value, 1);
    parts.push(part);
  } else if (typeof value === "boolean") {
    parts.push(Buffer.from([Marker.Boolean, value ? 1 : 0]));
  } else if (typeof value === "string") {
    writeText(parts, value);
  } else if (!("kind" in value)) {
    parts.push(counted(Marker.StrictArray, value.length));
    for (const element of value) writeValue(parts, element);
  } else if (value.kind === "date") {
    const part = Buffer.alloc(11, Marker.Date);
    part.writeDoubleBE(value.milliseconds, 1);
    part.writeInt16BE(value.timezone, 9);
    parts.push(part);
  } else {
    const isObject = value.kind === "object";
    parts.push(isObject ? Buffer.from([Marker.Object]) : counted(Marker.EcmaArray, value.entries.size));
    writeProperties(parts, value.entries);
  }
}

function writeProperties(parts: Buffer[], entries: ReadonlyMap<string, Amf0Value>): void {
  for (const [name, value] of entries) {
    const text = Buffer.from(name);
    if (text.length > SHORT_STRING_BYTES_MAX) throw new RangeError("a property name is longer than AMF0 allows");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text.length);
    parts.push(length, text);
    writeValue(parts, value);
  }
  parts.push(OBJECT_END);
}

function writeText(parts: Buffer[], value: string): void {
  const text = Buffer.from(value);
  if (text.length > SHORT_STRING_BYTES_MAX) {
    parts.push(counted(Marker.LongString, text.length), text);
    return;
  }
  const head = Buffer.alloc(3, Marker.String);
  head.writeUInt16BE(text.length, 1);
  parts.push(head, text);
}

function counted(marker: number, count: number): Buffer {
  const part = Buffer.alloc(5, marker);
  part.writeUInt32BE(count, 1);
  return part;
}
