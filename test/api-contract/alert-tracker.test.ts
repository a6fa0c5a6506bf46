import { expect, test } from "vitest";
import { type AlertRules, isAlertWanted } from "../../src/api-contract/alerts/alert-rules.ts";
import { type Alert, AlertTracker, type AlertVerdict } from "../../src/api-contract/alerts/alert-tracker.ts";

const CHANNEL = "ls-1";
const HEALTHY: AlertVerdict = { state: "healthy" };
const WAITING: AlertVerdict = { state: "waiting", reason: { code: "WAITS_FOR_ENCODER" } };
const broken = (code: string, platId?: number): AlertVerdict => ({ state: "broken", reason: { code, platId } });
const attention = (code: string): AlertVerdict => ({ state: "attention", reason: { code } });

const short = ({ severity, verdict, troubleCount }: Alert<AlertVerdict>): string =>
  [severity, verdict.reason?.code ?? "-", ...(troubleCount > 0 ? [`x${troubleCount}`] : [])].join(" ");

/** Plays verdicts at seconds, and returns which alert came at which second. */
function play(steps: readonly (readonly [second: number, verdict: AlertVerdict])[], untilSecond = 0) {
  const tracker = new AlertTracker<AlertVerdict>();
  const told: string[] = [];
  const rest = [...steps];
  for (let second = 0; second <= Math.max(untilSecond, steps.at(-1)?.[0] ?? 0); second += 1) {
    for (const alert of tracker.due(second * 1_000)) told.push(`${second}: ${short(alert)}`);
    while (rest[0]?.[0] === second) {
      const alert = tracker.take(CHANNEL, rest[0][1], second * 1_000);
      if (alert !== undefined) told.push(`${second}: ${short(alert)}`);
      rest.shift();
    }
  }
  return { told, tracker };
}

test("a trouble gives an alert at once, another reason a minute later, and so does its end", () => {
  const steps = [
    [0, HEALTHY],
    [5, broken("STALLED", 1)],
    [6, broken("STALLED", 1)],
    [20, broken("DNS_FAILED", 2)],
    [100, HEALTHY],
    [200, HEALTHY],
  ] as const;
  expect(play(steps, 200).told).toEqual(["5: broken STALLED", "65: broken DNS_FAILED", "125: healthy -"]);
});

test("a trouble that gets worse within the minute gives an alert at once, and only once", () => {
  const steps = [
    [0, HEALTHY],
    [5, attention("SLOW")],
    [10, broken("STALLED", 1)],
    [12, attention("SLOW")],
    [13, broken("DNS_FAILED", 1)],
  ] as const;
  expect(play(steps, 69).told).toEqual(["5: attention SLOW", "10: broken STALLED"]);
  expect(play(steps, 70).told.at(-1)).toBe("70: broken DNS_FAILED");
});

test("a channel that flaps gives one alert a minute, which counts the changes", () => {
  const steps = [...Array(30).keys()].flatMap((index) => [
    [index * 4, HEALTHY] as const,
    [index * 4 + 2, broken("STALLED", 1)] as const,
  ]);
  const { told } = play([...steps, [120, HEALTHY]], 400);
  expect(told).toEqual(["2: broken STALLED", "62: broken - x14", "122: broken - x15"]);
});

test("a trouble that comes and goes once within the minute gives one more alert only when it ended", () => {
  const blip = [[0, HEALTHY] as const, [5, broken("STALLED", 1)] as const, [7, HEALTHY] as const];
  expect(play(blip, 300).told).toEqual(["5: broken STALLED", "65: healthy -"]);
  expect(play([...blip, [9, broken("STALLED", 1)]], 300).told).toEqual(["5: broken STALLED"]);
});

