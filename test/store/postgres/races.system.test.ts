import { afterEach, beforeEach, expect, test } from "vitest";
import type { Channel } from "../../../src/control/channels/channel.ts";
import { CONTACTS_MAX, type Contact } from "../../../src/control/contacts/contact.ts";
import type { NewEvent } from "../../../src/control/events/events.ts";
import { DomainError } from "../../../src/control/ports/errors.ts";
import type { ChannelFilter } from "../../../src/control/ports/store.ts";
import type { Schedule } from "../../../src/control/schedules/schedule.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { newChannel, TARGET } from "../suites/store-suite-data.ts";
import { KEYS, openNode, openTwoNodes, startMigratedServer, storesOf } from "./nodes.ts";

const AT_ONCE = 64;
const PAGE = { number: 1, size: 100 };
const WAIT_DEADLINE_MS = 10_000;
const EVENT: NewEvent = {
  ...{ channelId: "ls-1", code: "PUBLISH_START", level: "INFO", description: "d" },
  ...{ time: 1, isForWebhook: true },
};
const SCHEDULE: Schedule = {
  ...{ scheduleId: "sc-1", channelId: "ls-1", name: "", createdTime: 1, doneTime: 1, catchUp: "none", isPaused: false },
  source: { kind: "files", fileIds: ["mf-a"], isLooped: false },
  timing: { timeZone: "Asia/Seoul", atSeconds: 72_000, repeat: { kind: "daily" } },
};
const CONTACT: Contact = {
  ...{ contactId: "ct-1", name: "", isEnabled: true, events: "problems", channelIds: [], language: "en" },
  ...{ createdTime: 1, updateTime: 1 },
  address: { kind: "slack", url: "https://hooks.slack.com/services/x" },
};
const LIMITS = { inFlightMax: 10, perHostMax: 10, retriesMax: 10 };

const { server, newDatabase } = await startMigratedServer();

type Node = ReturnType<typeof storesOf>;
let name = "";
let nodes: readonly [Node, Node];
beforeEach(async () => {
  name = await newDatabase();
  nodes = await openTwoNodes(server, name);
});
afterEach(async () => {
  for (const { database } of nodes) await database.close();
});

/** Does this 64 times at once, alternating between the two nodes. */
function atOnce<Value>(run: (node: Node, index: number) => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, index) => run(nodes[index % 2 === 0 ? 0 : 1], index)));
}

function domainFault(error: unknown): string {
  if (!(error instanceof DomainError)) throw error;
  return error.fault.kind;
}

test("changes of one channel that build on its present value are all in it", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1, { holdSeconds: 0 }));
  await atOnce(({ channels }) => channels.changeChannel(channelId, (now) => ({ holdSeconds: now.holdSeconds + 1 })));
  const channel = await nodes[1].channels.findChannel(channelId);
  expect(channel).toMatchObject({ holdSeconds: AT_ONCE, revision: AT_ONCE + 1 });
});

test("no more targets than the plan allows are added", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1, { targets: [] }));
  const added = await atOnce(({ channels }) =>
    channels
      .addTarget(channelId, TARGET, ({ targets }) => {
        if (targets.length >= 5) throw new DomainError({ kind: "channel-publishing" });
      })
      .then(() => "added", domainFault),
  );
  expect(added.filter((each) => each === "added")).toHaveLength(5);
  expect((await nodes[0].channels.findChannel(channelId))?.targets).toHaveLength(5);
});

test("a channel and its targets are read as they were at one moment", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1, { targets: [] }));
  // Each added target raises the revision by one.
  const isWhole = (channel?: Channel) => channel?.targets.length === (channel?.revision ?? 0) - 1;
  const read = await atOnce(async ({ channels }, index) => {
    if (index % 2 === 0) return isWhole(await channels.addTarget(channelId, TARGET, () => undefined));
    const found = [await channels.findChannel(channelId), await channels.findChannelByStreamKey("stream-key-1")];
    return found.every(isWhole);
  });
  expect(read).toEqual(read.map(() => true));
});

