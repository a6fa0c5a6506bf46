import { expect, test } from "vitest";
import type { Admitted } from "../../../src/control/access/admission.ts";
import { RememberedAdmissions } from "../../../src/control/access/remembered-admissions.ts";
import { type StoreTrouble, StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const HOUR_MS = 3_600_000;
const admitted = (channelId: string, revision = 1): Admitted => ({
  spec: { channelId, revision, holdSeconds: 0, targets: [] },
  slot: "main",
});

/** Admissions over a database that has these keys, and can be away. */
function stage(stopsAfterMs?: number) {
  const keys = new Map<string, Admitted>();
  const clock = new VirtualClock();
  const state: { trouble: StoreTrouble | "silent" | undefined; isolatedMs: number } = {
    ...{ trouble: undefined, isolatedMs: 0 },
  };
  const ask = async <Result>(result: Result): Promise<Result> => {
    if (state.trouble === "silent") return await new Promise(() => undefined);
    if (state.trouble !== undefined) throw new StoreUnavailableError(state.trouble);
    return result;
  };
  const revoked: string[] = [];
  const admissions = new RememberedAdmissions({
    onRevoked: (channelId, slot) => revoked.push(`${channelId} ${slot}`),
    admission: {
      admit: (key) => ask(keys.get(key)),
      readSpec: (channelId) => ask([...keys.values()].find(({ spec }) => spec.channelId === channelId)?.spec),
    },
    ...{ clock, isolatedMs: () => state.isolatedMs },
    ...(stopsAfterMs === undefined ? {} : { stopsAfterMs }),
  });
  return { clock, keys, state, admissions, revoked };
}

const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

test("a key that was admitted goes on without the database, for a day; no other key does", async () => {
  const { clock, keys, state, admissions } = stage();
  keys.set("key", admitted("ls-1"));
  keys.set("refused", { ...admitted("ls-2"), refusedFor: "channel-off" });
  for (const key of ["key", "refused", "wrong"]) await admissions.admit(key);
  state.trouble = "unreachable";
  expect(await admissions.admit("key")).toEqual(admitted("ls-1"));
  expect(await admissions.readSpec("ls-1")).toEqual(admitted("ls-1").spec);
  for (const key of ["refused", "wrong", "never"]) await expect(admissions.admit(key)).rejects.toThrow("unreachable");
  await expect(admissions.readSpec("ls-2")).rejects.toThrow("unreachable");
  clock.advance(24 * HOUR_MS);
  await expect(admissions.admit("key")).rejects.toThrow("unreachable");
});

test.each(["crowded", "refused", "slow", "unwritable", "full"] as const)(
  "a key that was admitted goes on while the database is %s",
  async (trouble) => {
    const { keys, state, admissions } = stage();
    keys.set("key", admitted("ls-1"));
    await admissions.admit("key");
    state.trouble = trouble;
    expect(await admissions.admit("key")).toEqual(admitted("ls-1"));
    expect(await admissions.readSpec("ls-1")).toEqual(admitted("ls-1").spec);
    await expect(admissions.admit("never")).rejects.toThrow(trouble);
  },
);

test("a node that hears neither the database nor other nodes admits what it knows for ten minutes", async () => {
  const { keys, state, admissions } = stage();
  keys.set("key", admitted("ls-1"));
  await admissions.admit("key");
  state.trouble = "unreachable";
  state.isolatedMs = 600_000;
  expect(await admissions.admit("key")).toEqual(admitted("ls-1"));
  state.isolatedMs = 600_001;
  await expect(admissions.admit("key")).rejects.toThrow("unreachable");
  state.isolatedMs = 0;
  expect(await admissions.admit("key")).toEqual(admitted("ls-1"));
});

test("a node that ends its broadcasts when it is isolated admits nothing from then on: its encoders go elsewhere", async () => {
  const { keys, state, admissions } = stage(30_000);
  keys.set("key", admitted("ls-1"));
  await admissions.admit("key");
  state.trouble = "unreachable";
  state.isolatedMs = 30_000;
  expect(await admissions.admit("key")).toEqual(admitted("ls-1"));
  state.isolatedMs = 30_001;
  await expect(admissions.admit("key")).rejects.toThrow("unreachable");
});

test("a database that answers counts, and one that is only busy is no reason to go without it", async () => {
  const { keys, state, admissions } = stage();
  keys.set("key", admitted("ls-1"));
  await admissions.admit("key");
  state.trouble = "locked";
  await expect(admissions.admit("key")).rejects.toThrow("locked");
  state.trouble = undefined;
  keys.delete("key");
  expect(await admissions.admit("key")).toBeUndefined();
  state.trouble = "unreachable";
  await expect(admissions.admit("key")).rejects.toThrow("unreachable");
});

test("the settings of a known channel are waited for a second, those of another one until the database fails", async () => {
  const { clock, keys, state, admissions } = stage();
  keys.set("key", admitted("ls-1"));
  await admissions.admit("key");
  keys.set("key", admitted("ls-1", 2));
  expect(await admissions.readSpec("ls-1")).toEqual(admitted("ls-1", 2).spec);
  state.trouble = "silent";
  const read: string[] = [];
  const reading = ["ls-1", "ls-2"].map((id) => admissions.readSpec(id).finally(() => read.push(id)));
  clock.advance(999);
  await settled();
  expect(read).toEqual([]);
  clock.advance(1);
  expect(await reading[0]).toEqual(admitted("ls-1").spec);
  await settled();
  expect(read).toEqual(["ls-1"]);
});

test("a known key is waited for two and a half seconds, another one until the database fails", async () => {
  const { clock, keys, state, admissions } = stage();
  for (const key of ["known", "gone"]) keys.set(key, admitted(`ls-${key}`));
  for (const key of ["known", "gone"]) await admissions.admit(key);
  state.trouble = "silent";
  const read: string[] = [];
  const reading = ["known", "gone", "never"].map((key) => admissions.admit(key).finally(() => read.push(key)));
  clock.advance(2_499);
  // Another node has told of a change meanwhile.
  admissions.changed("ls-gone");
  await settled();
  expect(read).toEqual([]);
  clock.advance(1);
  expect(await reading[0]).toEqual(admitted("ls-known"));
  clock.advance(10_000);
  await settled();
  expect(read).toEqual(["known"]);
});

test("the login must be the one of the admission", async () => {
  const { keys, state, admissions } = stage();
  keys.set("key", admitted("ls-1"));
  await admissions.admit("key", { id: "me", password: "right" });
  state.trouble = "unreachable";
  expect(await admissions.admit("key", { id: "me", password: "right" })).toEqual(admitted("ls-1"));
  for (const login of [undefined, { id: "me", password: "wrong" }, { id: "you", password: "right" }])
    await expect(admissions.admit("key", login)).rejects.toThrow("unreachable");
});

test("a change of the channel is read, and a key that is gone by it is unknown", async () => {
  const { keys, state, admissions } = stage();
  for (const key of ["old", "same"]) keys.set(key, admitted(`ls-${key}`));
  for (const key of ["old", "same"]) await admissions.admit(key);
  keys.delete("old");
  keys.set("same", admitted("ls-same", 2));
  for (const key of ["old", "same"]) admissions.changed(`ls-${key}`);
  await settled();
  state.trouble = "unreachable";
  expect(await admissions.admit("same")).toEqual(admitted("ls-same", 2));
  await expect(admissions.admit("old")).rejects.toThrow("unreachable");
});

test("a change during a look-up, and one that may have been missed, make keys unknown", async () => {
  const { keys, state, admissions } = stage();
  for (const key of ["during", "missed", "followed"]) keys.set(key, admitted(`ls-${key}`));
  const looking = admissions.admit("during");
  admissions.changed("ls-during");
  await looking;
  for (const key of ["missed", "followed"]) await admissions.admit(key);
  admissions.missed((channelId) => channelId !== "ls-missed");
  state.trouble = "unreachable";
  for (const key of ["during", "missed"]) await expect(admissions.admit(key)).rejects.toThrow("unreachable");
  expect(await admissions.admit("followed")).toEqual(admitted("ls-followed"));
});

test("ten thousand keys are remembered, the last admitted ones", async () => {
  const { keys, state, admissions } = stage();
  for (let no = 0; no <= 10_000; no += 1) {
    keys.set(`key-${no}`, admitted(`ls-${no}`));
    await admissions.admit(`key-${no}`);
  }
  state.trouble = "unreachable";
  await expect(admissions.admit("key-0")).rejects.toThrow("unreachable");
  for (const no of [1, 10_000]) expect(await admissions.admit(`key-${no}`)).toEqual(admitted(`ls-${no}`));
});

test("who came with a key that is none any more has to go, unless another encoder of the same kind has come since", async () => {
  const { keys, state, admissions, revoked } = stage();
  for (const key of ["old", "replaced", "kept", "unknown"]) keys.set(key, admitted(`ls-${key}`));
  for (const key of ["old", "replaced", "kept", "unknown"]) await admissions.admit(key);
  for (const key of ["old", "replaced", "unknown"]) keys.delete(key);
  keys.set("newer", admitted("ls-replaced", 2));
  keys.set("off", { ...admitted("ls-off"), refusedFor: "channel-off" });
  await admissions.admit("newer");
  for (const key of ["old", "replaced", "kept", "off"]) admissions.changed(`ls-${key}`);
  await settled();
  expect(revoked).toEqual(["ls-old main"]);
  // A database that does not answer revokes nothing.
  state.trouble = "unreachable";
  admissions.changed("ls-unknown");
  await settled();
  expect(revoked).toEqual(["ls-old main"]);
});

test("an encoder with the newer key that comes while the former one is looked up has not to go", async () => {
  const { keys, admissions, revoked } = stage();
  keys.set("former", admitted("ls-1"));
  await admissions.admit("former");
  keys.delete("former");
  keys.set("newer", admitted("ls-1", 2));
  admissions.changed("ls-1");
  await admissions.admit("newer");
  await settled();
  expect(revoked).toEqual([]);
});
