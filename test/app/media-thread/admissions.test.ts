import { expect, test } from "vitest";
import { Admissions } from "../../../src/app/media-thread/admissions.ts";
import { MovesAway } from "../../../src/app/media-thread/moves-away.ts";
import { PlayPermits } from "../../../src/app/media-thread/play-permits.ts";
import { RemotePublishers } from "../../../src/remote-publish/remote-publisher.ts";
import { RemotePublisherHost } from "../../../src/remote-publish/remote-publisher-host.ts";
import type { AdmissionDecision } from "../../../src/thread-protocol/admission.ts";
import type { FromEncoder, ToEncoder } from "../../../src/thread-protocol/remote-publish.ts";
import { ManualTransport } from "../../support/stages/manual-transport.ts";
import { RelayStage, target } from "../../support/stages/relay-stage.ts";

const LINK = { place: { host: "owner", port: 7400 }, epoch: 7, revision: 1 };
const ELSEWHERE: AdmissionDecision = {
  ...{ decision: "admit-elsewhere", channelId: "ls-1", slot: "main", latency: "efficient", link: LINK },
};
const TRY_AGAIN: AdmissionDecision = { decision: "try-again" };
const nothing = () => undefined;

/**
 * A thread of a node. `decisions`: of the control thread, one after the other, the last one again and again; `owners`: the other
 * node's threads that its links reach, one after the other.
 */
function stage(decisions: readonly (AdmissionDecision | undefined)[], { takesNew = true, isCluster = true } = {}) {
  const [here, elsewhere] = [new RelayStage(60), new RelayStage(60)];
  const { clock } = here;
  const asked: unknown[] = [];
  const owners: (ManualTransport<FromEncoder, ToEncoder> | undefined)[] = [];
  const failovers: string[] = [];
  const unused = () => {
    throw new Error("not used here");
  };
  const admissions = new Admissions({
    ...{ clock, engine: here.engine, permits: new PlayPermits(), takesNew: () => takesNew },
    requests: {
      admission: async (_key, _login, present) => {
        const decision = decisions[Math.min(asked.length, decisions.length - 1)];
        asked.push(present ?? Math.round(clock.now()));
        return { requestId: 1, ...(decision === undefined ? {} : { reply: { kind: "admission", ...decision } }) };
      },
      ...{ login: unused, play: unused },
    },
    remote: new RemotePublishers({ clock, afterReads: (run) => run(), onWait: nothing, onCount: nothing }),
    ...{ openTransport: unused, onPlayLeft: nothing },
    links: { attach: async () => owners.shift()?.near, watch: unused },
    ...(isCluster ? { moves: new MovesAway() } : {}),
    onFailover: (channelId) => void failovers.push(channelId),
  });
  const admit = async (forMs = 0) => {
    const admission = admissions.admit("key", undefined);
    for (let passed = 0; passed <= forMs; passed += 50) {
      await new Promise(setImmediate);
      if (passed < forMs) clock.advance(50);
    }
    return await admission;
  };
  const newOwner = () => {
    const transport = new ManualTransport<FromEncoder, ToEncoder>();
    const host = new RemotePublisherHost({ clock, engine: elsewhere.engine });
    host.take(elsewhere.spec([target(1)]), "main", transport.far);
    owners.push(transport);
    return transport;
  };
  return { here, admissions, admit, asked, owners, newOwner, failovers };
}

const here = (): AdmissionDecision => ({ decision: "admit", spec: new RelayStage().spec([target(1)]), slot: "main" });

test("an encoder waits while its channel's owner changes, in place of coming again", async () => {
  const { admit, asked, owners } = stage([TRY_AGAIN, ELSEWHERE, here()]);
  // The link to the owner that was named breaks.
  owners.push(undefined);
  expect(await admit(150)).toMatchObject({ slot: "main" });
  expect(asked).toEqual([0, 50, 150]);
});

test("it waits for two seconds at most, and not at all for another verdict, or without other nodes", async () => {
  const never = stage([TRY_AGAIN]);
  expect(await never.admit(2_000)).toBe("unavailable");
  expect(never.asked).toEqual([0, 50, 150, 350, 750, 1_150, 1_550, 1_950]);
  for (const decision of [undefined, { decision: "refuse" }] as const) {
    const once = stage([decision]);
    expect(await once.admit()).toBe(decision === undefined ? "unavailable" : "refused");
    expect(once.asked).toEqual([0]);
  }
  const alone = stage([TRY_AGAIN], { isCluster: false });
  expect(await alone.admit()).toBe("unavailable");
  expect(alone.asked).toEqual([0]);
});

test("an encoder whose owner dies goes on in its own thread, however busy that is", async () => {
  const { here: own, admit, asked, newOwner, failovers } = stage([ELSEWHERE, here()], { takesNew: false });
  const owner = newOwner();
  const admission = await admit();
  if (typeof admission === "string" || !("gateway" in admission)) throw new Error("not admitted");
  const { gateway } = admission;
  const admitted = gateway.tryAdmit();
  await owner.settle();
  expect(await admitted).toBe("admitted");
  gateway.open({
    ...{ slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS", onRoom: nothing, onDismissed: nothing },
  });
  await owner.settle();
  owner.far.close();
  await owner.settle();
  expect(asked).toEqual([0, { channelId: "ls-1", silence: undefined }]);
  expect(failovers).toEqual(["ls-1"]);
  expect(own.facts.map(({ kind }) => kind)).toContain("ingest-started");
  // One that is new there is refused.
  const busy = await stage([here()], { takesNew: false }).admit();
  if (typeof busy === "string" || !("gateway" in busy)) throw new Error("not admitted");
  expect(await busy.gateway.tryAdmit()).toBe("overloaded");
});

test("an encoder that is passed on goes with its own key, and not with another slot's or channel's", async () => {
  const { admissions, admit, newOwner } = stage([ELSEWHERE]);
  const owner = newOwner();
  const admission = await admit();
  if (typeof admission === "string" || !("gateway" in admission)) throw new Error("not admitted");
  const { gateway } = admission;
  const admitted = gateway.tryAdmit();
  await owner.settle();
  expect(await admitted).toBe("admitted");
  let dismissals = 0;
  const arrival = { slot: "main", remoteAddress: "192.0.2.7", encoder: "OBS", onRoom: nothing } as const;
  gateway.open({ ...arrival, onDismissed: () => (dismissals += 1) });
  admissions.revoke("ls-1", "backup");
  admissions.revoke("ls-2", "main");
  expect(dismissals).toBe(0);
  admissions.revoke("ls-1", "main");
  expect(dismissals).toBe(1);
});

test("an encoder whose server was lost is taken, however busy this one is", async () => {
  const spec = new RelayStage().spec([target(1)]);
  const comesBack: AdmissionDecision = { decision: "admit", spec, slot: "main", isReturning: true };
  const returning = await stage([comesBack], { takesNew: false }).admit();
  if (typeof returning === "string" || !("gateway" in returning)) throw new Error("not admitted");
  expect(await returning.gateway.tryAdmit()).toBe("admitted");
});
