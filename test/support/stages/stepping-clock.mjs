// Loaded into a server before anything else: its wall clock is set as a person would set it, in all threads at one moment.
// The file has three numbers, in milliseconds: how far the wall clock is ahead, how far it was before it was set, and the
// moment, by the machine's monotonic clock; without the last two it is so from the start. Every thread reads the file by
// itself, so it must be there some time before the moment. The monotonic clock is unchanged.
import { readFileSync } from "node:fs";

const LOOK_MS = 20;
const RealDate = Date;
const file = process.env["FANFARE_TEST_CLOCK_FILE"];
let [aheadMs, beforeMs, setAtMs] = [0, 0, 0];
let lookedMs = Number.NEGATIVE_INFINITY;

function now() {
  const nowMs = Number(process.hrtime.bigint()) / 1e6;
  if (nowMs - lookedMs >= LOOK_MS) {
    lookedMs = nowMs;
    [aheadMs, beforeMs = 0, setAtMs = 0] = readFileSync(file, "utf8").split(" ").map(Number);
  }
  return RealDate.now() + (nowMs < setAtMs ? beforeMs : aheadMs);
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
