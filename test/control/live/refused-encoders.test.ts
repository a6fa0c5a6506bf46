import { expect, test } from "vitest";
import { RefusedEncoders } from "../../../src/control/live/refused-encoders.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import { ManualClock } from "../manual-clock.ts";

type Refusal = Extract<Fact, { readonly kind: "ingest-refused" }>;

function stage() {
  const clock = new ManualClock();
  const refused = new RefusedEncoders(clock);
  const refuse = (remoteAddress: string, change: Partial<Refusal> = {}) =>
    refused.fact({
      ...{ kind: "ingest-refused", time: clock.wallNow(), count: 1, remoteAddress, reason: "unknown-key" },
      ...change,
    });
  return { clock, refused, refuse };
}

test("refused encoders are listed by address and reason, the latest first, with count and time", () => {
  const { clock, refused, refuse } = stage();
  const start = clock.wallNow();
  refuse("192.0.2.1");
  refuse("192.0.2.2", { reason: "auth-failed", channelId: "ls-1" });
  clock.advance(5_000);
  refuse("192.0.2.1", { count: 40 });
  expect(refused.list()).toEqual([
    {
      remoteAddress: "192.0.2.1",
      reason: "unknown-key",
      firstTime: start,
      lastTime: start + 5_000,
      count: 41,
    },
    {
      remoteAddress: "192.0.2.2",
      reason: "auth-failed",
      channelId: "ls-1",
      firstTime: start,
      lastTime: start,
      count: 1,
    },
  ]);
});

test("scanners and players are not listed as encoders", () => {
  const { refused, refuse } = stage();
  for (const reason of ["protocol-error", "timed-out", "play-refused", "too-many-connections"] as const) {
    refuse("192.0.2.1", { reason });
  }
  expect(refused.list()).toEqual([]);
});

test("a hundred addresses are remembered, for a day", () => {
  const { clock, refused, refuse } = stage();
  for (let index = 0; index < 150; index += 1) refuse(`2001:db8::${index}`);
  expect(refused.list()).toHaveLength(100);
  expect(refused.list()[0]?.remoteAddress).toBe("2001:db8::149");
  expect(refused.list().at(-1)?.remoteAddress).toBe("2001:db8::50");
  clock.advance(86_400_001);
  refuse("192.0.2.1");
  expect(refused.list().map(({ remoteAddress }) => remoteAddress)).toEqual(["192.0.2.1"]);
});
