import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Predecessor } from "../../../src/app/upgrade/predecessor.ts";
import { servingSocket } from "../../../src/app/upgrade/run-folder.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import type { ApiClient, Channel } from "../dashboard/api-client.ts";
import type { Child } from "../processes/children.ts";
import type { FanfareProcess } from "../processes/fanfare-process.ts";
import { longestGapMs } from "../processes/longest-gap.ts";
import { makeClip } from "../streams/clip.ts";
import { type LoopedClip, readLoopedClip } from "../streams/looped-stream.ts";
import { moreMedia } from "../targets/more-media.ts";
import { tlsInFrontOf } from "../targets/tls-target.ts";
import { publishUrl, Stage, uniqueKey } from "./stage.ts";

const MESSAGES_MAX = 1_000_000;

const quiet = () => undefined;
const LOG = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A process asks for the database, gets it, and ends before it has taken over. `during` runs while it has it. */
export async function failedUpgrade({ dataFolder }: FanfareProcess, during: () => Promise<void>): Promise<void> {
  const deps = { clock: systemClock, log: LOG, release: "0.0.0-fails" };
  const serving = await Predecessor.meet(servingSocket(dataFolder), deps);
  if (serving === undefined) throw new Error("no server");
  await serving.handOver();
  await during();
  serving.leave();
}

/** A server with a plain target and one behind TLS, whose encoder sends a clip over and over. */
export class UpgradeStage {
  readonly stage: Stage;
  readonly fanfare: FanfareProcess;
  readonly api: ApiClient;
  readonly channel: Channel;
  readonly targets: readonly KitTarget[];
  readonly clip: LoopedClip;
  readonly #path: string;

  private constructor(parts: {
    readonly stage: Stage;
    readonly fanfare: FanfareProcess;
    readonly api: ApiClient;
    readonly channel: Channel;
    readonly targets: readonly KitTarget[];
    readonly clip: LoopedClip;
    readonly path: string;
  }) {
    const { stage, fanfare, api, channel, targets, clip, path } = parts;
    this.stage = stage;
    this.fanfare = fanfare;
    this.api = api;
    this.channel = channel;
    this.targets = targets;
    this.clip = clip;
    this.#path = path;
  }

  static async open(
    whenOver: Parameters<typeof Stage.open>[0],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<UpgradeStage> {
    const stage = await Stage.open(whenOver);
    const { path } = await makeClip({ seconds: 6 });
    const options = { messagesMax: MESSAGES_MAX };
    const targets = [await stage.target({}, options), await stage.target({}, options)] as const;
    const front = await tlsInFrontOf(targets[1].port);
    stage.onClose(() => front.close());
    const caFile = join(stage.folder, "ca.pem");
    await writeFile(caFile, front.ca);
    const { api, fanfare } = await stage.server({ environment: { FANFARE_TLS_EXTRA_CA: caFile, ...environment } });
    const channel = await api.createChannel("upgraded", [
      { rtmpUrl: targets[0].url, streamKey: uniqueKey("plain") },
      { rtmpUrl: front.url, streamKey: uniqueKey("tls") },
    ]);
    return new UpgradeStage({ stage, fanfare, api, channel, targets, clip: await readLoopedClip(path), path });
  }

  /** FFmpeg, once media arrives at both targets. */
  async publish(): Promise<Child> {
    const encoder = await this.stage.ffmpeg({ path: this.#path }, publishUrl(this.channel), { loops: true });
    await this.moreMedia(300_000);
    return encoder;
  }

  /** Resolves when so many bytes more have arrived at each target. */
  moreMedia(bytes: number): Promise<void> {
    const media = () => this.targets.map(({ connections }) => connections.at(-1)?.report.mediaBytes ?? 0);
    return moreMedia(media, bytes, () => this.fanfare.output);
  }

  /** How many connections each target had, and how many of them are open. */
  get connections(): readonly (readonly [number, number])[] {
    return this.targets.map(({ connections }) => {
      return [connections.length, connections.filter(({ report }) => report.state === "open").length] as const;
    });
  }

  /** A newer process takes over. `gapMs`: the longest time in which no request to the API was answered with 200. */
  async upgrade(): Promise<{ readonly older: Child; readonly gapMs: number }> {
    const isAnswered = () =>
      this.api.channel(this.channel.channelId).then(
        () => true,
        () => false,
      );
    let older: Child | undefined;
    const gapMs = await longestGapMs(isAnswered, async () => {
      older = await this.fanfare.upgrade();
    });
    if (older === undefined) throw new Error("no older process");
    return { older, gapMs };
  }
}
