import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { MediaPool, type MediaPoolDeps } from "../../../src/app/control-thread/media/media-pool.ts";
import type { ThreadNews } from "../../../src/app/control-thread/media/thread-news.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { Admitted } from "../../../src/control/access/admission.ts";
import { PreviewAccess } from "../../../src/control/access/preview-access.ts";
import { LiveState } from "../../../src/control/live/live-state.ts";
import { LocalPlacement } from "../../../src/placement/local-placement.ts";
import { type EncoderOptions, KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { KitTarget, type TargetOptions } from "../../../src/testkit/target/target.ts";
import type { ChannelSpec, IngestSlot } from "../../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { ChannelSample } from "../../../src/thread-protocol/samples.ts";

export type PoolOptions = Partial<
  Pick<
    MediaPoolDeps["options"],
    "threads" | "rtmpPort" | "proxyProtocolFrom" | "connectionLimits" | "rtmps" | "channelKeptMs" | "directSockets"
  >
> &
  Partial<Pick<MediaPoolDeps, "admit" | "clock" | "findIngestUser" | "placement">>;

type LogLine = { readonly event: string; readonly fields: Readonly<Record<string, unknown>> };

/**
 * Media threads without the rest of the server. Keeps their facts. Targets and encoders end with the test, the threads
 * too unless `whenOver` is that of a file.
 */
export class PoolStage {
  readonly pool: MediaPool;
  readonly view = new LiveState(systemClock);
  readonly previewAccess = new PreviewAccess({ clock: systemClock, randomBytes });
  readonly facts: Fact[] = [];
  readonly samples: ChannelSample[] = [];
  readonly logged: LogLine[] = [];
  readonly news: ThreadNews[] = [];
  readonly #keys = new Map<string, Admitted>();
  #port = 0;
  #channels = 0;

  constructor(options: PoolOptions = {}, whenOver: (stop: () => Promise<void>) => void = onTestFinished) {
    const { threads = 1, rtmpPort = 0, admit, findIngestUser = async () => undefined, ...others } = options;
    const note = (event: string, fields: LogLine["fields"] = {}) => void this.logged.push({ event, fields });
    const log: Log = { debug: note, info: note, warn: note, error: note };
    const { placement = new LocalPlacement(log), clock = systemClock, ...rest } = others;
    this.pool = new MediaPool({
      options: {
        ...{ rtmpHost: "127.0.0.1", rtmpPort, threads, retriesPerSecond: 20, loadMax: 1, targetAllow: "127.0.0.0/8" },
        ...{ directSockets: true, ownPorts: [], ownHosts: [] },
        delays: { folder: join(tmpdir(), "fanfare-no-delays"), keepFreeBytes: 0, bytesMax: 1 },
        ...rest,
      },
      ...{ placement, clock, log, view: this.view, previewAccess: this.previewAccess, findIngestUser },
      admit: admit ?? (async (key) => this.#keys.get(key)),
      readSpec: async (channelId) => this.#keys.get(channelId)?.spec,
      onFact: (fact) => {
        this.view.fact(fact);
        this.facts.push(fact);
      },
      onSamples: (samples) => {
        this.view.samples(samples);
        this.samples.push(...samples);
      },
      onThread: (news) => this.news.push(news),
      linkRecorder: () => undefined,
    });
    whenOver(() => this.pool.stop("cut"));
  }

  async start(): Promise<number> {
    this.#port = await this.pool.start();
    return this.#port;
  }

  /** The publish URL. */
  get url(): string {
    return `rtmp://127.0.0.1:${this.#port}/relay`;
  }

  async target(options: TargetOptions = {}): Promise<KitTarget> {
    const target = await KitTarget.start(options);
    onTestFinished(() => target.close());
    return target;
  }

  /** A new channel; its keys are its id, with `-backup` added for the second one. */
  channel(
    targets: readonly KitTarget[],
    settings: Partial<Pick<ChannelSpec, "holdSeconds" | "latency">> = {},
  ): ChannelSpec {
    this.#channels += 1;
    const spec: ChannelSpec = {
      ...{ channelId: `ls-${this.#channels}`, revision: 1, holdSeconds: 60, ...settings },
      targets: targets.map(({ url }, index) => ({
        ...{ targetId: this.#channels * 100 + index, url, streamKey: `key-${this.#channels}`, isEnabled: true },
      })),
    };
    this.#admit(spec, "main");
    this.#admit(spec, "backup");
    return spec;
  }

  encoder(
    streamKey: string,
    options: Omit<EncoderOptions, "url" | "streamKey"> & Partial<Pick<EncoderOptions, "url">>,
  ): KitEncoder {
    const encoder = new KitEncoder({ url: this.url, streamKey, ...options });
    onTestFinished(async () => void (await encoder.stop("reset")));
    return encoder;
  }

  /** The name of the thread that owns a channel. */
  ownerOf(channelId: string): unknown {
    return this.logged.findLast(({ event, fields }) => event === "channel placed" && fields["channelId"] === channelId)
      ?.fields["thread"];
  }

  /** How many encoders, or players, of a channel came to another thread than its owner. */
  remoteConnections(channelId: string, what: "encoder" | "player" = "encoder"): number {
    return this.logged.filter(({ event, fields }) => event === `remote ${what}` && fields["channelId"] === channelId)
      .length;
  }

  /** The facts about one channel, as kinds and target statuses: `ingest-started`, `PUBLISHING`. */
  factsOf(channelId: string): string[] {
    return this.facts
      .filter((fact) => "channelId" in fact && fact.channelId === channelId)
      .map((fact) => (fact.kind === "target-status" ? fact.status.status : fact.kind));
  }

  #admit(spec: ChannelSpec, slot: IngestSlot): void {
    this.#keys.set(slot === "main" ? spec.channelId : `${spec.channelId}-backup`, { spec, slot });
  }
}
