import { expect, test } from "vitest";
import type { LogFields } from "../../../src/base/log.ts";
import { FactBus } from "../../../src/control/facts/fact-bus.ts";

function open() {
  const errors: { readonly event: string; readonly fields: LogFields }[] = [];
  const ignore = () => undefined;
  const error = (event: string, fields: LogFields = {}) => void errors.push({ event, fields });
  const log = { debug: ignore, info: ignore, warn: ignore, error };
  return { bus: new FactBus<string>(log), log, errors };
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

test("all subscribers get all facts in one order, also those published while a fact is delivered", () => {
  const { bus, errors } = open();
  const taken: [string[], string[], string[]] = [[], [], []];
  const children = (fact: string) => (fact.length < 4 ? [`${fact}1`, `${fact}2`] : []);
  bus.subscribe("first", (fact) => {
    taken[0].push(fact);
    for (const child of children(fact)) bus.publish(child);
  });
  bus.subscribe("broken", (fact) => {
    taken[1].push(fact);
    if (fact.length === 1) bus.publish("from the one that throws");
    throw new Error("out of order");
  });
  bus.subscribe("last", (fact) => void taken[2].push(fact));
  bus.publish("a");
  bus.publish("b");
  const tree = (root: string): string[] => {
    const all = [root];
    for (const each of all) all.push(...children(each), ...(each === root ? ["from the one that throws"] : []));
    return all;
  };
  expect(taken[2]).toEqual([...tree("a"), ...tree("b")]);
  expect(taken).toEqual([taken[2], taken[2], taken[2]]);
  expect(errors).toHaveLength(taken[2].length);
});

test("a chain of a hundred thousand facts, each published while the one before is taken, needs no stack", () => {
  const { log } = open();
  const bus = new FactBus<number>(log);
  let last = 0;
  bus.subscribe("counter", (count) => {
    last = count;
    if (count < 100_000) bus.publish(count + 1);
  });
  bus.publish(1);
  expect(last).toBe(100_000);
});

test("a log that throws keeps no fact from any subscriber", () => {
  const ignore = () => undefined;
  const error = () => {
    throw new Error("no space left");
  };
  const bus = new FactBus<string>({ debug: ignore, info: ignore, warn: ignore, error });
  const taken: string[] = [];
  bus.subscribe("broken", (fact) => {
    if (fact === "a") bus.publish("from a");
    throw new Error("out of order");
  });
  bus.subscribe("healthy", (fact) => taken.push(fact));
  bus.publish("a");
  expect(taken).toEqual(["a", "from a"]);
  bus.publish("b");
  expect(taken).toEqual(["a", "from a", "b"]);
});
