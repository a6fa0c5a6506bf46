import { createServer, type Server, type Socket } from "node:net";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { socketPath } from "../../node-link/socket-path.ts";
import type { ShutdownMode, ToMedia } from "../../thread-protocol/messages.ts";
import { Follower, type SuccessorLink, type ThreadMessage } from "./follower.ts";
import { ProcessLink } from "./process-link.ts";
import {
  type FromPredecessor,
  type FromSuccessor,
  type Handover,
  PROCESS_VERSIONS,
  speaksOurs,
} from "./process-messages.ts";
import { RunFolder } from "./run-folder.ts";

/** A new process that has not taken over by then is to leave it, in milliseconds. */
const TAKEN_DEADLINE_MS = 10_000;
/** How often this looks whether the last broadcast is over, in milliseconds. */
const LOOK_MS = 1_000;
/** A data folder that takes no socket is tried again after this long, in milliseconds: its disk may be full for a while. */
const LISTEN_AGAIN_MS = 30_000;
/** This many looks in a row must find nothing on air: an encoder may be on its way. */
const QUIET_LOOKS = 5;

export type HandoverDeps = {
  readonly dataFolder: string;
  readonly release: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long broadcasts may go on once another process serves, in milliseconds. */
  readonly drainMs: number;
  readonly server: HandoverServer;
};

/** What the server does when another process takes over. */
export type HandoverServer = {
  readonly processId: string;
  /** The ports at which this process accepts connections. */
  ports(): readonly number[];
  /** Why this process cannot hand over now; undefined where it can. */
  refusal(): string | undefined;
  readonly threadCount: number;
  /** Whether earlier processes still carry broadcasts: encoders that come to them may belong to this one. */
  hasPredecessors(): boolean;
  /** Accepts links at this Unix socket of a thread, also once it was started again. Does nothing where it does already. */
  acceptLinks(thread: number, path: string): Promise<void>;
  /** From now on this gets everything that the threads report; undefined: the server itself does. */
  divert(take: ((message: ThreadMessage) => void) | undefined): void;
  /** Stops answering, stores everything and gives up the database. */
  giveUp(): Promise<void>;
  /** Takes the database again and answers. Rejects where it is not to be had; at once where it is no longer wanted either. */
  takeBack(isWanted: () => boolean): Promise<void>;
  /** Another process decides for good: leaves everything that this one does not need for its broadcasts. */
  release(): Promise<void>;
  /** What the next process has to know; `linkPaths` are those of the threads. */
  state(linkPaths: readonly string[]): Handover;
  /** Folds a message of a thread into the state. */
  note(message: ThreadMessage): void;
  /** Takes a message of a thread, as before the handover. */
  take(message: ThreadMessage): void;
  post(thread: number, message: ToMedia): void;
  /** Stops accepting connections: the next process has the ports. */
  stopAccepting(): Promise<void>;
  /** Whether a broadcast is on air, or an encoder of this process publishes to another one. */
  isBusy(): boolean;
  /** Ends the process. */
  stop(mode?: ShutdownMode): Promise<void>;
};

/**
 * Hands this server over to a newer process, which asks for it at a Unix socket. This process then keeps its broadcasts
 * until they end, and the newer one decides about them.
 */
export class HandoverListener {
  readonly #deps: HandoverDeps;
  readonly #follower: Follower;
  readonly #links = new Set<SuccessorLink>();
  #folder: RunFolder | undefined;
  #server: Server | undefined;
  /** The process that decides about the broadcasts of this one. */
  #decider: SuccessorLink | undefined;
  /** The process that is to decide, from its request until it has taken over. */
  #candidate: { readonly link: SuccessorLink; readonly deadline: Timer } | undefined;
  #given: Promise<void> | undefined;
  /** Settles when what was given up is taken back, or could not be. */
  #takingBack: Promise<void> | undefined;
  /** A process has taken over: this one never decides again. */
  #isGivenForGood = false;
  #released: Promise<void> | undefined;
  #look: Timer | undefined;
  /** The next attempt to make the socket, where the data folder takes none. */
  #listening: Timer | undefined;
  #isDeaf = false;
  #quietLooks = 0;
  #isOver = false;
  #drainUntilMs = Number.POSITIVE_INFINITY;