test("changes of one target that build on its present value are all in it, and it is removed once", async () => {
  const { channelId, targets } = await nodes[0].channels.createChannel(newChannel(1));
  const targetId = targets[0]?.targetId ?? 0;
  await atOnce(({ channels }) =>
    channels.changeTarget(channelId, targetId, ({ label = "" }) => ({ label: `${label}x` })),
  );
  const changed = (await nodes[1].channels.findChannel(channelId))?.targets[0];
  expect(changed?.label).toBe("x".repeat(AT_ONCE));
  const removed = await atOnce(({ channels }) => channels.removeTarget(channelId, targetId));
  expect(removed.filter((each) => each !== undefined)).toHaveLength(1);
});

test("a channel is deleted once, and a simultaneous change happens before that or not at all", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1));
  const results = await atOnce(({ channels }, index) =>
    index % 4 < 2
      ? channels.deleteChannel(channelId)
      : channels.changeChannel(channelId, () => ({ name: `n${index}` })),
  );
  const deleted = results.filter((each) => each?.state === "deleted");
  const changed = results.filter((each) => each?.state === "live");
  expect(deleted).toHaveLength(1);
  expect(deleted[0]?.revision).toBe(changed.length + 2);
});

test("channels that two nodes create, turn off and delete at once are all counted, and found", async () => {
  const made = await atOnce(({ channels }, index) => channels.createChannel(newChannel(index, { targets: [] })));
  const changed = await atOnce(({ channels }, index) => {
    const { channelId } = made[index] ?? {};
    if (channelId === undefined || index % 4 > 1) return Promise.resolve(undefined);
    return index % 4 === 0
      ? channels.deleteChannel(channelId)
      : channels.changeChannel(channelId, () => ({ state: "blocked" }));
  });
  expect(changed.filter((each) => each !== undefined)).toHaveLength(AT_ONCE / 2);
  const totalOf = async (filter: ChannelFilter) => (await nodes[1].channels.listChannels(filter, PAGE)).total;
  expect(await totalOf({})).toBe((AT_ONCE * 3) / 4);
  expect([await totalOf({ state: "live" }), await totalOf({ state: "blocked" })]).toEqual([AT_ONCE / 2, AT_ONCE / 4]);
  const found = (state?: "live" | "blocked") => totalOf({ namePart: "channel_", ...(state && { state }) });
  expect([await found(), await found("live"), await found("blocked")]).toEqual(
    [3 / 4, 1 / 2, 1 / 4].map((share) => share * AT_ONCE),
  );
});

test("a channel that two nodes rename at once is found by the last name alone", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1, { targets: [] }));
  await atOnce(({ channels }, index) => channels.changeChannel(channelId, () => ({ name: `n${index}n` })));
  const { name } = (await nodes[1].channels.findChannel(channelId)) ?? {};
  const found = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, index) => nodes[1].channels.listChannels({ namePart: `n${index}n` }, PAGE)),
  );
  expect(found.flatMap(({ total }, index) => (total === 0 ? [] : [`n${index}n`]))).toEqual([name]);
});

test("a channel gets no more schedules than it may have, and changes of one that build on it are all in it", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1));
  const made = await atOnce(({ schedules }, index) =>
    schedules
      .editSchedule(channelId, (present) => {
        if (present.length >= 5) throw new DomainError({ kind: "too-many-schedules" });
        return { ...SCHEDULE, scheduleId: `sc-${index}`, channelId };
      })
      .then(({ scheduleId }) => scheduleId, domainFault),
  );
  const ids = made.filter((each) => each !== "too-many-schedules");
  expect(ids).toHaveLength(5);
  const isSame = ({ scheduleId }: Schedule) => scheduleId === ids[0];
  await atOnce(({ schedules }) =>
    schedules.editSchedule(channelId, (all) => {
      const present = all.find(isSame) ?? SCHEDULE;
      return { ...present, name: `${present.name}x` };
    }),
  );
  const all = await nodes[1].schedules.listChannelSchedules(channelId);
  expect(all.find(isSame)?.name).toBe("x".repeat(AT_ONCE));
});

