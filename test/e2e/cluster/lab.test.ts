import { expect, onTestFinished, test } from "vitest";
import { Lab } from "../../lab/lab.ts";
import { freezeOwners } from "../../lab/scenarios/freezes.ts";
import { killOwners } from "../../lab/scenarios/kills.ts";
import { outage } from "../../lab/scenarios/outages.ts";
import { raceForChannels } from "../../lab/scenarios/races.ts";

/** Longer than a pause that a node must confirm its channels after, and than one after which it is replaced. */
const FROZEN_MS = 5_000;
const AWAY_MS = 4_000;
const RACES = 3;
/** More messages than a target gets in all of the test. */
const MESSAGES_MAX = 100_000;
/** Five times the goals, for a busy machine: more by `npm run cluster-lab`. */
const BACK_MS_MAX = 17_500;
const OVERLAP_MS_MAX = 5_000;

test("one of two nodes wins a channel, an owner that wakes writes nothing, streams and known keys go on without a database, and a killed owner is replaced", async () => {
  const lab = await Lab.start({ channels: 2, isProxied: false, messagesMax: MESSAGES_MAX });
  onTestFinished(() => lab.close());
  expect(await raceForChannels(lab, RACES)).toMatchObject({ faults: [], claims: RACES });

  const frozen = await freezeOwners(lab, 1, FROZEN_MS);
  expect(frozen.faults).toEqual([]);
  expect(frozen.overlapMs).toBeLessThan(OVERLAP_MS_MAX);

  const away = await outage(lab, "postgres", AWAY_MS);
  expect(away).toMatchObject({ faults: [], knownKeyMs: expect.any(Number) });
  expect(away.frames).toBeGreaterThan(500);

  const killed = await killOwners(lab, 1);
  expect(killed.faults).toEqual([]);
  expect(Math.max(...killed.backMs)).toBeLessThan(BACK_MS_MAX);
  expect(killed.overlapMs).toBeLessThan(OVERLAP_MS_MAX);
  expect(killed.writes.acknowledged).toBeGreaterThan(5);
});
