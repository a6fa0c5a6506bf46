import { type AmfCursor, badAmf } from "./cursor.ts";
import type { Amf0Value } from "./value.ts";

const Amf3Marker = {
  Undefined: 0x00,
  Null: 0x01,
  False: 0x02,
  True: 0x03,
  Integer: 0x04,
  Double: 0x05,
  String: 0x06,
  Date: 0x08,
  Array: 0x09,
  Object: 0x0a,
  ByteArray: 0x0c,
} as const;

/** The form of an object, sent once and then referred to. */
type Traits = { readonly names: readonly string[]; readonly isDynamic: boolean };

/** What later parts of the same value may refer to. Objects are left out: see `readAmf3Value`. */
type Tables = { readonly texts: string[]; readonly traits: Traits[] };

/**
 * The one AMF3 value after an AMF0 marker 11 (AMF3 specification of 2013), as far as encoders with `objectEncoding` 3
 * use it. References to strings and traits are resolved. References to objects are `null`, because they would allow
 * cycles; byte arrays are skipped and `null`. Values and depth count against the message's limits.
 *
 * @throws ProtocolError "bad-amf", also for XML, vectors, dictionaries and classes with a serialisation of their own.
 */
export function readAmf3Value(cursor: AmfCursor, depth: number): Amf0Value {
  return readValue(cursor, depth, { texts: [], traits: [] });
}

function readValue(cursor: AmfCursor, depth: number, tables: Tables): Amf0Value {
  const marker = cursor.byte();
  switch (marker) {
    case Amf3Marker.Undefined:
    case Amf3Marker.Null:
      return null;
    case Amf3Marker.False:
      return false;
    case Amf3Marker.True:
      return true;
    case Amf3Marker.Integer:
      return (readUint29(cursor) << 3) >> 3;
    case Amf3Marker.Double:
      return cursor.double();
    case Amf3Marker.String:
      return readText(cursor, tables);
    case Amf3Marker.Date:
      return isReference(readUint29(cursor)) ? null : { kind: "date", milliseconds: cursor.double(), timezone: 0 };
    case Amf3Marker.Array:
      return readArray(cursor, depth + 1, tables);
    case Amf3Marker.Object:
      return readObject(cursor, depth + 1, tables);
    case Amf3Marker.ByteArray: {
      const header = readUint29(cursor);
      if (!isReference(header)) cursor.skip(header >>> 1);
      return null;
    }
    default:
      throw badAmf(`AMF3 marker ${marker}`);
  }
}

function readNested(cursor: AmfCursor, depth: number, tables: Tables): Amf0Value {
  cursor.startValue(depth);
  return readValue(cursor, depth, tables);
}

/** A cleared lowest bit marks the rest as an index of something sent before. */
function isReference(header: number): boolean {
  return (header & 1) === 0;
}

/** One to four bytes, seven bits each with a continuation bit on top; the fourth byte counts whole. */
function readUint29(cursor: AmfCursor): number {
  let value = 0;
  for (let index = 0; index < 3; index += 1) {
    const byte = cursor.byte();
    value = (value << 7) | (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return (value << 8) | cursor.byte();
}

function readText(cursor: AmfCursor, tables: Tables): string {
  const header = readUint29(cursor);
  if (isReference(header)) {
    const known = tables.texts[header >>> 1];
    if (known === undefined) throw badAmf("a reference to a string that was never sent");
    return known;
  }
  const text = cursor.text(header >>> 1);
  // The empty string is never referred to, so it takes no place in the table.
  if (text !== "") tables.texts.push(text);
  return text;
}

/** Named elements first, up to an empty name, then the counted ones. */
function readArray(cursor: AmfCursor, depth: number, tables: Tables): Amf0Value {
  const header = readUint29(cursor);
  if (isReference(header)) return null;
  const entries = new Map<string, Amf0Value>();
  readNamed(cursor, depth, tables, entries);
  const count = header >>> 1;
  const values: Amf0Value[] = [];
  for (let index = 0; index < count; index += 1) values.push(readNested(cursor, depth, tables));
  if (entries.size === 0) return values;
  for (const [index, value] of values.entries()) entries.set(String(index), value);
  return { kind: "ecma-array", entries };
}

function readObject(cursor: AmfCursor, depth: number, tables: Tables): Amf0Value {
  const header = readUint29(cursor);
  if (isReference(header)) return null;
  const traits = readTraits(cursor, header, tables);
  const entries = new Map<string, Amf0Value>();
  for (const name of traits.names) entries.set(name, readNested(cursor, depth, tables));
  if (traits.isDynamic) readNamed(cursor, depth, tables, entries);
  return { kind: "object", entries };
}

/** Bits of the header from the lowest: not a reference, new traits, own serialisation, dynamic, then the name count. */
function readTraits(cursor: AmfCursor, header: number, tables: Tables): Traits {
  if ((header & 2) === 0) {
    const known = tables.traits[header >>> 2];
    if (known === undefined) throw badAmf("a reference to traits that were never sent");
    return known;
  }
  if ((header & 4) !== 0) throw badAmf("an object with a serialisation of its own");
  const count = header >>> 4;
  readText(cursor, tables); // The class name, which must never choose anything on our side.
  const names: string[] = [];
  for (let index = 0; index < count; index += 1) names.push(readText(cursor, tables));
  const traits: Traits = { names, isDynamic: (header & 8) !== 0 };
  tables.traits.push(traits);
  return traits;
}

function readNamed(cursor: AmfCursor, depth: number, tables: Tables, entries: Map<string, Amf0Value>): void {
  for (let name = readText(cursor, tables); name !== ""; name = readText(cursor, tables)) {
    entries.set(name, readNested(cursor, depth, tables));
  }
}