test("a schedule that is deleted while others change it stays deleted", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1));
  const add = (): Schedule => ({ ...SCHEDULE, channelId });
  const change = (all: readonly Schedule[]): Schedule => {
    const [present] = all;
    if (present === undefined) throw new DomainError({ kind: "schedule-not-found" });
    return present;
  };
  await nodes[0].schedules.editSchedule(channelId, add);
  const done = await atOnce(({ schedules }, index) =>
    index === AT_ONCE / 2
      ? schedules.removeSchedule(channelId, SCHEDULE.scheduleId).then(String)
      : schedules.editSchedule(channelId, change).then(() => "changed", domainFault),
  );
  expect(done[AT_ONCE / 2]).toBe("true");
  expect(await nodes[1].schedules.listChannelSchedules(channelId)).toEqual([]);
});

test("a source and a slate that two nodes set at once are both there", async () => {
  const { channelId } = await nodes[0].channels.createChannel(newChannel(1));
  const source = { kind: "pull", url: "rtmp://media.example.com/live/key" } as const;
  await atOnce(({ sources }, index) =>
    index % 2 === 0 ? sources.putSource(channelId, source) : sources.putSlate(channelId, "mf-s"),
  );
  expect(await nodes[0].sources.findSource(channelId)).toMatchObject({ source, slateFileId: "mf-s" });
});

test("contacts do not exceed their limit, changes of one are all in it, and it is deleted once", async () => {
  for (let n = 0; n < CONTACTS_MAX - 1; n += 1)
    await nodes[0].contacts.addContact({ ...CONTACT, contactId: `ct-${n}` });
  const added = await atOnce(({ contacts }, index) => contacts.addContact({ ...CONTACT, contactId: `ct-x${index}` }));
  expect(added.filter((isAdded) => isAdded)).toHaveLength(1);
  await atOnce(({ contacts }) => contacts.changeContact("ct-0", (now) => ({ ...now, name: `${now.name}x` })));
  expect((await nodes[1].contacts.findContact("ct-0"))?.name).toBe("x".repeat(AT_ONCE));
  const deleted = await atOnce(({ contacts }) => contacts.deleteContact("ct-0"));
  expect(deleted.filter((isDeleted) => isDeleted)).toHaveLength(1);
});

test("one login belongs to one channel, also while two encryption keys are in use", async () => {
  const both = await newDatabase();
  await (await openNode(server, both, [KEYS[0], KEYS[1]])).close();
  const [first, second] = [
    storesOf(await openNode(server, both, [KEYS[0], KEYS[1]])),
    storesOf(await openNode(server, both, [KEYS[1], KEYS[0]])),
  ];
  const ingestLogin = { id: "camera", password: "secret" };
  const created = await atOnce((_, index) =>
    (index % 2 === 0 ? first : second).channels
      .createChannel(newChannel(index, { ingestLogin }))
      .then(() => "created", domainFault),
  );
  expect(created.filter((each) => each === "created")).toHaveLength(1);
  expect(new Set(created)).toEqual(new Set(["created", "ingest-login-taken"]));
  for (const { database } of [first, second]) await database.close();
});

test("of managers who delete each other one stays", async () => {
  for (let index = 0; index < AT_ONCE; index += 1) {
    const key = {
      accessKeyId: `m${index}`,
      secretKey: `s${index}`,
      role: "manager",
      name: "",
      createdTime: index,
    } as const;
    await nodes[0].channels.putAccessKey(key);
  }
  const results = await atOnce(({ channels }, index) => channels.deleteAccessKey(`m${index}`));
  expect(results.filter((each) => each === "last-manager")).toHaveLength(1);
  expect(await nodes[0].channels.listAccessKeys()).toHaveLength(1);
});

