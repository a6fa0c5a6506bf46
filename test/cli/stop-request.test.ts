import { expect, onTestFinished, test } from "vitest";
import { StopRequest } from "../../src/cli/stop-request.ts";

function heard(signal: NodeJS.Signals, hasTerminal: boolean): boolean {
  const request = new StopRequest(hasTerminal);
  onTestFinished(() => request.leave());
  // Without a listener the signal would end the process.
  expect(process.emit(signal, signal)).toBe(true);
  return request.signal.aborted;
}

test("the end of the terminal asks to stop; a hang-up without a terminal means nothing", () => {
  expect(heard("SIGTERM", false)).toBe(true);
  expect(heard("SIGHUP", true)).toBe(true);
  expect(heard("SIGHUP", false)).toBe(false);
});

test("a command leaves every signal its default effect", () => {
  const count = () => (["SIGTERM", "SIGINT", "SIGHUP"] as const).map((signal) => process.listenerCount(signal));
  const before = count();
  const request = new StopRequest(false);
  expect(count()).toEqual(before.map((listeners) => listeners + 1));
  request.leave();
  expect(count()).toEqual(before);
});
