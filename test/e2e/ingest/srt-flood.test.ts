import { expect, test } from "vitest";
import { FLOODS, type FloodFigures, LINK_BYTES, runSrtFlood } from "../../soak/srt/flood-run.ts";
import { NetworkNamespace } from "../../support/processes/network-namespace.ts";

/** Five times what `npm run srt-flood` demands: a busy machine does not fail it. */
const GAP_MAX_MS = 500;
const GROWTH_MAX_BYTES = 128 * 1_048_576;
const PER_SECOND = 5_000;

test.skipIf(!NetworkNamespace.isPossible)(
  "floods of the SRT port: little goes out, memory stays, and other encoders go on",
  async () => {
    const all: FloodFigures[] = [];
    await runSrtFlood({ secondsEach: 1, perSecond: PER_SECOND, from: "sources" }, (figures) => all.push(figures));
    const [calm, ...floods] = all;
    expect(floods.map(({ flood }) => flood)).toEqual(FLOODS);
    for (const { flood, perSecond, inBytes, outBytes, rtmpGapMs, srtGapMs, waitedMs, residentBytes } of floods) {
      // Encoders have to connect first.
      expect(perSecond, flood).toBeGreaterThan(PER_SECOND / (flood === "encoders" ? 100 : 10));
      expect(outBytes, flood).toBeLessThanOrEqual(inBytes + LINK_BYTES);
      expect(Math.max(rtmpGapMs, srtGapMs) - waitedMs, flood).toBeLessThan(GAP_MAX_MS);
      expect(residentBytes - (calm?.residentBytes ?? 0), flood).toBeLessThan(GROWTH_MAX_BYTES);
    }
    // Only the first packets of handshakes, and callers that prove their address, get anything.
    const silent = floods.filter(({ flood }) => ["made-up-cookies", "loss-reports", "noise"].includes(flood));
    expect(silent.every(({ outBytes }) => outBytes < 10_000)).toBe(true);
  },
);