test("a set-up token is used once, and a session made with the former password does not outlive a change", async () => {
  const session = (index: number) => ({ tokenHash: `session${index}`, lastUsedTime: index });
  await nodes[0].dashboard.putSetupToken({ tokenHash: "token", expiresTime: 10 }, 1);
  const completed = await atOnce(({ dashboard }, index) =>
    dashboard.completeSetup("token", 1, `hash${index}`, session(index)),
  );
  expect(completed.filter((each) => each)).toHaveLength(1);
  const hash = (await nodes[0].dashboard.findPasswordHash()) ?? "";
  const results = await atOnce(({ dashboard }, index) =>
    index === 31
      ? dashboard.changePassword(hash, "new", session(1_000))
      : dashboard.addSession(session(100 + index), hash),
  );
  expect(results[31]).toBe(true);
  expect(await nodes[1].dashboard.listSessions()).toEqual([session(1_000)]);
});

test("events get numbers of their own, and a waiting webhook has a place in a queue", async () => {
  await nodes[0].deliveries.setEndpoint("default", { url: "https://h/hook", secret: "whsec_x", updateTime: 1 });
  const delivered = async (node: Node) => {
    for (const due of await node.deliveries.claimDueDeliveries(9, LIMITS, [])) {
      await node.deliveries.updateDelivery(due, { state: "DELIVERED", attempts: 1, lastStatus: 200 }, 9);
    }
  };
  // The queue is emptied, and removed, again and again while more comes into it.
  const stored = await atOnce(async (node, index) => {
    if (index % 4 === 3) await nodes[index % 2 === 0 ? 0 : 1].events.pruneEvents(1, 10);
    const [one] = await node.events.appendEvents([EVENT]);
    await delivered(node);
    return one?.eventId;
  });
  expect(new Set(stored).size).toBe(AT_ONCE);
  for (let round = 0; round < AT_ONCE; round += 1) await delivered(nodes[0]);
  const { deliveries, total } = await nodes[0].deliveries.listDeliveries({}, PAGE);
  expect(total).toBe(AT_ONCE);
  expect(deliveries.filter(({ state }) => state === "WAITING")).toEqual([]);
});

/** Waits until a session of this database waits for another's lock. */
async function somebodyWaits(): Promise<void> {
  const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  const isSeen = async () => ((await server.query(waiting, name)).length > 0 ? true : undefined);
  await waitFor("a session that waits for a lock", WAIT_DEADLINE_MS, isSeen);
}

test("a queue is not removed as empty while another node puts a delivery into it", async () => {
  const [node] = nodes;
  await node.deliveries.setEndpoint("default", { url: "https://h/hook", secret: "whsec_x", updateTime: 1 });
  await node.events.appendEvents([EVENT]);
  const [due] = await node.deliveries.claimDueDeliveries(9, LIMITS, []);
  if (due === undefined) throw new Error("no delivery is due");
  const commit = await server.transaction(
    name,
    "insert into event select 99, channel_id, code, level, time, description from event",
    `insert into delivery (event_id, channel_id, state, url, attempts, retry_until, resend_count)
     select 99, channel_id, state, url, 0, retry_until, 0 from delivery`,
    `insert into delivery_queue select * from delivery_queue
     on conflict (channel_id) do update set channel_id = excluded.channel_id`,
  );
  const updated = node.deliveries.updateDelivery(due, { state: "DELIVERED", attempts: 1, lastStatus: 200 }, 9);
  await somebodyWaits();
  await commit();
  await updated;
  expect(await server.query("select channel_id from delivery_queue", name)).toEqual([{ channel_id: "ls-1" }]);
});

test("an event that comes while its endpoint is removed waits for that, and goes nowhere", async () => {
  const [node] = nodes;
  await node.deliveries.setEndpoint("default", { url: "https://h/hook", secret: "whsec_x", updateTime: 1 });
  const commit = await server.transaction(name, "delete from webhook_endpoint");
  const appended = node.events.appendEvents([EVENT]);
  await somebodyWaits();
  await commit();
  await appended;
  expect(await node.deliveries.listDeliveries({}, PAGE)).toEqual({ deliveries: [], total: 0 });
});

