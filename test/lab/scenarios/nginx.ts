import { hash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { ingestUrl } from "../../support/cluster/lab-node.ts";
import { startFfmpeg } from "../../support/encoders/ffmpeg-encoder.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isCodedMedia, isVideo } from "../../support/streams/flv-file.ts";
import { readLoopedClip } from "../../support/streams/looped-stream.ts";
import { NginxTarget, type Recording } from "../../support/targets/nginx-target.ts";
import { type Lab, mediaBehind } from "../lab.ts";
import { publish } from "./freezes.ts";

/** Longer than a run, so that each frame is there once and its number is its place. */
const CLIP = { seconds: 60, kilobits: 300, size: "320x180" };
const STEP_MS = 5_000;
const DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 3_000;

export type NginxResult = {
  /** Recordings of nginx, and the frames of video in each. */
  readonly frames: readonly number[];
  /** The last frame of video before the kill and the first one after it, as numbers of the clip. */
  readonly seam: readonly [last: number, first: number];
  readonly faults: readonly string[];
};

/**
 * FFmpeg streams through one node to an owner, which has a real nginx as a platform, and is killed. Every frame that nginx
 * recorded, before and after, is compared with the clip and decoded.
 */
export async function killBeforeNginx(lab: Lab): Promise<NginxResult> {
  const [channel] = lab.channels;
  const [owner, visitor] = lab.nodes;
  if (channel === undefined || owner === undefined || visitor === undefined) throw new Error("no channel or node");
  const key = `nginx-${Date.now()}`;
  const nginx = await NginxTarget.start(join(lab.folder, key));
  try {
    await owner.api.addPlatform(channel.channelId, { rtmpUrl: nginx.url, streamKey: key });
    const clip = await makeClip(CLIP);
    const first = await publish(channel, owner);
    await lab.onAir(channel);
    const isOwner = async () => (await lab.claims.owners()).get(channel.channelId) === owner.name || undefined;
    await waitFor("the ownership", DEADLINE_MS, isOwner);
    const ffmpeg = await startFfmpeg(clip, `${ingestUrl(visitor)}/${channel.streamKey}`);
    await first.closed;
    await pass(STEP_MS);
    const dialled = channel.targets.map(({ connections }) => connections.length);
    await owner.fanfare.kill();
    await Promise.all(channel.targets.map((target, at) => mediaBehind(target, dialled[at] ?? 0, channel.channelId)));
    await pass(STEP_MS);
    await ffmpeg.stop("SIGINT", STOP_GRACE_MS);
    await owner.fanfare.restart();
    return await judged(await nginx.recordings(key), clip.path);
  } finally {
    await nginx.stop();
  }
}

async function judged(recordings: readonly Recording[], clipPath: string): Promise<NginxResult> {
  const { video } = await readLoopedClip(clipPath);
  const faults = recordings.length === 2 ? [] : [`nginx recorded ${recordings.length} times, not twice`];
  const numbers: (readonly number[])[] = [];
  for (const [index, { path, tags }] of recordings.entries()) {
    const coded = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
    const all = coded.map(({ payload }) => video.indexOf(hash("sha256", payload)));
    // The first recording begins with the first encoder's frames, which are no part of the clip.
    const from = index === 0 ? all.findIndex((number) => number >= 0) : 0;
    const ours = all.slice(from);
    numbers.push(ours);
    for (const [at, number] of ours.entries())
      if (number !== (ours[0] ?? 0) + at)
        faults.push(`recording ${index}: frame ${at} is number ${number} of the clip`);
    const errors = await decodingErrors(path);
    if (errors !== "") faults.push(`recording ${index} is not decoded without errors: ${errors.slice(0, 300)}`);
  }
  const [before = [], after = []] = numbers;
  return { frames: numbers.map(({ length }) => length), seam: [before.at(-1) ?? -1, after[0] ?? -1], faults };
}
