import { FaultProxy } from "../../../src/testkit/proxy/fault-proxy.ts";
import { RecordedTarget } from "../streams/recorded-target.ts";
import type { TargetFaultKind } from "./fault-plan.ts";

/** Whether no connection can be on air there while it lasts. */
const KEEPS_OFF_AIR: Readonly<Record<TargetFaultKind, boolean>> = {
  reset: false,
  close: false,
  stall: false,
  blackhole: false,
  slow: false,
  refuse: true,
  gone: true,
};
/** A tenth of the stream's rate at most, so that even the kernels' buffers fill up. */
const SLOW_BYTES_PER_SECOND = 10_000;

/** A target behind a network that fails on request, one fault at a time. */
export class FaultyTarget {
  readonly recorded: RecordedTarget;
  #proxy: FaultProxy;
  #offAirSinceMs: number | undefined;

  private constructor(recorded: RecordedTarget, proxy: FaultProxy) {
    this.recorded = recorded;
    this.#proxy = proxy;
  }

  static async start(onProblem: (problem: string) => void): Promise<FaultyTarget> {
    const recorded = await RecordedTarget.start({ onMessage: () => undefined, onProblem });
    return new FaultyTarget(recorded, await FaultProxy.start({ to: { port: recorded.port } }));
  }

  get port(): number {
    return this.#proxy.port;
  }

  /** Since when no connection can be on air here; undefined while one can. */
  get offAirSinceMs(): number | undefined {
    return this.#offAirSinceMs;
  }

  async begin(kind: TargetFaultKind): Promise<void> {
    switch (kind) {
      case "reset":
        this.#proxy.reset();
        break;
      case "close":
        this.recorded.endConnections();
        break;
      case "stall":
        this.#proxy.stall();
        break;
      case "blackhole":
        this.recorded.excuseConnections();
        this.#proxy.blackhole();
        break;
      case "slow":
        this.#proxy.shape({ bytesPerSecond: SLOW_BYTES_PER_SECOND });
        break;
      case "refuse":
        this.recorded.behave({ refuse: "bad-name" });
        this.#proxy.reset();
        break;
      case "gone":
        await Promise.all([this.#proxy.close(), this.recorded.close()]);
        break;
    }
    if (KEEPS_OFF_AIR[kind]) this.#offAirSinceMs = performance.now();
  }

  async heal(kind: TargetFaultKind): Promise<void> {
    this.#offAirSinceMs = undefined;
    switch (kind) {
      case "reset":
      case "close":
        return;
      case "stall":
        return this.#proxy.resume();
      case "blackhole":
        // Connections that began meanwhile lost bytes too.
        this.recorded.excuseConnections();
        return this.#proxy.resume();
      case "slow":
        return this.#proxy.shape({});
      case "refuse":
        return this.recorded.behave({});
      case "gone": {
        await this.recorded.restart();
        this.#proxy = await FaultProxy.start({ port: this.#proxy.port, to: { port: this.recorded.port } });
        return;
      }
    }
  }

  async close(): Promise<void> {
    await this.#proxy.close();
    await this.recorded.close();
  }
}
