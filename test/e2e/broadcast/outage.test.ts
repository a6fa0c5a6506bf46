import { setTimeout as pass } from "node:timers/promises";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { NetworkNamespace } from "../../support/processes/network-namespace.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { NginxTarget } from "../../support/targets/nginx-target.ts";

/** By then it is known how often a target acknowledges. */
const SETTLED_SECONDS = 10;
/** Longer than it takes to count as stalled, and than a link that takes nothing was ever kept. */
const OUTAGE_MS = 12_000;
/** An outage of n s costs n + 15 s at most. */
const BACK_MS_MAX = 15_000;
const PORT = 1_935;

async function inNamespace(stage: Stage, index: number): Promise<[NetworkNamespace, NginxTarget]> {
  const namespace = await NetworkNamespace.open(index);
  stage.onClose(() => namespace.close());
  const { host, wrapper } = namespace;
  const nginx = await NginxTarget.start(`${stage.folder}/nginx-${index}`, { host, port: PORT, wrapper });
  stage.onClose(() => nginx.stop());
  return [namespace, nginx];
}

test.runIf(NetworkNamespace.isPossible)(
  "a target cut off for 12 s that refuses a second publisher is on air within 15 s of its path; one that takes a fifth stays on air; one that hangs is reported",
  async () => {
    const stage = await Stage.open();
    const [[dark, refusing], [narrow, slow]] = [await inNamespace(stage, 200), await inNamespace(stage, 201)];
    const hanging = await stage.nginx();
    const { api } = await stage.server({ environment: { FANFARE_TARGET_ALLOW: "127.0.0.0/8,10.77.0.0/16" } });
    const channel = await api.createChannel("outage", [
      { rtmpUrl: refusing.url, streamKey: uniqueKey("refusing") },
      { rtmpUrl: slow.url, streamKey: uniqueKey("slow") },
      { rtmpUrl: hanging.url, streamKey: uniqueKey("hanging") },
    ]);
    const watch = stage.watch(api, channel);
    stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: 470 }) });
    for (const index of [0, 1, 2])
      await watch.until(index, (platform) => platform.totalPlaySecond >= SETTLED_SECONDS, 30_000);
    hanging.hang(true);
    await narrow.limit(100);
    await dark.filter({ input: `tcp dport ${PORT} drop` });
    const darkUntilMs = performance.now() + OUTAGE_MS;
    const returns = async () => {
      const stalled = await watch.until(0, ({ connectStatus }) => connectStatus === "FAIL", OUTAGE_MS);
      expect(stalled.lastError?.code).toBe("STALLED");
      expect(stalled["unackedBytes"]).toBeGreaterThan(0);
      await pass(Math.max(0, darkUntilMs - performance.now()));
      await dark.unfilter();
      const pathAtMs = performance.now();
      await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", 20_000);
      // It takes 3 s.
      expect(performance.now() - pathAtMs).toBeLessThan(BACK_MS_MAX);
    };
    const hangs = async () => {
      // Its kernel mostly accepts megabytes before its window shuts; where that is small, the shut window shows first. Both are true.
      const hung = await watch.until(2, ({ connectStatus }) => connectStatus === "FAIL", OUTAGE_MS);
      expect(hung.lastError?.code).toBe("STALLED");
      expect(hung.lastError?.message).toMatch(/acknowledged nothing|taken no data/);
      hanging.hang(false);
    };
    // Side by side: one that is slow to show must not make the other's outage longer.
    await Promise.all([returns(), hangs()]);
    await watch.until(1, ({ warning }) => warning !== undefined, 20_000);
    await watch.until(2, ({ connectStatus }) => connectStatus === "PUBLISHING", 5_000);
    expect(watch.latest(2)?.totalRetryCount).toBe(0);
    // No publisher was refused: the old one was gone before the new one came.
    expect(watch.errorCodes(0)).toEqual(["STALLED"]);
    expect(watch.statuses(1).filter((status) => status !== "READY" && status !== "CONNECTING")).toEqual(["PUBLISHING"]);
    expect(watch.latest(1)?.["warning"]).toMatchObject({ code: "SLOW" });
  },
);
