import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { startChild } from "../../support/processes/children.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { UpgradeStage } from "../../support/stages/upgrade-stage.ts";

const DEADLINE_MS = 60_000;
/** More than a start looks. */
const LOOKS_MAX = 20;
const SCRIPT = fileURLToPath(new URL("../../app/upgrade/stop-while-taking-over.ts", import.meta.url));

test("a new process that is asked to stop, at any moment of its start, leaves everything to the old one, or ends it", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await UpgradeStage.open(onTestFinished);
  const { api, channel, fanfare } = stage;
  await stage.publish();
  const older = fanfare.exited;
  const takeOver = async (lookAt: number) => {
    const env = { ...fanfare.environment, FANFARE_TAKE_OVER: "yes" };
    const child = await startChild(process.execPath, [SCRIPT, `${lookAt}`], { cwd: ROOT, env });
    onTestFinished(async () => void (await child.stop("SIGKILL", 0)));
    expect(await child.exited, child.stdout() + child.stderr()).toEqual({ code: 0, signal: null });
    return child.stderr();
  };
  const isAnswered = () =>
    api.channel(channel.channelId).then(
      ({ isPublishing }) => isPublishing || undefined,
      () => undefined,
    );
  for (let lookAt = 1; ; lookAt += 1) {
    expect(lookAt).toBeLessThan(LOOKS_MAX);
    const outcome = await takeOver(lookAt);
    if (outcome.includes("started")) break;
    expect(outcome).toContain("given up");
    await waitFor("the old process to answer", DEADLINE_MS, isAnswered, () => fanfare.output);
    await api.createChannel(`written_${lookAt}`, [{ rtmpUrl: stage.targets[0]?.url ?? "", streamKey: "unused" }]);
    expect(stage.connections).toEqual([
      [1, 1],
      [1, 1],
    ]);
  }
  // The one that was not asked to stop took over, and its end was that of the whole server.
  expect(await older).toEqual({ code: 0, signal: null });
  // Its sockets are closed with it, and the targets notice that a moment later.
  await expect.poll(() => stage.connections.map(([, open]) => open), { timeout: DEADLINE_MS }).toEqual([0, 0]);
});
