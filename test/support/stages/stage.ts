import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type EncoderOptions, KitEncoder } from "../../../src/testkit/encoder/encoder.ts";
import { FaultProxy, type ProxyOptions } from "../../../src/testkit/proxy/fault-proxy.ts";
import { KitTarget, type TargetOptions } from "../../../src/testkit/target/target.ts";
import { ApiClient, type Channel, type Credentials } from "../dashboard/api-client.ts";
import { PlatformWatch } from "../dashboard/platform-watch.ts";
import { type FfmpegOptions, startFfmpeg } from "../encoders/ffmpeg-encoder.ts";
import type { Child } from "../processes/children.ts";
import { type FanfareOptions, FanfareProcess } from "../processes/fanfare-process.ts";
import { freePort } from "../processes/free-port.ts";
import type { Clip } from "../streams/clip.ts";
import { type NginxPlace, NginxTarget } from "../targets/nginx-target.ts";

const STOP_GRACE_MS = 3_000;

/** Where an encoder sends to. */
export const publishUrl = (channel: Channel): string => `${channel.publishUrl}/${channel.streamKey}`;

/** A name that no other run uses: a key that can be searched in all of a server's output. */
export const uniqueKey = (name: string): string => `${name}-${randomBytes(8).toString("hex")}`;

/**
 * Everything a test starts, in a folder of its own. All of it is stopped and removed when the test is over, however it
 * ended, and then no server's output may contain a secret.
 */
export class Stage {
  readonly folder: string;
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #servers: FanfareProcess[] = [];
  readonly #secrets = new Set<string>();
  #nginxCount = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Calls `whenOver` with the function that closes it: a stage of several tests does not end with the first of them.
   */
  static async open(whenOver: (close: () => Promise<void>) => void = onTestFinished): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), "fanfare-test-")));
    whenOver(() => stage.#close());
    return stage;
  }

  /** A server with a manager key from outside, and a client that has it. */
  async server(options: Omit<ServerOptions, "credentials"> = {}): Promise<Server> {
    const credentials = {
      accessKey: randomBytes(10).toString("hex").toUpperCase(),
      secretKey: randomBytes(20).toString("hex"),
    };
    const fanfare = await this.fanfare({ ...options, credentials });
    const api = new ApiClient(fanfare.origin, credentials, (secret) => this.keepSecret(secret));
    return { fanfare, api, credentials };
  }

  /** The server alone. */
  async fanfare(options: ServerOptions): Promise<FanfareProcess> {
    const fanfare = await FanfareProcess.start({ dataFolder: join(this.folder, "data"), ...options });
    this.#servers.push(fanfare);
    this.#closers.push(() => fanfare.stop());
    return fanfare;
  }

  /** A server that others started, and stop: what it wrote may not contain a secret of this stage either. */
  borrow(fanfare: FanfareProcess): void {
    this.#servers.push(fanfare);
  }

  /** From now on no server's output may contain this text when the test is over. */
  keepSecret(secret: string): void {
    this.#secrets.add(secret);
  }

  async nginx(place?: NginxPlace): Promise<NginxTarget> {
    this.#nginxCount += 1;
    const nginx = await NginxTarget.start(join(this.folder, `nginx-${this.#nginxCount}`), place);
    this.#closers.push(() => nginx.stop());
    return nginx;
  }

  /** A network between a server and a target, or between an encoder and a server. */
  async proxy(port: number, options: Omit<ProxyOptions, "to"> = {}): Promise<FaultProxy> {
    const proxy = await FaultProxy.start({ port: await freePort(), ...options, to: { port } });
    this.#closers.push(() => proxy.close());
    return proxy;
  }

  /** A target that behaves well or badly; the same to all connections, or by their number. */
  async target(
    behaviour: NonNullable<TargetOptions["behaviour"]> = {},
    options: TargetOptions = {},
  ): Promise<KitTarget> {
    // Of this file's own block: where a test closes its target, no other file's server comes to listen there.
    const port = await freePort();
    const target = await KitTarget.start({ port, ...options, behaviour });
    this.#closers.push(() => target.close());
    return target;
  }

  /** The test kit's own encoder, for what FFmpeg does not do. */
  kitEncoder(
    channel: Channel,
    options: Omit<EncoderOptions, "url" | "streamKey"> & Partial<Pick<EncoderOptions, "url" | "streamKey">>,
  ): KitEncoder {
    const encoder = new KitEncoder({ url: channel.publishUrl, streamKey: channel.streamKey, ...options });
    this.#closers.push(() => encoder.stop("reset"));
    return encoder;
  }

  async ffmpeg(clip: Pick<Clip, "path">, url: string, options?: FfmpegOptions): Promise<Child> {
    return this.encoder(await startFfmpeg(clip, url, options));
  }

  /** Registers how to stop something that the test started itself. */
  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** Stops an encoder that the test started itself. */
  encoder(encoder: Child): Child {
    this.#closers.push(() => encoder.stop("SIGKILL", STOP_GRACE_MS));
    return encoder;
  }

  watch(api: ApiClient, channel: Channel, pollMs?: number): PlatformWatch {
    const watch = new PlatformWatch(api, channel.channelId, pollMs);
    this.#closers.push(() => watch.stop());
    return watch;
  }

  async #close(): Promise<void> {
    // What was started last is stopped first: watches and encoders before servers, servers before targets.
    const failures: unknown[] = [];
    for (const close of this.#closers.reverse()) await close().catch((error: unknown) => failures.push(error));
    await rm(this.folder, { recursive: true, force: true });
    expect(failures, "what could not be stopped").toEqual([]);
    for (const server of this.#servers) {
      expect(server.output.length, "the server wrote something at all").toBeGreaterThan(0);
      const said = [...this.#secrets].filter((secret) => server.output.includes(secret));
      expect(said, "secrets that the server wrote").toEqual([]);
    }
  }
}

/** The data is in the stage's folder by default. */
export type ServerOptions = Omit<FanfareOptions, "dataFolder"> & Partial<Pick<FanfareOptions, "dataFolder">>;

/** A running server and a client of its API. */
export type Server = {
  readonly fanfare: FanfareProcess;
  readonly api: ApiClient;
  readonly credentials: Credentials;
};
