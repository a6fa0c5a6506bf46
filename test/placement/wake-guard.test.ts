import { describe, expect, test } from "vitest";
import { WakeGuard } from "../../src/placement/fencing/wake-guard.ts";

describe("after a freeze", () => {
  test("nothing flows until the database has compared, asked after the node woke", () => {
    const guard = new WakeGuard("keep", 0);
    expect(guard.flow(1_000)).toBe("flow");
    guard.woke(10_000);
    expect(guard.flow(10_000)).toBe("hold");
    guard.compared(9_999, 10_100);
    expect(guard.flow(10_100)).toBe("hold");
    guard.compared(10_050, 10_200);
    expect(guard.flow(10_200)).toBe("flow");
  });

  test("a second on the bus confirms too, counted from its connection, where the database has failed twice", () => {
    const guard = new WakeGuard("keep", 0);
    guard.bus(true, 0);
    guard.failed(9_000);
    guard.woke(10_000);
    guard.failed(10_000);
    guard.failed(10_400);
    guard.bus(false, 10_500);
    expect(guard.flow(11_500)).toBe("hold");
    guard.bus(true, 12_000);
    expect(guard.flow(12_999)).toBe("hold");
    expect(guard.flow(13_000)).toBe("flow");
  });

  test("while the database may still answer, the bus alone confirms after five seconds only", () => {
    const guard = new WakeGuard("keep", 0);
    guard.bus(true, 0);
    // A failure from before the pause says nothing.
    guard.failed(9_000);
    guard.woke(10_000);
    guard.failed(9_999);
    guard.failed(10_000);
    expect(guard.flow(14_999)).toBe("hold");
    expect(guard.flow(15_000)).toBe("flow");
    guard.woke(20_000);
    guard.failed(20_000);
    guard.failed(20_750);
    expect(guard.flow(20_999)).toBe("hold");
    expect(guard.flow(21_000)).toBe("flow");
  });
});

describe("without database and bus", () => {
  test("keep goes on, after a freeze once the node knows that it is isolated", () => {
    const guard = new WakeGuard("keep", 0);
    expect(guard.flow(60_000)).toBe("flow");
    guard.woke(60_000);
    expect(guard.flow(64_999)).toBe("hold");
    expect(guard.flow(65_000)).toBe("flow");
  });

  test("stop ends everything after half a minute, and not while one of them is there", () => {
    const guard = new WakeGuard("stop", 0);
    expect(guard.flow(29_999)).toBe("flow");
    expect(guard.flow(30_000)).toBe("stop");
    guard.compared(30_100, 30_100);
    expect(guard.flow(30_100)).toBe("flow");
    guard.bus(true, 40_000);
    expect(guard.flow(90_000)).toBe("flow");
    expect(guard.isolatedMs(90_000)).toBe(0);
    guard.bus(false, 100_000);
    // Said once more, it is no news.
    guard.bus(false, 105_000);
    expect(guard.isolatedMs(107_000)).toBe(7_000);
  });
});