test("a process that goes on with a broadcast tells the end of a trouble that another one told", () => {
  const handOver = (steps: Parameters<typeof play>[0], atSecond: number, verdicts: readonly AlertVerdict[]) => {
    const { tracker } = play(steps);
    const heir = new AlertTracker<AlertVerdict>();
    const told = tracker.told(CHANNEL, atSecond * 1_000);
    // Its clock began later.
    if (told !== undefined) heir.resume(CHANNEL, told, 0);
    const alerts = verdicts.map((verdict, second) => heir.take(CHANNEL, verdict, second * 1_000));
    const late = [30_000, 60_000].flatMap((nowMs) =>
      heir.due(nowMs).map((alert) => `${nowMs / 1_000}: ${short(alert)}`),
    );
    return [...alerts.flatMap((alert, second) => (alert === undefined ? [] : [`${second}: ${short(alert)}`])), ...late];
  };
  const stalled = [
    [0, HEALTHY],
    [5, broken("STALLED", 1)],
  ] as const;
  expect(handOver(stalled, 100, [broken("STALLED", 1), HEALTHY, HEALTHY])).toEqual(["1: healthy -"]);
  expect(handOver(stalled, 100, [HEALTHY])).toEqual(["0: healthy -"]);
  expect(handOver(stalled, 100, [broken("DNS_FAILED", 1)])).toEqual(["0: broken DNS_FAILED"]);
  expect(handOver(stalled, 100, [attention("SLOW"), HEALTHY])).toEqual(["1: healthy -"]);
  // Within the quiet minute of the alert it waits for the rest of that.
  expect(handOver(stalled, 35, [HEALTHY])).toEqual(["30: healthy -"]);
  expect(handOver([...stalled, [20, HEALTHY]], 35, [HEALTHY])).toEqual(["30: healthy -"]);
  expect(
    handOver(
      [
        [0, HEALTHY],
        [5, attention("SLOW")],
      ],
      35,
      [attention("SLOW"), broken("STALLED", 1)],
    ),
  ).toEqual(["1: broken STALLED"]);
  // A person has ended the broadcast, or nothing was told.
  expect(handOver(stalled, 100, [WAITING, HEALTHY])).toEqual([]);
  expect(handOver([[0, HEALTHY]], 100, [broken("STALLED", 1), HEALTHY])).toEqual([]);
  expect(handOver([...stalled, [100, HEALTHY]], 200, [broken("STALLED", 1), HEALTHY])).toEqual([]);
});

test("an action of a person gives no alert: an end, a channel that is off, platforms that are turned off on air", () => {
  expect(
    play(
      [
        [0, HEALTHY],
        [5, WAITING],
      ],
      100,
    ).told,
  ).toEqual([]);
  expect(
    play(
      [
        [0, HEALTHY],
        [5, { state: "off", reason: { code: "CHANNEL_OFF" } }],
      ],
      100,
    ).told,
  ).toEqual([]);
  expect(
    play(
      [
        [0, HEALTHY],
        [5, attention("PLATFORMS_OFF")],
        [9, HEALTHY],
      ],
      100,
    ).told,
  ).toEqual([]);
  expect(
    play(
      [
        [0, WAITING],
        [5, attention("PLATFORMS_OFF")],
      ],
      100,
    ).told,
  ).toEqual(["5: attention PLATFORMS_OFF"]);
  const heldThenEnded = [
    [0, HEALTHY],
    [5, broken("ENCODER_LOST")],
    [9, WAITING],
    [20, HEALTHY],
  ] as const;
  expect(play(heldThenEnded, 100).told).toEqual(["5: broken ENCODER_LOST"]);
});

test("a channel's first verdict gives no alert, also after it was forgotten", () => {
  const { told, tracker } = play([[0, broken("STALLED", 1)]], 100);
  expect(told).toEqual([]);
  expect(tracker.take(CHANNEL, broken("DNS_FAILED"), 101_000)).toBeDefined();
  tracker.forget(CHANNEL);
  expect(tracker.take(CHANNEL, broken("STALLED"), 300_000)).toBeUndefined();
});

test("a lost broadcast gives an alert, unless the channel was reported as broken within the minute", () => {
  const lost = broken("LOST");
  const { tracker } = play([
    [0, HEALTHY],
    [5, attention("SLOW")],
    [6, WAITING],
  ]);
  expect(tracker.lost(CHANNEL, lost, 7_000)).toMatchObject({ severity: "broken", verdict: lost });
  expect(tracker.lost(CHANNEL, lost, 66_999)).toBeUndefined();
  expect(tracker.lost(CHANNEL, lost, 67_000)).toBeDefined();
  expect(tracker.lost("ls-2", lost, 0)).toBeDefined();
});

test("the tracker returns when its next alert is due", () => {
  const { tracker } = play([
    [0, HEALTHY],
    [5, broken("STALLED")],
  ]);
  expect(tracker.nextDueMs).toBeUndefined();
  tracker.take(CHANNEL, HEALTHY, 6_000);
  expect(tracker.nextDueMs).toBe(65_000);
});

test("rules select by severity, and by channel id or label", () => {
  const rules: AlertRules = { scope: "all", channelIds: ["ls-1"], labels: ["Studio"], severities: ["broken"] };
  const wanted = (change: Partial<AlertRules>, channelId = "ls-2", labels?: readonly string[]) =>
    isAlertWanted({ ...rules, ...change }, "broken", { channelId, labels });
  expect(wanted({})).toBe(true);
  expect(wanted({ severities: ["attention", "healthy"] })).toBe(false);
  expect([wanted({ scope: "channels" }), wanted({ scope: "channels" }, "ls-1")]).toEqual([false, true]);
  expect(wanted({ scope: "labels" })).toBe(false);
  expect(wanted({ scope: "labels" }, "ls-2", ["news", "STUDIO"])).toBe(true);
});
