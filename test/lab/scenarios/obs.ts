import { setTimeout as pass } from "node:timers/promises";
import { ObsEncoder } from "../../support/encoders/obs-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { type Lab, mediaBehind } from "../lab.ts";
import { PublisherWatch } from "../publisher-watch.ts";

const DEADLINE_MS = 30_000;
const ON_AIR_MS = 5_000;
/** OBS's own setting, in seconds. */
const RETRY_SECONDS = 2;

export type ObsResult = { readonly backMs: readonly number[]; readonly overlapMs: number };

/** OBS streams through HAProxy. The owner is killed, `times` times; OBS comes back by itself. */
export async function killOwnersOfObs(lab: Lab, times: number): Promise<ObsResult> {
  const [channel] = lab.channels;
  if (channel === undefined) throw new Error("no channel");
  const { streamKey, channelId, targets } = channel;
  const place = { folder: lab.folder, publishUrl: lab.proxiedUrl, streamKey };
  const obs = await ObsEncoder.start({ ...place, retrySeconds: RETRY_SECONDS });
  const watch = new PublisherWatch(targets);
  const backMs: number[] = [];
  try {
    await lab.onAir(channel);
    for (let no = 0; no < times; no += 1) {
      await pass(ON_AIR_MS);
      const before = targets.map(({ connections }) => connections.length);
      const named = async () => (await lab.claims.owners()).get(channelId);
      const owner = lab.node(await waitFor("an owner", DEADLINE_MS, named));
      const killedMs = performance.now();
      void owner.fanfare.kill();
      for (const [index, target] of targets.entries())
        backMs.push((await mediaBehind(target, before[index] ?? 0, channelId)) - killedMs);
      await owner.fanfare.restart();
    }
    await obs.stopStreaming();
    return { backMs, overlapMs: watch.longestMs };
  } finally {
    watch.stop();
    await obs.kill();
  }
}
