import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import type { Contact } from "../../../src/control/contacts/contact.ts";
import type { DueDelivery } from "../../../src/control/events/deliveries.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import { openTwoNodes, startMigratedServer, type storesOf } from "./nodes.ts";

const CHANNELS = 32;
const EVENTS_EACH = 3;
const PAGE = { number: 1, size: 1_000 };
const NOW = 1_000;
const LIMITS = { inFlightMax: 8, perHostMax: 8, retriesMax: 8 };
const DELIVERED = { state: "DELIVERED", attempts: 1, lastStatus: 200 } as const;

const { server, newDatabase } = await startMigratedServer();

type Node = ReturnType<typeof storesOf>;
let name = "";
let nodes: readonly [Node, Node];
beforeEach(async () => {
  name = await newDatabase();
  nodes = await openTwoNodes(server, name);
  await nodes[0].deliveries.setEndpoint("default", { url: "https://h/hook", secret: "whsec_x", updateTime: 1 });
});
afterEach(async () => {
  for (const { database } of nodes) await database.close();
});

function events(channels: number, each: number): NewEvent[] {
  return Array.from({ length: channels * each }, (_, index) => ({
    ...{ channelId: `ls-${index % channels}`, code: "PUBLISH_START", level: "INFO", description: "d" },
    ...{ time: index, isForWebhook: true },
  }));
}

test("two nodes send each delivery once, those of a channel in their order", async () => {
  await nodes[0].events.appendEvents(events(CHANNELS, EVENTS_EACH));
  const sent: DueDelivery[] = [];
  const send = async ({ deliveries }: Node) => {
    while (sent.length < CHANNELS * EVENTS_EACH) {
      const due = await deliveries.claimDueDeliveries(NOW, LIMITS, []);
      sent.push(...due);
      await Promise.all(due.map((each) => deliveries.updateDelivery(each, DELIVERED, NOW)));
    }
    return sent.length;
  };
  await Promise.all([send(nodes[0]), send(nodes[1])]);
  for (let channel = 0; channel < CHANNELS; channel += 1) {
    const times = sent.filter(({ channelId }) => channelId === `ls-${channel}`).map(({ time }) => time);
    expect(times).toEqual([channel, channel + CHANNELS, channel + 2 * CHANNELS]);
  }
  const { deliveries } = await nodes[0].deliveries.listDeliveries({}, PAGE);
  expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(["DELIVERED"]));
  expect(await server.query("select * from delivery_queue", name)).toEqual([]);
});

test("what another node sends counts for the host, and the rest of the limits are each node's own", async () => {
  await nodes[0].events.appendEvents(events(8, 1));
  const limits = { inFlightMax: 5, perHostMax: 6, retriesMax: 5 };
  const first = await nodes[0].deliveries.claimDueDeliveries(NOW, limits, []);
  const second = await nodes[1].deliveries.claimDueDeliveries(NOW, limits, []);
  expect([first.length, second.length]).toEqual([5, 1]);
  expect(new Set([...first, ...second].map(({ channelId }) => channelId)).size).toBe(6);
});

test("a delivery whose node died is taken over, and the first node's late result changes nothing", async () => {
  await nodes[0].events.appendEvents(events(1, 2));
  const [lost] = await nodes[0].deliveries.claimDueDeliveries(NOW, LIMITS, []);
  if (lost === undefined) throw new Error("no delivery is due");
  expect(await nodes[1].deliveries.claimDueDeliveries(NOW, LIMITS, [])).toEqual([]);
  const lapse = (await nodes[1].deliveries.findNextDueTime(NOW)) ?? 0;
  // Half a minute from the claim on, of which the machine may have used some.
  expect(lapse - NOW).toBeGreaterThan(20_000);
  expect(lapse - NOW).toBeLessThanOrEqual(30_000);

  await server.query("update delivery_queue set claim_until = claim_until - 31000", name);
  const [taken] = await nodes[1].deliveries.claimDueDeliveries(NOW, LIMITS, []);
  expect(taken?.eventId).toBe(lost.eventId);
  await nodes[0].deliveries.updateDelivery(lost, { state: "FAILED", attempts: 1, lastStatus: 500 }, NOW);
  expect((await nodes[1].deliveries.listDeliveries({}, PAGE)).deliveries.map(({ state }) => state)).toEqual([
    "WAITING",
    "WAITING",
  ]);
  if (taken !== undefined) await nodes[1].deliveries.updateDelivery(taken, DELIVERED, NOW);
  const [next] = await nodes[0].deliveries.claimDueDeliveries(NOW, LIMITS, []);
  expect(next?.eventId).toBe(lost.eventId + 1);
});

test("a delivery that somebody sends again while it is under way is sent again after that, by one node", async () => {
  await nodes[0].events.appendEvents(events(1, 1));
  const [due] = await nodes[0].deliveries.claimDueDeliveries(NOW, LIMITS, []);
  if (due === undefined) throw new Error("no delivery is due");
  await nodes[1].deliveries.resendDelivery(due.eventId, NOW, NOW);
  expect(await nodes[1].deliveries.claimDueDeliveries(NOW, LIMITS, [])).toEqual([]);
  await nodes[0].deliveries.updateDelivery(due, DELIVERED, NOW);
  const both = await Promise.all(nodes.map(({ deliveries }) => deliveries.claimDueDeliveries(NOW, LIMITS, [])));
  expect(both.flat().map(({ eventId, resendCount }) => [eventId, resendCount])).toEqual([[due.eventId, 1]]);
});

test("what a node stores whose clock is wrong by half an hour is due at once for all", async () => {
  // As each node measures that of the database.
  for (const { database } of nodes) database.countDueBy({ wallNow: () => Date.now() });
  for (const offMs of [-1_800_000, 1_800_000]) {
    const [began] = events(1, 1);
    if (began === undefined) throw new Error("no event");
    const time = Date.now() + offMs;
    const contact: Contact = {
      ...{ contactId: `ct-${offMs}`, name: "room", isEnabled: true, events: "all", channelIds: [], language: "en" },
      ...{ address: { kind: "slack", url: "https://h/room" }, createdTime: time, updateTime: time },
    };
    await nodes[0].contacts.addContact(contact);
    await nodes[0].events.appendEvents([{ ...began, channelId: `ls-${offMs}`, time }]);
    // The contact waits ten seconds for more of the same.
    const rows = await server.query(
      `select next_time - extract(epoch from clock_timestamp()) * 1000 as ms from contact where contact_id = 'ct-${offMs}'`,
      name,
    );
    const [{ ms } = { ms: 0 }] = z.array(z.object({ ms: z.coerce.number() })).parse(rows);
    expect(ms).toBeLessThanOrEqual(10_000);
    expect(ms).toBeGreaterThan(-20_000);
    const [due] = await nodes[1].deliveries.claimDueDeliveries(Date.now() + 1_000, LIMITS, []);
    expect(due).toMatchObject({ channelId: `ls-${offMs}`, time });
    const dayMs = 24 * 60 * 60 * 1_000;
    expect(Math.abs((due?.retryUntil ?? 0) - Date.now() - dayMs)).toBeLessThan(60_000);
    if (due !== undefined) await nodes[1].deliveries.updateDelivery(due, DELIVERED, Date.now());
  }
});
