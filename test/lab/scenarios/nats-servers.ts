import { setTimeout as pass } from "node:timers/promises";
import { ingestUrl } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { comparedFrames } from "../compared-frames.ts";
import type { Lab } from "../lab.ts";

const CLIP = { seconds: 6, kilobits: 300, size: "320x180" };
/** How long one server is away, in milliseconds. */
const ONE_AWAY_MS = 12_000;
const SETTLE_MS = 5_000;
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;
const LOOK_MS = 10;
/** The goal for an edit while NATS is away, in milliseconds. */
const EDIT_MS_MAX = 6_000;

export type NatsServersResult = {
  readonly frames: number;
  /** From an edit at a node that is not the owner until a target is left or dialled, by what is away, in milliseconds. */
  readonly editMs: readonly (readonly [away: string, tookMs: number])[];
  readonly faults: readonly string[];
};

/**
 * Kills each NATS server in turn, then all of them for `allMs`, while FFmpeg streams into a channel. During each absence a
 * platform of another channel of the owner is turned off or on at another node.
 */
export async function killNatsServers(lab: Lab, allMs: number): Promise<NatsServersResult> {
  const [channel, edited] = lab.channels;
  const [owner, other] = lab.nodes;
  if (channel === undefined || edited === undefined || owner === undefined || other === undefined)
    throw new Error("too few channels or nodes");
  const clip = await makeClip(CLIP);
  const encoders = [
    await startFfmpeg(clip, `${ingestUrl(owner)}/${channel.streamKey}`, { loops: true }),
    await startFfmpeg(clip, `${ingestUrl(owner)}/${edited.streamKey}`, { loops: true }),
  ];
  const faults: string[] = [];
  const editMs: (readonly [string, number])[] = [];
  const [target] = edited.targets;
  const [platform] = await other.api.platforms(edited.channelId);
  if (target === undefined || platform === undefined) throw new Error("no target");
  const url = `/api/v2/re-stream/channels/${edited.channelId}/platforms/${platform.platId}`;
  let isOn = true;
  const openCount = () => target.connections.filter(({ report }) => report.state === "open").length;
  const edit = async (away: string) => {
    isOn = !isOn;
    const startMs = performance.now();
    const answered = other.api.request("PUT", `${url}/${isOn ? "on" : "off"}`);
    const isDone = () => (openCount() === (isOn ? 1 : 0) ? performance.now() : undefined);
    const doneMs = await waitFor("an edit", DEADLINE_MS, isDone, () => owner.fanfare.output.slice(-2_000), LOOK_MS);
    await answered;
    editMs.push([away, doneMs - startMs]);
    if (doneMs - startMs > EDIT_MS_MAX) faults.push(`away: ${away}: an edit took ${Math.round(doneMs - startMs)} ms`);
  };
  const before = channel.targets.map(() => 0);
  try {
    await lab.onAir(channel);
    await lab.onAir(edited);
    await edit("none");
    for (const [no, server] of lab.services.natsServers.entries()) {
      await server.kill();
      const killedMs = performance.now();
      await edit(`server ${no + 1}, just killed`);
      await pass(ONE_AWAY_MS - (performance.now() - killedMs));
      await edit(`server ${no + 1}`);
      await server.resume();
      await pass(SETTLE_MS);
    }
    for (const server of lab.services.natsServers) await server.kill();
    await edit("all");
    await pass(allMs);
    for (const server of lab.services.natsServers) await server.resume();
    await pass(SETTLE_MS);
    await edit("none any more");
    const compared = await comparedFrames(channel, before, clip.path, "NATS servers");
    return { frames: compared.frames, editMs, faults: [...faults, ...compared.faults] };
  } finally {
    for (const encoder of encoders) await encoder.stop("SIGINT", STOP_GRACE_MS);
  }
}
