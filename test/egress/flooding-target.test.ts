import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { targetError } from "../../src/thread-protocol/targets/target-errors.ts";
import { dial } from "../support/stages/dialling.ts";
import { FLOODS, floodingTarget } from "../support/targets/flooding-target.ts";

/** Twenty times as fast as real time. */
const QUICK = 20;
const quickClock: Clock = {
  ...systemClock,
  now: () => systemClock.now() * QUICK,
  startTimer: (delayMs, run) => systemClock.startTimer(delayMs / QUICK, run),
};

const CASES = (["rtmp", "rtmps"] as const).flatMap((scheme) =>
  (Object.keys(FLOODS) as (keyof typeof FLOODS)[])
    // Without TLS it is no flood.
    .filter((flood) => scheme === "rtmps" || flood !== "trickle")
    .map((flood) => ({ scheme, flood })),
);

test.each(CASES)(
  "an $scheme target that pours out $flood is disconnected, and its error says why",
  async ({ scheme, flood }) => {
    const { url, ...trust } = await floodingTarget(flood, scheme);
    const { closed, dialer } = dial(url, { ...(flood === "trickle" ? {} : { clock: quickClock }), ...trust });
    expect(await closed).toEqual(targetError("sent-too-much"));
    await dialer.idle();
  },
);
