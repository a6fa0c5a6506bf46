/**
 * Timed data that is sent on in order: captions, cue points, and a frame's own time and date, by the names that
 * encoders and players use.
 */
const NAMES = ["onTextData", "onCaptionInfo", "onCuePoint", "onFI"].map((name) => amf0Text(name));
const SET_DATA_FRAME = amf0Text("@setDataFrame");

/** Whether AMF0 values belong to a moment of the stream; also where they ask a server to store them. */
export function isTimedData(values: Buffer): boolean {
  const name = beginsWith(values, SET_DATA_FRAME) ? values.subarray(SET_DATA_FRAME.length) : values;
  return NAMES.some((each) => beginsWith(name, each));
}

function amf0Text(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x02, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function beginsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0;
}
