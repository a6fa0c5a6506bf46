import { expect, test } from "vitest";
import { AdmissionFreshness } from "../../../src/control/access/admission-freshness.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";

const CHANNEL_ID = "ls-20260101000000-00001";

function spec(revision: number): ChannelSpec {
  return { channelId: CHANNEL_ID, revision, holdSeconds: 0, targets: [] };
}

type Found = { readonly spec: ChannelSpec } | undefined;

/** Look-ups that the test answers, and everything that is sent to the media thread, in order. */
function stage() {
  const gate = new AdmissionFreshness();
  const lookUps: ((found: Found) => void)[] = [];
  const calls: string[] = [];
  const ask = () =>
    gate.answer(
      () => new Promise<Found>((resolve) => lookUps.push(resolve)),
      (found) => calls.push(found === undefined ? "refuse" : `admit ${found.spec.revision}`),
    );
  const apply = (revision: number) => {
    gate.changed(spec(revision));
    calls.push(`apply ${revision}`);
  };
  return { gate, lookUps, calls, ask, apply };
}

test("a look-up result is returned as it was found when nothing changed meanwhile", async () => {
  const { lookUps, calls, ask, apply } = stage();
  apply(7);
  const asked = ask();
  lookUps[0]?.({ spec: spec(3) });
  await asked;
  const other = ask();
  lookUps[1]?.(undefined);
  await other;
  expect(calls).toEqual(["apply 7", "admit 3", "refuse"]);
});

test("a channel that is blocked or edited during the look-up is looked up again", async () => {
  const { lookUps, calls, ask, apply } = stage();
  const asked = ask();
  apply(2);
  lookUps[0]?.({ spec: spec(1) });
  await expect.poll(() => lookUps.length).toBe(2);
  lookUps[1]?.({ spec: spec(2) });
  await asked;
  const blocked = ask();
  apply(3);
  lookUps[2]?.({ spec: spec(2) });
  await expect.poll(() => lookUps.length).toBe(4);
  lookUps[3]?.(undefined);
  await blocked;
  expect(calls).toEqual(["apply 2", "admit 2", "apply 3", "refuse"]);
});

test("a change between the look-up's result and the moment it is handed on counts too", async () => {
  const { lookUps, calls, ask, apply } = stage();
  const asked = ask();
  lookUps[0]?.({ spec: spec(1) });
  // The look-up is resolved; the code that waits for it has not run yet.
  apply(2);
  await expect.poll(() => lookUps.length).toBe(2);
  lookUps[1]?.({ spec: spec(2) });
  await asked;
  expect(calls).toEqual(["apply 2", "admit 2"]);
});

test("a channel that is deleted during the look-up admits no encoder, however new the spec that was found", async () => {
  const { gate, lookUps, calls, ask } = stage();
  const asked = ask();
  gate.removed(CHANNEL_ID);
  lookUps[0]?.({ spec: spec(9) });
  await expect.poll(() => lookUps.length).toBe(2);
  lookUps[1]?.(undefined);
  await asked;
  expect(calls).toEqual(["refuse"]);
});

test("an older change that arrives late does not replace a newer one", async () => {
  const { lookUps, calls, ask, apply } = stage();
  const asked = ask();
  apply(5);
  apply(4);
  lookUps[0]?.({ spec: spec(4) });
  await expect.poll(() => lookUps.length).toBe(2);
  lookUps[1]?.({ spec: spec(5) });
  await asked;
  expect(calls).toEqual(["apply 5", "apply 4", "admit 5"]);
});

test("a look-up that fails rejects for its caller, and leaves nothing behind", async () => {
  const { gate, lookUps, calls, ask } = stage();
  const failing = gate.answer(
    () => Promise.reject(new Error("locked")),
    () => calls.push("answered"),
  );
  gate.removed(CHANNEL_ID);
  await expect(failing).rejects.toThrow("locked");
  const asked = ask();
  lookUps[0]?.({ spec: spec(1) });
  await asked;
  expect(calls).toEqual(["admit 1"]);
});

test("settings are handed on as they are in force, also what came into force during the look-up", async () => {
  let revision = 0;
  const gate = new AdmissionFreshness((found) => ({ ...found, revision }));
  const sent: unknown[] = [];
  const lookUp = async () => ({ spec: spec(1) });
  const asked = gate.answer(lookUp, (found) => sent.push(found?.spec.revision));
  revision = 9;
  await asked;
  expect(sent).toEqual([9]);
});
