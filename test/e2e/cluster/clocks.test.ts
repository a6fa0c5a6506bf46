import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { WebhookReceiver } from "../../support/processes/webhook-receiver.ts";
import { Stage } from "../../support/stages/stage.ts";

/** How far the clock of the second node is ahead: longer than the longest pause between two attempts. */
const AHEAD_MS = 3 * 60 * 60 * 1_000;
const DEADLINE_MS = 60_000;
/** The first pauses between attempts are at least so long, in milliseconds. */
const PAUSES_MS = [2_500, 5_000];
/** The channel whose events are not taken at first. */
const LATE = "late_one";
const PLATFORM = { rtmpUrl: "rtmp://127.0.0.1:1/app", streamKey: "none" };
/** Between the end of an attempt, from which a pause counts, and the moment at which the test saw its begin. */
const SEEN_MS = 250;

test("a webhook that fails is tried again after its pauses, also beside a node whose clock is hours ahead", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const { api } = await cluster.node("a");
  const clockFile = join(stage.folder, "clock");
  await writeFile(clockFile, `${AHEAD_MS}`);
  const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "stepping-clock.mjs"));
  await cluster.node("b", { NODE_OPTIONS: `--import=${preload}`, FANFARE_TEST_CLOCK_FILE: clockFile });

  const receiver = await WebhookReceiver.start();
  onTestFinished(() => receiver.close());
  const attemptsMs: number[] = [];
  receiver.answerWith((body) => {
    if (!body.includes(LATE)) return 204;
    attemptsMs.push(performance.now());
    return attemptsMs.length <= PAUSES_MS.length ? 503 : 204;
  });
  const answer = await api.request("POST", "/api/v2/events/callbackEndpoint", {
    callbackUrl: `http://127.0.0.1:${receiver.port}/hook`,
  });
  stage.keepSecret(z.looseObject({ webhookSecret: z.string() }).parse(answer).webhookSecret);
  await api.createChannel(LATE, [PLATFORM]);
  // Each further event lets both nodes look for what is due.
  let changes = 0;
  await waitFor(
    "the attempt that succeeds",
    DEADLINE_MS,
    async () => {
      changes += 1;
      await api.createChannel(`other_${changes}`, [PLATFORM]);
      return attemptsMs.length > PAUSES_MS.length || undefined;
    },
    () => cluster.output,
  );
  const [first = 0, second = 0, third = 0] = attemptsMs;
  expect(second - first).toBeGreaterThan((PAUSES_MS[0] ?? 0) - SEEN_MS);
  expect(third - second).toBeGreaterThan((PAUSES_MS[1] ?? 0) - SEEN_MS);
});
