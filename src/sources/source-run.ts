import { backoffDelayMs } from "../base/backoff.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { NewWallSteps } from "../base/wall-steps.ts";
import type { ChannelSource, FilesSource, SourceReason, SourceStatus } from "../control/channels/source.ts";
import { ChannelElsewhereError, DomainError } from "../control/ports/errors.ts";
import type { SourceStart } from "../control/ports/source-player.ts";
import type { PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { PlayedClip } from "./clip.ts";
import { FilePlayer, type FilePlayerDeps, type LostFile } from "./file-player.ts";

export type SourceRunDeps = {
  readonly clock: Clock;
  readonly random: () => number;
  /** Claims the channel for a publisher. Rejects as `read` does. */
  readonly publish: (channelId: string, read: SourceStart["read"]) => Promise<PublishGateway>;
  /** Starts FFmpeg for one file of this run. */
  readonly openFile: FilePlayerDeps["open"];
  readonly onSkipped: FilePlayerDeps["onSkipped"];
  readonly mayReturn: FilePlayerDeps["mayReturn"];
  readonly onStatus: (status: SourceStatus) => void;
  /** Whether another server of the cluster has the channel; absent: there is none. Rejects where that cannot be asked. */
  readonly isElsewhere?: ((channelId: string) => Promise<boolean>) | undefined;
};

/** The name of a player where an encoder's name is shown. */
const PLAYER_NAME = "Fanfare player";
/** What is played comes from this machine itself. */
const ADDRESS = "127.0.0.1";
/** A file from which nothing came for so long cannot be read yet, in milliseconds. */
const NO_MEDIA_MS = 15_000;
/** How often it is looked whether something came from it, in milliseconds. */
const LOOK_MS = 100;
/** Files that played for so long have come back: a later loss begins with the shortest delay, in milliseconds. */
const STEADY_MS = 30_000;

/**
 * One source that plays into its channel, from its start to its end. Where none of its files can be played, but one may be later,
 * the channel is held as for a lost encoder, and it is tried again as pulls are.
 */
export class SourceRun {
  readonly #deps: SourceRunDeps;
  #start: Omit<SourceStart, "source">;
  #source: FilesSource;
  #status: SourceStatus;
  readonly #clockSteps: NewWallSteps;
  #player: FilePlayer | undefined;
  #publisher: PublisherHandle | undefined;
  /** What it waits for; undefined while it plays. */
  #lost: LostFile | undefined;
  /** Attempts since it was lost. */
  #attempts = 0;
  /** Rises with each attempt: an earlier one does no more. */
  #turn = 0;
  #isBeginning = false;
  #beganMs = 0;
  #timer: Timer | undefined;
  /** A file that is being tried. */
  #tried: PlayedClip | undefined;
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
    if (this.#lost === undefined) return this.#player?.update(source);
    if (this.#isBeginning) return;
    // Somebody may have put a file in that can be played.
    this.#dropTry();
    this.#start = { ...this.#start, position: Math.max(0, source.fileIds.indexOf(this.#lost.fileId)), offsetMs: 0 };
    void this.#begin();
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
    await this.#endFfmpeg();
  }

  /** Leaves like an encoder whose connection is lost, so that the channel is held until another process plays on. */
  async abandon(): Promise<void> {
    if (!this.#isOver) this.#publisher?.end("connection-lost");
    this.#isOver = true;
    await this.#endFfmpeg();
  }

  async #endFfmpeg(): Promise<void> {
    const gone = this.#dropTry();
    await this.#player?.stop();
    await gone;
  }

  async #begin(): Promise<void> {
    this.#turn += 1;
    this.#isBeginning = true;
    try {
      const { channelId, read } = this.#start;
      const gateway = await this.#deps.publish(channelId, read);
      if (this.#isOver) return gateway.leave();
      if ((await gateway.tryAdmit()) !== "admitted") {
        gateway.leave();
        if (this.#lost !== undefined) return this.#tryLater();
        return void this.stop("internal", "the media thread did not take it");
      }
      if (this.#isOver) return gateway.leave();
      this.#play(gateway);
    } catch (error) {
      this.#rejected(error);
    } finally {
      this.#isBeginning = false;
    }
  }

  /** The channel may not begin now. What waits for its files waits on where that passes by itself. */
  #rejected(error: unknown): void {
    const reason = reasonOf(error);
    const isPassing = reason === "server-overloaded" || !(error instanceof DomainError || reason === "elsewhere");
    if (this.#lost !== undefined && isPassing) return this.#tryLater();
    void this.stop(reason, ...(reason === "internal" ? [String(error)] : []));
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
    this.#lost = undefined;
    const { clock, openFile, onSkipped, mayReturn } = this.#deps;
    this.#beganMs = clock.now();
    this.#player = new FilePlayer(this.#source, this.#start, {
      ...{ clock, publisher, open: openFile, onSkipped, mayReturn },
      isFull: () => gateway.isFull,
      flush: () => gateway.flush(),
      onPosition: (position, fileId) => this.#set({ state: "playing", position, fileId }),
      onLost: (lost) => this.#lose(lost),
      onOver: (reason, detail) => void this.stop(reason, detail),
    });
  }

  #lose(lost: LostFile): void {
    this.#publisher?.end("connection-lost");
    this.#publisher = undefined;
    this.#lost = lost;
    if (this.#deps.clock.now() - this.#beganMs >= STEADY_MS) this.#attempts = 0;
    this.#set({ state: "failed", reason: "files-away", detail: lost.detail });
    this.#tryLater();
  }

  #tryLater(): void {
    if (this.#isOver) return;
    const { clock, random } = this.#deps;
    this.#timer = clock.startTimer(backoffDelayMs(this.#attempts, random), () => void this.#tryAgain());
    this.#attempts += 1;
  }

  /**
   * Plays on where a file can be read again: the one that was lost, or another one of those behind it. They are tried in turn, so
   * that one which does not come back keeps no other one waiting.
   */
  async #tryAgain(): Promise<void> {
    const { channelId, read } = this.#start;
    const lost = this.#lost;
    this.#turn += 1;
    const turn = this.#turn;
    const isPast = () => this.#isOver || turn !== this.#turn;
    try {
      // Neither an encoder that is on air nor a channel that is off needs the files.
      await read();
      if (isPast() || lost === undefined) return;
      const places = this.#placesFrom(lost);
      if (places.length === 0) return void this.stop("not-playable", lost.detail);
      for (const place of new Set([places[0], places[this.#attempts % places.length]])) {
        if (place === undefined || !(await this.#isReadable(place.fileId))) continue;
        if (isPast()) return;
        this.#start = { channelId, read, position: place.position };
        return void this.#begin();
      }
      if (!isPast()) this.#tryLater();
    } catch (error) {
      if (!isPast()) this.#rejected(error);
    }
  }

  /** The files that may return, in the order in which they would play. */
  #placesFrom({ position: from }: LostFile): readonly Pick<LostFile, "position" | "fileId">[] {
    const places = this.#source.fileIds.map((fileId, position) => ({ fileId, position }));
    const behind = [...places.slice(from), ...(this.#source.isLooped ? places.slice(0, from) : [])];
    return behind.filter(({ fileId }) => this.#deps.mayReturn(fileId));
  }

  /** Whether FFmpeg reads something of the file now. Never resolves where it is dropped. */
  #isReadable(fileId: string): Promise<boolean> {
    const { clock, openFile } = this.#deps;
    const clip = openFile(fileId, 0);
    if ("reason" in clip) return Promise.resolve(false);
    this.#tried = clip;
    const untilMs = clock.awakeNow() + NO_MEDIA_MS;
    return new Promise((resolve) => {
      const look = () => {
        const isRead = clip.next !== undefined;
        if (!isRead && !clip.isOver && clock.awakeNow() < untilMs) {
          this.#timer = clock.startTimer(LOOK_MS, look);
          return;
        }
        clip.kill();
        resolve(isRead);
      };
      look();
    });
  }

  /** Resolves when FFmpeg is gone. */
  #dropTry(): Promise<void> | undefined {
    this.#timer?.cancel();
    this.#tried?.kill();
    return this.#tried?.gone;
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