test("totals of two nodes add up", async () => {
  const { channelId, targets } = await nodes[0].channels.createChannel(newChannel(1));
  const targetId = targets[0]?.targetId ?? 0;
  const add = { channels: [{ channelId, publishMs: 2 }], targets: [{ targetId, bytes: 3, playMs: 5, retryCount: 1 }] };
  await atOnce(({ channels }) => channels.addTotals(add));
  const channel = await nodes[1].channels.findChannel(channelId);
  expect(channel?.publishMs).toBe(2 * AT_ONCE);
  expect(channel?.targets[0]?.totals).toEqual({ bytes: 3 * AT_ONCE, playMs: 5 * AT_ONCE, retryCount: AT_ONCE });
});

test("nodes that start together make one manager key and one set-up link", async () => {
  const makers = await atOnce(({ channels }, index) =>
    channels.putFirstManagerKey({
      ...{ accessKeyId: `m${index}`, secretKey: `s${index}`, role: "manager", name: "", createdTime: index },
    }),
  );
  expect(makers.filter((each) => each)).toHaveLength(1);
  expect(await nodes[1].channels.listAccessKeys()).toHaveLength(1);
  const offered = await atOnce(({ dashboard }, index) =>
    dashboard.putSetupToken({ tokenHash: `token${index}`, expiresTime: 10 }, 5),
  );
  expect(offered.filter((each) => each)).toHaveLength(1);
  // One that has expired is replaced.
  expect(await nodes[0].dashboard.putSetupToken({ tokenHash: "later", expiresTime: 20 }, 10)).toBe(true);
  expect(await nodes[1].dashboard.hasSetupToken("later", 11)).toBe(true);
});

test("what is accepted once is accepted by one node, and again after its time", async () => {
  const used = await atOnce(({ guards }) => guards.useOnce("signature", "a signature", 60_000));
  expect(used.filter((each) => each)).toHaveLength(1);
  expect(await nodes[1].guards.useOnce("challenge", "a signature", 60_000)).toBe(true);
  await server.query("update guard_once set until_time = until_time - 61000", name);
  expect(await nodes[1].guards.useOnce("signature", "a signature", 60_000)).toBe(true);
  expect(await nodes[0].guards.useOnce("signature", "a signature", 60_000)).toBe(false);
});

test("failures count at all nodes together, for a minute from the first one on", async () => {
  await atOnce(({ guards }) => guards.failed(["own a", "near a"]));
  const wait = (limit: number) => nodes[1].guards.waitMs(new Map([["own a", limit]]));
  expect(await wait(AT_ONCE + 1)).toBe(0);
  const waitMs = await wait(AT_ONCE);
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(60_000);
  expect(await nodes[0].guards.waitMs(new Map([["own b", 1]]))).toBe(0);
  await server.query("update guard_count set from_time = from_time - 61000", name);
  expect(await wait(1)).toBe(0);
  await nodes[0].guards.failed(["own a"]);
  expect(await wait(2)).toBe(0);
  expect(await wait(1)).toBeGreaterThan(0);
});

test.for([0, 300, -300, 7_200_000, -7_200_000])(
  "a contact's message is one node's, though the other's clock is %d ms ahead",
  async (aheadMs) => {
    const [first, second] = nodes;
    const { channelId } = await first.channels.createChannel(newChannel(1));
    await first.contacts.addContact(CONTACT);
    const nowMs = 1_800_000_000_000;
    const held = { ...EVENT, channelId, code: "INGEST_HELD", level: "WARN", isForWebhook: false } as const;
    await first.events.appendEvents([{ ...held, time: nowMs - 10_800_000 }]);
    expect(await first.contacts.claimDueContacts(nowMs, 8)).toHaveLength(1);
    expect(await second.contacts.claimDueContacts(nowMs + aheadMs, 8)).toEqual([]);
  },
);
