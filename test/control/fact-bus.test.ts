import { expect, test } from "vitest";
import type { LogFields } from "../../src/base/log.ts";
import { FactBus } from "../../src/control/facts/fact-bus.ts";

function open() {
  const errors: { readonly event: string; readonly fields: LogFields }[] = [];
  const ignore = () => undefined;
  const error = (event: string, fields: LogFields = {}) => void errors.push({ event, fields });
  return { bus: new FactBus<string>({ debug: ignore, info: ignore, warn: ignore, error }), errors };
}

test("every subscriber gets every fact, in the order of the subscriptions", () => {
  const { bus } = open();
  const taken: string[] = [];
  bus.publish("no subscriber yet");
  bus.subscribe("first", (fact) => taken.push(`first ${fact}`));
  bus.subscribe("second", (fact) => taken.push(`second ${fact}`));
  bus.publish("a");
  bus.publish("b");
  expect(taken).toEqual(["first a", "second a", "first b", "second b"]);
});

test("a subscriber that throws is logged with its name, and the others still get the fact", () => {
  const { bus, errors } = open();
  const taken: string[] = [];
  bus.subscribe("broken", () => {
    throw new Error("out of order");
  });
  bus.subscribe("healthy", (fact) => taken.push(fact));
  bus.publish("a");
  bus.publish("b");
  expect(taken).toEqual(["a", "b"]);
  expect(errors.map(({ event, fields }) => [event, fields["subscriber"]])).toEqual([
    ["subscriber failed", "broken"],
    ["subscriber failed", "broken"],
  ]);
  expect(errors[0]?.fields["detail"]).toContain("out of order");
});

test("a fact that a subscriber publishes is delivered after the current one, to all in the same order", () => {
  const { bus } = open();
  const taken: string[] = [];
  bus.subscribe("first", (fact) => {
    taken.push(`first ${fact}`);
    if (fact === "a") bus.publish("from a");
  });
  bus.subscribe("second", (fact) => taken.push(`second ${fact}`));
  bus.publish("a");
  expect(taken).toEqual(["first a", "second a", "first from a", "second from a"]);
});

test("a log that throws stops the bus for that one fact only", () => {
  const ignore = () => undefined;
  let isFull = true;
  const error = () => {
    if (isFull) throw new Error("no space left");
  };
  const bus = new FactBus<string>({ debug: ignore, info: ignore, warn: ignore, error });
  const taken: string[] = [];
  bus.subscribe("broken", () => {
    throw new Error("out of order");
  });
  bus.subscribe("healthy", (fact) => taken.push(fact));
  expect(() => bus.publish("a")).toThrow("no space left");
  isFull = false;
  bus.publish("b");
  expect(taken).toEqual(["b"]);
});
