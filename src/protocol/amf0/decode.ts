import { readAmf3Value } from "./amf3.ts";
import { type Amf0Limits, AmfCursor, badAmf } from "./cursor.ts";
import { Marker } from "./marker.ts";
import { skipValue } from "./skip.ts";
import type { Amf0Value } from "./value.ts";

export type { Amf0Limits } from "./cursor.ts";

/** For a peer that may publish. Deeper or longer values are an attack, or useless to us. */
export const AMF0_LIMITS: Amf0Limits = { depthMax: 16, valuesMax: 1_024, stringBytesMax: 64 * 1_024 };

/** For a peer without a key yet. Its longest string is a `tcUrl` with a signed query. */
export const AMF0_LIMITS_BEFORE_PUBLISH: Amf0Limits = { depthMax: 8, valuesMax: 256, stringBytesMax: 8 * 1_024 };

/**
 * All values of a command or data message, to its last byte (AMF0 specification of 2007). Allocates for bytes that are
 * present, never for an announced count or length.
 *
 * @throws ProtocolError "bad-amf": cut short, an unknown marker, or beyond a limit.
 */
export function decodeAmf0(bytes: Buffer, limits: Amf0Limits): Amf0Value[] {
  const cursor = new AmfCursor(bytes, limits);
  const values: Amf0Value[] = [];
  while (cursor.remaining > 0) values.push(readValue(cursor, 0));
  return values;
}

/**
 * The same for a message whose objects may hold far more than we use, such as an index of a whole recording. Reads only
 * the wanted properties of outer objects.
 *
 * @throws ProtocolError "bad-amf": cut short, or an unknown marker.
 */
export function decodeWanted(bytes: Buffer, limits: Amf0Limits, wanted: ReadonlySet<string>): Amf0Value[] {
  const cursor = new AmfCursor(bytes, limits);
  const values: Amf0Value[] = [];
  while (cursor.remaining > 0) values.push(readOuter(cursor, wanted));
  return values;
}

function readOuter(cursor: AmfCursor, wanted: ReadonlySet<string>): Amf0Value {
  switch (cursor.peek()) {
    case Marker.Object:
      cursor.startValue(0);
      cursor.skip(1);
      return { kind: "object", entries: readWanted(cursor, wanted) };
    case Marker.EcmaArray:
      cursor.startValue(0);
      // The marker, and a count that many writers get wrong.
      cursor.skip(5);
      return { kind: "ecma-array", entries: readWanted(cursor, wanted) };
    default:
      return readValue(cursor, 0);
  }
}

/** `depth` counts the objects and arrays around the value. */
function readValue(cursor: AmfCursor, depth: number): Amf0Value {
  cursor.startValue(depth);
  const marker = cursor.byte();
  switch (marker) {
    case Marker.Number:
      return cursor.double();
    case Marker.Boolean:
      return cursor.byte() !== 0;
    case Marker.String:
      return cursor.text(cursor.uint16());
    case Marker.Object:
      return { kind: "object", entries: readProperties(cursor, depth + 1) };
    case Marker.Null:
    case Marker.Undefined:
    case Marker.Unsupported:
      return null;
    case Marker.Reference:
      // Points to an earlier object. No encoder needs it, and resolving it would allow cycles.
      cursor.skip(2);
      return null;
    case Marker.EcmaArray:
      // The count is a hint that many writers leave at 0 or get wrong.
      cursor.skip(4);
      return { kind: "ecma-array", entries: readProperties(cursor, depth + 1) };
    case Marker.StrictArray:
      return readStrictArray(cursor, depth + 1);
    case Marker.Date:
      return { kind: "date", milliseconds: cursor.double(), timezone: cursor.int16() };
    case Marker.LongString:
    case Marker.XmlDocument:
      return cursor.text(cursor.uint32());
    case Marker.TypedObject:
      // The class name must never choose anything on our side (CVE-2017-5878).
      cursor.skip(cursor.uint16());
      return { kind: "object", entries: readProperties(cursor, depth + 1) };
    case Marker.Amf3:
      return readAmf3Value(cursor, depth);
    default:
      throw badAmf(`marker ${marker}`);
  }
}

/** Name and value pairs up to the end mark. An empty name is legal unless the end marker follows it. */
function readProperties(cursor: AmfCursor, depth: number): Map<string, Amf0Value> {
  const entries = new Map<string, Amf0Value>();
  while (!cursor.skipObjectEnd()) {
    const name = cursor.text(cursor.uint16());
    entries.set(name, readValue(cursor, depth));
  }
  return entries;
}

/** Only the wanted properties. Where there are more values than the limit, those before it are returned. */
function readWanted(cursor: AmfCursor, wanted: ReadonlySet<string>): Map<string, Amf0Value> {
  const entries = new Map<string, Amf0Value>();
  try {
    while (!cursor.skipObjectEnd()) {
      const name = cursor.text(cursor.uint16());
      if (wanted.has(name)) entries.set(name, readValue(cursor, 1));
      else skipValue(cursor, 1);
    }
  } catch (error) {
    if (!cursor.isBeyondLimits) throw error;
    cursor.skip(cursor.remaining);
  }
  return entries;
}

function readStrictArray(cursor: AmfCursor, depth: number): Amf0Value[] {
  // The count is only an announcement: reading ends at the first missing value.
  const count = cursor.uint32();
  const values: Amf0Value[] = [];
  for (let index = 0; index < count; index += 1) values.push(readValue(cursor, depth));
  return values;
}
