import type { Clock } from "../base/clock.ts";
import { NewWallSteps } from "../base/wall-steps.ts";
import type { ChannelSource, FilesSource, SourceReason, SourceStatus } from "../control/channels/source.ts";
import { ChannelElsewhereError, DomainError } from "../control/ports/errors.ts";
import type { SourceStart } from "../control/ports/source-player.ts";
import type { PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import { FilePlayer, type FilePlayerDeps } from "./file-player.ts";

export type SourceRunDeps = {
  readonly clock: Clock;
  /** Claims the channel for a publisher. Rejects as `read` does. */
  readonly publish: (channelId: string, read: SourceStart["read"]) => Promise<PublishGateway>;
  /** Starts FFmpeg for one file of this run. */
  readonly openFile: FilePlayerDeps["open"];
  readonly onSkipped: FilePlayerDeps["onSkipped"];
  readonly onStatus: (status: SourceStatus) => void;
  /** Whether another server of the cluster has the channel; absent: there is none. Rejects where that cannot be asked. */
  readonly isElsewhere?: ((channelId: string) => Promise<boolean>) | undefined;
};

/** The name of a player where an encoder's name is shown. */
const PLAYER_NAME = "Fanfare player";
/** What is played comes from this machine itself. */
const ADDRESS = "127.0.0.1";

/** One source that plays into its channel, from its start to its end. */
export class SourceRun {
  readonly #deps: SourceRunDeps;
  #start: Omit<SourceStart, "source">;
  #source: FilesSource;
  #status: SourceStatus;
  readonly #clockSteps: NewWallSteps;
  #player: FilePlayer | undefined;
  #publisher: PublisherHandle | undefined;
  #isOver = false;

  constructor(start: Omit<SourceStart, "source">, source: FilesSource, deps: SourceRunDeps) {
    this.#deps = deps;
    this.#start = start;
    this.#source = source;
    this.#clockSteps = new NewWallSteps(deps.clock);
    this.#status = { state: "starting", sinceTime: deps.clock.wallNow() };
    void this.#begin();
  }

  get status(): SourceStatus {
    return this.#status;
  }

  /** Another list plays from now on, within the same stream. */
  switchTo(start: Omit<SourceStart, "source">, source: FilesSource): void {
    this.#start = start;
    this.#source = source;
    this.#status = { state: "starting", sinceTime: this.#nowTime() };
    this.#player?.replace(source, start);
  }

  update(source: ChannelSource): void {
    if (source.kind !== "files") return;
    this.#source = source;
    this.#player?.update(source);
  }

  /**
   * Ends it like an encoder that stops streaming; `elsewhere`: like one whose connection is lost. Resolves when FFmpeg is gone.
   * Idempotent.
   */
  async stop(reason: SourceReason, detail?: string): Promise<void> {
    const wasOver = this.#isOver;
    this.#isOver = true;
    if (!wasOver) {
      this.#publisher?.end(reason === "elsewhere" ? "connection-lost" : "clean");
      this.#set({ state: "stopped", reason, ...(detail === undefined ? {} : { detail }) });
    }
    await this.#player?.stop();
  }

  /** Leaves like an encoder whose connection is lost, so that the channel is held until another process plays on. */
  async abandon(): Promise<void> {
    if (!this.#isOver) this.#publisher?.end("connection-lost");
    this.#isOver = true;
    await this.#player?.stop();
  }

  async #begin(): Promise<void> {
    try {
      const { channelId, read } = this.#start;
      const gateway = await this.#deps.publish(channelId, read);
      if (this.#isOver) return gateway.leave();
      if ((await gateway.tryAdmit()) !== "admitted") {
        gateway.leave();
        return void this.stop("internal", "the media thread did not take it");
      }
      if (this.#isOver) return gateway.leave();
      this.#play(gateway);
    } catch (error) {
      const reason = reasonOf(error);
      void this.stop(reason, ...(reason === "internal" ? [String(error)] : []));
    }
  }

  #play(gateway: PublishGateway): void {
    const publisher = gateway.open({
      slot: "main",
      remoteAddress: ADDRESS,
      encoder: PLAYER_NAME,
      sourceKind: "files",
      onDismissed: () => void this.#dismissed(),
      onRoom: () => undefined,
    });
    if (publisher === undefined) return void this.stop("internal", "the channel is gone");
    this.#publisher = publisher;
    const { clock, openFile, onSkipped } = this.#deps;
    this.#player = new FilePlayer(this.#source, this.#start, {
      ...{ clock, publisher, open: openFile, onSkipped },
      isFull: () => gateway.isFull,
      flush: () => gateway.flush(),
      onPosition: (position, fileId) => this.#set({ state: "playing", position, fileId }),
      onOver: (reason, detail) => void this.stop(reason, detail),
    });
  }

  /** The channel dropped it: for an encoder, for a person, or since another server has the channel. */
  async #dismissed(): Promise<void> {
    const { isElsewhere } = this.#deps;
    if (isElsewhere === undefined) return await this.stop("replaced");
    await this.#player?.stop();
    const isAway = await isElsewhere(this.#start.channelId).catch(() => false);
    await this.stop(isAway ? "elsewhere" : "replaced");
  }

  #set(status: DistributedOmit<SourceStatus, "sinceTime">): void {
    const before = this.#status;
    // It follows a wall clock that is set.
    const isSame = status.state === before.state;
    const sinceTime = isSame ? before.sinceTime + this.#clockSteps.take() : this.#nowTime();
    this.#status = { ...status, sinceTime };
    this.#deps.onStatus(this.#status);
  }

  /** By the present wall clock: steps before now do not concern it. */
  #nowTime(): number {
    this.#clockSteps.take();
    return this.#deps.clock.wallNow();
  }
}

type DistributedOmit<Union, Key extends string> = Union extends unknown ? Omit<Union, Key> : never;

const REASONS: Readonly<Record<string, SourceReason>> = {
  "channel-off": "channel-off",
  "source-encoder-on-air": "encoder-on-air",
  "server-overloaded": "server-overloaded",
};

function reasonOf(error: unknown): SourceReason {
  if (error instanceof ChannelElsewhereError) return "elsewhere";
  const kind = error instanceof DomainError ? error.fault.kind : undefined;
  return kind === undefined ? "internal" : (REASONS[kind] ?? "internal");
}
