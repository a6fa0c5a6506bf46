import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { RtmpDialer } from "../../../src/egress/dialer.ts";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { Engine } from "../../../src/relay/engine.ts";
import type { Link } from "../../../src/relay/subscriber/rtmp-push/link.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { ConnectStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { ALLOWED, resolverOf } from "../../support/stages/dialling.ts";
import { Stage } from "../../support/stages/stage.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { isAudio, isCodedMedia, isKeyframe, isVideo, stepsBack } from "../../support/streams/flv-file.ts";
import { mediaMessage } from "../../support/streams/media-messages.ts";
import { startFfmpegReceiver } from "../../support/targets/ffmpeg-receiver.ts";

/**
 * One video and one audio frame each second, until well after 4 h 39 min 37 s: there timestamps no longer fit 24 bits.
 */
const SECONDS = 4 * 3_600 + 41 * 60;
const STEP_MS = 1_000;
const FLUSHED_MS = 100;
const DEADLINE_MS = 20_000;

/** A relay on the test's time, with real links. */
function longRelay() {
  const clock = new VirtualClock();
  const links: Link[] = [];
  const statuses: ConnectStatus[] = [];
  const network = new RtmpDialer({
    clock: systemClock,
    randomBytes,
    resolver: resolverOf(),
    policy: ALLOWED,
    onFault: (error) => {
      throw error;
    },
  });
  const dialer = {
    dial: (...call: Parameters<RtmpDialer["dial"]>) => {
      const link = network.dial(...call);
      links.push(link);
      return link;
    },
  };
  const engine = new Engine({
    clock,
    random: Math.random,
    dialer,
    onFact: (fact) => {
      if (fact.kind === "target-status") statuses.push(fact.status.status);
    },
    report: () => undefined,
  });
  onTestFinished(() => {
    for (const link of links) link.close("abort");
  });
  return { clock, engine, links, statuses, idle: () => network.idle() };
}

test("a broadcast of 4 h 41 min reaches nginx-rtmp and FFmpeg with its time whole, though both count in 24 bits first", async () => {
  const stage = await Stage.open();
  const nginx = await stage.nginx();
  const path = join(stage.folder, "received.flv");
  const receiver = await startFfmpegReceiver("long", path);
  stage.encoder(receiver.child);
  const { path: clipPath } = await makeClip({ seconds: 6, kilobits: 100, size: "160x120" });
  const tags = readFlv(await readFile(clipPath));
  const videoTags = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
  const audioTags = tags.filter((tag) => isAudio(tag) && isCodedMedia(tag));
  // Whole GOPs, so that a decoder can follow the loop.
  const round = videoTags.slice(0, videoTags.findLastIndex(isKeyframe));

  const { clock, engine, links, statuses, idle } = longRelay();
  const targets = [nginx.url, receiver.url].map((url, index) => {
    return { targetId: index + 1, url, streamKey: "long", isEnabled: true };
  });
  engine.introduce({ channelId: "ls-1", revision: 1, holdSeconds: 0, targets });
  const onDismissed = () => undefined;
  const source = engine.open("ls-1", { slot: "main", remoteAddress: "", encoder: "", onDismissed });
  const push = (tag: FlvTag, timestamp: number) => source?.push(mediaMessage({ ...tag, timestamp }));
  for (const header of tags.filter((tag) => !isCodedMedia(tag)).slice(0, 3)) push(header, 0);
  for (let second = 0; second < SECONDS; second += 1) {
    for (const looped of [round, audioTags]) {
      const tag = looped[second % looped.length];
      if (tag !== undefined) push(tag, second * STEP_MS);
    }
    if (second === 0) {
      const areOn = () => (statuses.filter((status) => status === "PUBLISHING").length === 2 ? true : undefined);
      await waitFor("both targets", DEADLINE_MS, areOn, () => statuses.join());
    }
    clock.advance(FLUSHED_MS);
    // The receivers are quick, but not as quick as this clock.
    while (links.some(({ pendingBytes }) => pendingBytes > 0)) await turn();
    clock.advance(STEP_MS - FLUSHED_MS);
  }
  source?.end("clean");
  expect(await receiver.child.exited, receiver.child.stderr()).toEqual({ code: 0, signal: null });
  await idle();
  expect(links).toHaveLength(2);

  const isWhole = (got: readonly FlvTag[]) => got.filter((tag) => isVideo(tag) && isCodedMedia(tag)).length >= SECONDS;
  const recorded = (await nginx.waitForRecording("long", isWhole, DEADLINE_MS)).tags;
  const expected = Array.from({ length: SECONDS }, (_, second) => second * STEP_MS);
  for (const got of [recorded, readFlv(await readFile(path))]) {
    const media = got.filter(isCodedMedia);
    expect(media.filter(isVideo).map(({ timestamp }) => timestamp)).toEqual(expected);
    expect(stepsBack(media)).toEqual([]);
  }
});
