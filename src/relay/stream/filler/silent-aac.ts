/** Raw AAC-LC frames that decode to exact zeros, by number of channels, for any sample rate. */
export const SILENT_AAC: ReadonlyMap<number, Buffer> = new Map([
  [1, Buffer.from("00c800802380", "hex")],
  [2, Buffer.from("210049900219002380", "hex")],
]);

/** Samples of an AAC frame. */
export const AAC_FRAME_SAMPLES = 1_024;

/** The bytes before a raw AAC frame: in the legacy form, and in Enhanced RTMP's. */
export const LEGACY_FRAME: Buffer = Buffer.from("af01", "hex");
export const ENHANCED_FRAME: Buffer = Buffer.from("916d703461", "hex");