  constructor(deps: HandoverDeps) {
    this.#deps = deps;
    this.#follower = new Follower({
      note: (message) => deps.server.note(message),
      onLoss: () => deps.log.error("facts are being lost: no process decides about the broadcasts"),
    });
  }

  /** Whether another process serves now, or is about to. */
  get hasGiven(): boolean {
    return this.#given !== undefined;
  }

  /**
   * Makes the socket. A data folder in which none can be made now costs upgrades, and nothing else: the log says so, and it is
   * tried again.
   */
  async listen(): Promise<void> {
    const { dataFolder, log, clock } = this.#deps;
    try {
      this.#folder = await RunFolder.make(dataFolder);
      const server = createServer((socket) => this.#accept(socket));
      this.#server = server;
      const path = socketPath(this.#folder.controlSocket);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, resolve);
      });
      server.on("error", (error) => log.warn("another process could not be heard", { detail: error.message }));
      await this.#folder.serve();
      if (this.#deps.server.hasPredecessors()) await this.#acceptLinks();
      if (this.#isDeaf) log.info("an upgrade without interruption is possible again");
      this.#isDeaf = false;
    } catch (error) {
      await this.#unlisten();
      if (!this.#isDeaf) {
        log.warn("no upgrade without interruption: the data folder takes no socket", { detail: detailOf(error) });
      }
      this.#isDeaf = true;
      if (!this.#isOver) this.#listening = clock.startTimer(LISTEN_AGAIN_MS, () => void this.listen());
    }
    // The server stopped meanwhile.
    if (this.#isOver) await this.#unlisten();
  }

  async #unlisten(): Promise<void> {
    this.#server?.close();
    await this.#folder?.remove().catch(() => undefined);
  }

  /** The server stops: tells the process that decides, and removes the socket. Idempotent. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#look?.cancel();
    this.#listening?.cancel();
    for (const link of this.#links) {
      if (this.#isGivenForGood) link.send({ kind: "over" });
      link.close();
    }
    await this.#unlisten();
  }

  #accept(socket: Socket): void {
    const { clock, log } = this.#deps;
    const onFault = (error: unknown) => log.warn("another process broke off", { detail: detailOf(error) });
    const link: SuccessorLink = new ProcessLink<FromPredecessor, FromSuccessor>(socket, clock, onFault);
    this.#links.add(link);
    link.listen(
      (message) => this.#take(link, message),
      () => this.#left(link),
    );
  }

  /** A link that this process closes does not report its end. */
  #leave(link: SuccessorLink): void {
    link.close();
    this.#left(link);
  }

  #left(link: SuccessorLink): void {
    this.#links.delete(link);
    if (this.#candidate?.link === link) {
      this.#candidate.deadline.cancel();
      this.#candidate = undefined;
      if (this.#isGivenForGood) {
        if (this.#decider !== undefined) this.#follower.follow(this.#decider);
      } else if (this.#given !== undefined) {
        this.#takingBack ??= this.#takeBack().finally(() => {
          this.#takingBack = undefined;
        });
      }
    }
    if (this.#decider !== link) return;
    this.#decider = undefined;
    this.#follower.wait();
    if (!this.#isOver)
      this.#deps.log.error("the process that took over is gone: broadcasts go on, start Fanfare again");
  }

  #take(link: SuccessorLink, message: FromSuccessor): void {
    const { server, release } = this.#deps;
    switch (message.kind) {
      case "hello":
        link.send({
          kind: "hello",
          ...{ versions: PROCESS_VERSIONS, release, processId: server.processId },
          ports: server.ports(),
        });
        return speaksOurs(message.versions) ? undefined : this.#leave(link);
      case "hand-over":
        void this.#handOver(link);
        return;
      case "taken":
        return this.#taken(link);
      case "pause":
        if (this.#decider === link) this.#follower.wait();
        return link.send({ kind: "paused" });
      case "go-on":
        return this.#decider === link && this.#candidate === undefined ? this.#follower.follow(link) : undefined;
      case "post":
        return this.#decider === link ? server.post(message.thread, message.message) : undefined;
      case "stop":
        if (this.#decider === link) void server.stop(message.mode);
        return;
      default:
        // A newer process may say more.
        return;
    }
  }

  async #handOver(link: SuccessorLink): Promise<void> {
    const { server, log } = this.#deps;
    try {
      const refusal = this.#candidate === undefined ? server.refusal() : "it is handing over to another process.";
      if (refusal !== undefined) throw new Error(refusal);
    } catch (error) {
      return this.#refuse(link, error);
    }
    const deadline = this.#deps.clock.startTimer(TAKEN_DEADLINE_MS, () => {
      log.error("the process that is to take over does not: it should end", { afterMs: TAKEN_DEADLINE_MS });
      link.send({ kind: "withdrawn" });
    });
    this.#candidate = { link, deadline };
    try {
      const linkPaths = await this.#acceptLinks();
      // What is being taken back for the process before is given up anew, or not taken back at all.
      await this.#takingBack;
      // It is gone: nothing was given up for it.
      if (this.#candidate?.link !== link) return;
      if (this.#given === undefined) {
        log.info("handing over to another process");
        server.divert((message) => this.#follower.take(message));
        this.#given = server.giveUp();
      }
      await this.#given;
      // Everything from here on is for the process that takes over.
      this.#follower.wait();
      link.send({ kind: "yours", handover: server.state(linkPaths) });
    } catch (error) {
      this.#refuse(link, error);
      this.#leave(link);
    }
  }

  #refuse(link: SuccessorLink, error: unknown): void {
    link.send({ kind: "refused", why: detailOf(error) });
    this.#deps.log.error("not handed over", { detail: detailOf(error) });
  }

  /** The new process answers: it decides from here on, beginning with what was reported since its state. */
  #taken(link: SuccessorLink): void {
    const { server, log } = this.#deps;
    if (this.#candidate?.link !== link) return;
    this.#candidate.deadline.cancel();
    this.#candidate = undefined;
    // A process that decided up to now is replaced.
    if (this.#decider !== link) this.#decider?.close();
    this.#decider = link;
    if (!this.#isGivenForGood) {
      this.#isGivenForGood = true;
      this.#released = server
        .release()
        .catch((error: unknown) =>
          log.error("not everything was left to the process that took over", { detail: detailOf(error) }),
        );
      void server.stopAccepting();
      this.#watch();
    }
    this.#follower.follow(link);
    void this.#released?.then(() => link.send({ kind: "released" }));
  }

  /** The new process is gone before it took over: everything is as before. */
  async #takeBack(): Promise<void> {
    const { server, log } = this.#deps;
    try {
      // One that failed has given up a part of it.
      await this.#given?.catch(() => undefined);
      if (this.#isOver) return;
      await server.takeBack(() => this.#candidate === undefined);
      this.#given = undefined;
      server.divert(undefined);
      for (const message of this.#follower.giveBack()) server.take(message);
      log.warn("the process that was to take over is gone: this one goes on");
    } catch (error) {
      // It may have the database already, and gets the rest.
      if (this.#candidate !== undefined) return;
      // Another start finds this process, and goes on with its broadcasts.
      log.error("the database could not be taken back: broadcasts go on, start Fanfare again", {
        detail: detailOf(error),
      });
    }
  }

  /** Lets the threads that run accept links of other processes. Returns the sockets of all. */
  async #acceptLinks(): Promise<readonly string[]> {
    const { server } = this.#deps;
    const folder = this.#folder;
    if (folder === undefined) throw new Error("the data folder takes no socket");
    const paths = Array.from({ length: server.threadCount }, (_, thread) => folder.threadSocket(thread));
    await Promise.all(paths.map((path, thread) => server.acceptLinks(thread, path)));
    return paths;
  }

  /** Ends the process when its last broadcast is over, or its time. */
  #watch(): void {
    if (this.#look !== undefined) return;
    const { clock, drainMs, log } = this.#deps;
    this.#drainUntilMs = clock.now() + drainMs;
    const look = () => {
      if (this.#isOver) return;
      this.#look = clock.startTimer(LOOK_MS, look);
      this.#quietLooks = this.#deps.server.isBusy() || !this.#follower.isFollowing ? 0 : this.#quietLooks + 1;
      const isLate = clock.now() >= this.#drainUntilMs;
      if (this.#quietLooks < QUIET_LOOKS && !isLate) return;
      log.info(
        isLate ? "the time for broadcasts of this process is over" : "the last broadcast of this process is over",
      );
      void this.#deps.server.stop();
    };
    this.#look = clock.startTimer(LOOK_MS, look);
  }
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
