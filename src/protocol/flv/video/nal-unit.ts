/** Real sequence parameter sets have some tens of bytes; with every list spelled out, a few hundred. */
export const SPS_BYTES_MAX = 1_024;

/** The bits without emulation prevention bytes (H.264 7.4.1, H.265 7.4.2): 00 00 03 stands for 00 00. */
export function withoutEmulationPrevention(bytes: Uint8Array): Uint8Array {
  const clean = new Uint8Array(bytes.length);
  let length = 0;
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    clean[length] = byte;
    length += 1;
  }
  return clean.subarray(0, length);
}
