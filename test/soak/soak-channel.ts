import type { MessageRecord } from "../../src/testkit/message-record.ts";
import type { ApiClient, Channel, Platform } from "../support/dashboard/api-client.ts";
import type { PlannedFault } from "./matrix/fault-plan.ts";
import { FaultyTarget } from "./matrix/faulty-target.ts";
import { SoakEncoder } from "./soak-encoder.ts";
import { ClockDrift } from "./streams/clock-drift.ts";
import { RecordedTarget } from "./streams/recorded-target.ts";
import { SentStream } from "./streams/sent-stream.ts";
import { StreamComparison } from "./streams/stream-comparison.ts";

const HEALTHY_TARGETS = 3;
export const FAULTY_TARGETS = 2;
/** How long a target where no connection can be on air may be shown as on air. */
const NOTICE_MS = 3_000;

export type SoakChannelObserver = {
  readonly onProblem: (problem: string) => void;
  /** A target has begun to show this `lastError.code`. */
  readonly onErrorCode: (code: string) => void;
};

/** One channel of the soak: an encoder, three healthy targets and two with faults. */
export class SoakChannel {
  readonly sent = new SentStream(() => performance.now());
  readonly comparison = new StreamComparison(HEALTHY_TARGETS);
  readonly drift = new ClockDrift();
  readonly #api: ApiClient;
  readonly #index: number;
  readonly #observer: SoakChannelObserver;
  readonly #errorTimes = new Map<number, number>();
  #healthy: RecordedTarget[] = [];
  #faulty: FaultyTarget[] = [];
  #channel: Channel | undefined;
  #encoder: SoakEncoder | undefined;
  #wasOnAir = false;
  /** Of the first healthy target, as the API last showed it. */
  #droppedFrames = 0;

  constructor(api: ApiClient, index: number, observer: SoakChannelObserver) {
    this.#api = api;
    this.#index = index;
    this.#observer = observer;
  }

  get encoderLives(): number {
    return this.#encoder?.lives ?? 0;
  }

  /** Connections that faulty targets got. */
  get faultyConnections(): number {
    return this.#faulty.reduce((sum, { recorded }) => sum + recorded.connectionCount, 0);
  }

  /** Starts the targets and makes the channel. */
  async open(): Promise<void> {
    for (let receiver = 0; receiver < HEALTHY_TARGETS; receiver += 1) {
      const onMessage = (message: MessageRecord): void => this.#take(receiver, message);
      this.#healthy.push(await RecordedTarget.start({ onMessage, onProblem: (text) => this.#problem(receiver, text) }));
    }
    for (let target = 0; target < FAULTY_TARGETS; target += 1) {
      this.#faulty.push(await FaultyTarget.start((text) => this.#problem(HEALTHY_TARGETS + target, text)));
    }
    const ports = [...this.#healthy, ...this.#faulty].map(({ port }) => port);
    this.#channel = await this.#api.createChannel(
      `soak_${this.#index + 1}`,
      ports.map((port, target) => ({
        rtmpUrl: `rtmp://127.0.0.1:${port}/live`,
        streamKey: `soak-${this.#index}-${target}`,
      })),
    );
  }

  startEncoder(): void {
    if (this.#channel === undefined) throw new Error("the channel is not open");
    const { publishUrl: url, streamKey } = this.#channel;
    const onProblem = (text: string): void => this.#observer.onProblem(`channel ${this.#index}: ${text}`);
    this.#encoder = new SoakEncoder({ url, streamKey, channel: this.#index, sent: this.sent, onProblem });
  }

  async begin(fault: PlannedFault): Promise<void> {
    if (!("target" in fault)) return this.#encoder?.begin(fault.kind, fault.forMs);
    await this.#faulty[fault.target]?.begin(fault.kind);
  }

  async heal(fault: PlannedFault): Promise<void> {
    if (!("target" in fault)) return this.#encoder?.heal(fault.kind);
    await this.#faulty[fault.target]?.heal(fault.kind);
  }

  async platforms(): Promise<Platform[]> {
    return await this.#api.platforms(this.#channel?.channelId ?? "");
  }

  /** All of its targets are shown as on air, for the first time. */
  wentOnAir(): void {
    this.#wasOnAir = true;
  }

  /** Looks at what the API shows and returns what is not true. */
  async look(): Promise<void> {
    // Anything that was so before the request can be known to the answer.
    const askedMs = performance.now();
    const offAirSince = this.#faulty.map(({ offAirSinceMs }) => offAirSinceMs);
    const platforms = await this.platforms();
    for (const [target, { connectStatus, lastError, totalRetryCount, droppedFrames }] of platforms.entries()) {
      const isHealthy = target < HEALTHY_TARGETS;
      if (target === 0) this.#droppedFrames = Math.max(this.#droppedFrames, Number(droppedFrames ?? 0));
      if (lastError !== undefined && this.#errorTimes.get(target) !== lastError.time) {
        this.#errorTimes.set(target, lastError.time);
        this.#observer.onErrorCode(lastError.code);
      }
      const saysOnAir = connectStatus === "PUBLISHING";
      if (isHealthy && this.#wasOnAir && (!saysOnAir || totalRetryCount > 0)) {
        this.#problem(target, `is left alone and shown as ${connectStatus}, ${JSON.stringify(lastError)}`);
      }
      const sinceMs = isHealthy ? undefined : offAirSince[target - HEALTHY_TARGETS];
      if (sinceMs !== undefined && askedMs - sinceMs > NOTICE_MS && saysOnAir) {
        this.#problem(target, `is shown as on air where no connection can be for ${Math.round(askedMs - sinceMs)} ms`);
      }
    }
  }

  /** What each target gets at the moment, in bytes of media so far; undefined for one that gets nothing. */
  liveMediaBytes(): (number | undefined)[] {
    return [...this.#healthy, ...this.#faulty.map(({ recorded }) => recorded)].map((target) => target.liveMediaBytes);
  }

  /** Ends the broadcast as OBS does. */
  async stopEncoder(): Promise<void> {
    this.#wasOnAir = false;
    await this.#encoder?.stop();
  }

  /**
   * Everything that will come has come: returns what is missing. Also returns the hash of everything that every healthy
   * target got.
   */
  finish(): string {
    const digest = this.comparison.finish();
    this.sent.finish();
    this.#checkDrops();
    for (const text of [...this.comparison.problems, ...this.sent.problems]) {
      this.#observer.onProblem(`channel ${this.#index}: ${text}`);
    }
    for (const [target, { connectionCount }] of this.#healthy.entries()) {
      if (connectionCount !== 1) this.#problem(target, `is left alone and was connected to ${connectionCount} times`);
    }
    return digest;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#healthy, ...this.#faulty].map((target) => target.close()));
  }

  /** Frames that the encoder sent and the target did not get count as dropped, and no others do. */
  #checkDrops(): void {
    const { skippedBehindFiller: least, lostWithConnection } = this.sent.counts;
    if (this.#droppedFrames >= least && this.#droppedFrames <= least + lostWithConnection) return;
    this.#problem(0, `${this.#droppedFrames} frames are counted as dropped; ${least} did not come`);
  }

  #take(receiver: number, message: MessageRecord): void {
    this.comparison.add(receiver, message);
    if (receiver !== 0) return;
    this.sent.receive(message);
    // At the start a target gets what came before it, all at once.
    if (this.#wasOnAir) this.drift.add(message.timestamp, performance.now());
  }

  #problem(target: number, text: string): void {
    this.#observer.onProblem(`channel ${this.#index}, target ${target}: ${text}`);
  }
}
