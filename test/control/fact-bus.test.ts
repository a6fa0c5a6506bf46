import { expect, test } from "vitest";
import type { LogFields } from "../../src/base/log.ts";
import { FactBus } from "../../src/control/facts/fact-bus.ts";

function open() {
  const errors: { readonly event: string; readonly fields: LogFields }[] = [];
  const ignore = () => undefined;
  const error = (event: string, fields: LogFields = {}) => void errors.push({ event, fields });
  return { bus: new FactBus<string>({ debug: ignore, info: ignore, warn: ignore, error }), errors };
}

test("every subscriber is told everything, in the order of the subscriptions", () => {
  const { bus } = open();
  const told: string[] = [];
  bus.publish("nobody subscribed yet");
  bus.subscribe("first", (fact) => told.push(`first ${fact}`));
  bus.subscribe("second", (fact) => told.push(`second ${fact}`));
  bus.publish("a");
  bus.publish("b");
  expect(told).toEqual(["first a", "second a", "first b", "second b"]);
});

test("a subscriber that throws is logged with its name, and the others are told all the same", () => {
  const { bus, errors } = open();
  const told: string[] = [];
  bus.subscribe("broken", () => {
    throw new Error("out of order");
  });
  bus.subscribe("sound", (fact) => told.push(fact));
  bus.publish("a");
  bus.publish("b");
  expect(told).toEqual(["a", "b"]);
  expect(errors.map(({ event, fields }) => [event, fields["subscriber"]])).toEqual([
    ["subscriber failed", "broken"],
    ["subscriber failed", "broken"],
  ]);
  expect(errors[0]?.fields["detail"]).toContain("out of order");
});

test("what a subscriber publishes is told after the fact that it took, to all in the same order", () => {
  const { bus } = open();
  const told: string[] = [];
  bus.subscribe("first", (fact) => {
    told.push(`first ${fact}`);
    if (fact === "a") bus.publish("from a");
  });
  bus.subscribe("second", (fact) => told.push(`second ${fact}`));
  bus.publish("a");
  expect(told).toEqual(["first a", "second a", "first from a", "second from a"]);
});

test("a log that throws silences the bus for that one fact only", () => {
  const ignore = () => undefined;
  let isFull = true;
  const error = () => {
    if (isFull) throw new Error("no space left");
  };
  const bus = new FactBus<string>({ debug: ignore, info: ignore, warn: ignore, error });
  const told: string[] = [];
  bus.subscribe("broken", () => {
    throw new Error("out of order");
  });
  bus.subscribe("well", (fact) => told.push(fact));
  expect(() => bus.publish("a")).toThrow("no space left");
  isFull = false;
  bus.publish("b");
  expect(told).toEqual(["b"]);
});
