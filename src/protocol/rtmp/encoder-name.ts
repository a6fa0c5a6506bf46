const LENGTH_MAX = 64;

/** What an encoder calls itself (`flashVer`), safe to show and log: printable ASCII, at most 64 characters. */
export function encoderName(flashVer: string): string {
  return flashVer.replace(/[^\x20-\x7e]/g, "").slice(0, LENGTH_MAX);
}
