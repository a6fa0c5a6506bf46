import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stopInTime } from "../../src/cli/stop-in-time.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

test("a stop that gets stuck still ends after 4.5 s, and says so", async () => {
  const stuck = stopInTime(() => new Promise(() => undefined));
  const outcome = vi.fn();
  stuck.catch(outcome);
  await vi.advanceTimersByTimeAsync(4_499);
  expect(outcome).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(outcome.mock.calls).toEqual([[new Error("not stopped after 4500 ms, ended all the same.")]]);
});

test("a stop that ends, well or not, is the outcome, and leaves no timer behind", async () => {
  await stopInTime(async () => undefined);
  await expect(stopInTime(() => Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
  expect(vi.getTimerCount()).toBe(0);
});
