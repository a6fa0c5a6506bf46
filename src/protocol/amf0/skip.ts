import { readAmf3Value } from "./amf3.ts";
import { type AmfCursor, badAmf } from "./cursor.ts";
import { Marker } from "./marker.ts";

const NUMBER_BYTES = 8;
const DATE_BYTES = 10;
const COUNT_BYTES = 4;
const REFERENCE_BYTES = 2;

/** Skips a value without keeping anything: an index of a recording's keyframes has some ten thousand numbers. */
export function skipValue(cursor: AmfCursor, depth: number): void {
  cursor.startSkipped(depth);
  const marker = cursor.byte();
  switch (marker) {
    case Marker.Number:
      return cursor.skip(NUMBER_BYTES);
    case Marker.Boolean:
      return cursor.skip(1);
    case Marker.String:
      return cursor.skip(cursor.uint16());
    case Marker.Object:
      return skipProperties(cursor, depth + 1);
    case Marker.Null:
    case Marker.Undefined:
    case Marker.Unsupported:
      return;
    case Marker.Reference:
      return cursor.skip(REFERENCE_BYTES);
    case Marker.EcmaArray:
      cursor.skip(COUNT_BYTES);
      return skipProperties(cursor, depth + 1);
    case Marker.StrictArray: {
      const count = cursor.uint32();
      for (let index = 0; index < count; index += 1) skipValue(cursor, depth + 1);
      return;
    }
    case Marker.Date:
      return cursor.skip(DATE_BYTES);
    case Marker.LongString:
    case Marker.XmlDocument:
      return cursor.skip(cursor.uint32());
    case Marker.TypedObject:
      cursor.skip(cursor.uint16());
      return skipProperties(cursor, depth + 1);
    case Marker.Amf3:
      readAmf3Value(cursor, depth);
      return;
    default:
      throw badAmf(`marker ${marker}`);
  }
}

function skipProperties(cursor: AmfCursor, depth: number): void {
  while (!cursor.skipObjectEnd()) {
    cursor.skip(cursor.uint16());
    skipValue(cursor, depth);
  }
}
