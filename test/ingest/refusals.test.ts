import { expect, test } from "vitest";
import { Refusals } from "../../src/ingest/publish/refusals.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";

test("the first refusal of a reason is reported at once, a flood of them once a second, with its count", () => {
  const facts: Fact[] = [];
  const refusals = new Refusals((fact) => facts.push(fact));
  const refuse = (address: string, reason: "unknown-key" | "timed-out") =>
    refusals.add({ time: 1, remoteAddress: address, reason });
  refuse("192.0.2.1", "unknown-key");
  refuse("192.0.2.2", "unknown-key");
  refuse("192.0.2.3", "timed-out");
  refuse("192.0.2.4", "unknown-key");
  const counts = () =>
    facts.map((fact) => fact.kind === "ingest-refused" && [fact.reason, fact.count, fact.remoteAddress]);
  expect(counts()).toEqual([
    ["unknown-key", 1, "192.0.2.1"],
    ["timed-out", 1, "192.0.2.3"],
  ]);
  refusals.tick();
  refuse("192.0.2.5", "unknown-key");
  refuse("192.0.2.6", "timed-out");
  refusals.tick();
  expect(counts().slice(2)).toEqual([
    ["unknown-key", 2, "192.0.2.4"],
    ["timed-out", 1, "192.0.2.6"],
    ["unknown-key", 1, "192.0.2.5"],
  ]);
  refusals.tick();
  refusals.tick();
  expect(facts).toHaveLength(5);
});

test("refusals of several channels' logins are reported apart within a second, and very many without a channel", () => {
  const facts: Fact[] = [];
  const refusals = new Refusals((fact) => facts.push(fact));
  const refuse = (channelId: string) =>
    refusals.add({ time: 1, remoteAddress: "192.0.2.1", reason: "auth-failed", channelId });
  for (let count = 0; count < 1_000; count += 1) refuse(`ls-${count}`);
  refuse("ls-0");
  refusals.tick();
  const channels = facts.map((fact) => (fact.kind === "ingest-refused" ? fact.channelId : ""));
  expect(channels.filter((channelId) => channelId !== undefined)).toHaveLength(65);
  expect(channels.filter((channelId) => channelId === undefined)).toHaveLength(2);
  const count = facts.reduce((sum, fact) => sum + (fact.kind === "ingest-refused" ? fact.count : 0), 0);
  expect(count).toBe(1_001);
});
