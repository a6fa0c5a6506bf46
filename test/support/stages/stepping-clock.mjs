// Loaded into a server before anything else: its wall clock is ahead by the milliseconds that a file contains, as if a
// person had set it. Every thread reads the file by itself. The monotonic clock is unchanged.
import { readFileSync } from "node:fs";

const LOOK_MS = 20;
const RealDate = Date;
const file = process.env["FANFARE_TEST_CLOCK_FILE"];
let aheadMs = 0;
let lookedMs = Number.NEGATIVE_INFINITY;

function now() {
  if (performance.now() - lookedMs >= LOOK_MS) {
    lookedMs = performance.now();
    aheadMs = Number(readFileSync(file, "utf8"));
  }
  return RealDate.now() + aheadMs;
}

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now());
    else super(...given);
  }
  static now() {
    return now();
  }
};
