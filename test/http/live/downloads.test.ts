import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { Downloads } from "../../../src/http/live/downloads.ts";

class FakeResponse extends EventEmitter {
  closed = false;

  destroy(): void {
    this.closed = true;
    this.emit("close");
  }
}

test("a download is known until its client has it, or its owner ends", () => {
  const downloads = new Downloads();
  const [first, second, third, left] = [new FakeResponse(), new FakeResponse(), new FakeResponse(), new FakeResponse()];
  const begin = (response: FakeResponse, owner: string) =>
    downloads.begin(response as unknown as ServerResponse, owner);
  left.closed = true;
  begin(left, "nobody");
  begin(first, "one");
  begin(second, "one");
  begin(third, "two");
  expect([...downloads.owners()]).toEqual(["one", "two"]);
  third.destroy();
  expect([...downloads.owners()]).toEqual(["one"]);
  begin(new FakeResponse(), "three");
  downloads.endOf("one");
  expect([first.closed, second.closed, [...downloads.owners()]]).toEqual([true, true, ["three"]]);
});
