import { connect, errors, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import {
  BUS_MESSAGE_BYTES_MAX,
  BUS_REPLY_BYTES_MAX,
  type Bus,
  type BusMessage,
  type BusReply,
  type NoReply,
} from "../control/ports/bus.ts";
import { decodeMessage, encodeMessage } from "./bus-message.ts";
import { type NatsAddress, NatsError, natsLogin } from "./nats-address.ts";
import { probeNats } from "./nats-probe.ts";

/** The wait before each new attempt: between these two, in milliseconds. */
const RECONNECT_MS = 250;
const RECONNECT_JITTER_MS = 500;
const CONNECT_TIMEOUT_MS = 2_000;
/** A server that leaves two pings without a reply counts as lost: 8 s at most. */
const PING_MS = 2_000;
const PINGS_LOST_MAX = 2;
/** How long a start waits for the first connection, in milliseconds. Then it goes on without. */
const FIRST_CONNECTION_MS = 3_000;
/** How long `close` waits until the server has what was published, in milliseconds. */
const CLOSE_MS = 1_000;
/** Requests answered at the same time. More get no reply. */
const ANSWERING_MAX = 256;
/** How soon a subscription that the server refuses is tried again, in milliseconds: its permissions may be changed while it runs. */
const REFUSED_AGAIN_MS = 5_000;
/** Without a connection for the one, and then every other, it is found out why and told, in milliseconds. */
const EXPLAINED_MS = 5_000;
const EXPLAINED_AGAIN_MS = 60_000;
/** Errors of the server that are told of one connection: some name another subject each time. */
const ERRORS_TOLD_MAX = 10;

export type NatsBusOptions = {
  readonly address: NatsAddress;
  /** The name of the cluster: one word. Clusters that share a NATS server do not hear each other. */
  readonly cluster: string;
  /** What the NATS server's list of connections shows. */
  readonly clientName: string;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1. */
  readonly random: () => number;
};

type Listener = {
  readonly pattern: string;
  readonly take: (message: Msg) => void;
  subscription?: Subscription | undefined;
  /** The server refused it, and nothing has come since. */
  isRefused?: boolean;
};

/**
 * Opens the bus. Waits a little for the first connection; a server that cannot be reached is tried for ever. Throws
 * NatsError where a server refuses the login.
 */
export async function openNatsBus(options: NatsBusOptions): Promise<NatsBus> {
  const bus = new NatsBus(options);
  await bus.open();
  return bus;
}

/** The bus over core NATS. Subjects stand under `fanfare.<cluster>.v1.`; messages are JSON. */
export class NatsBus implements Bus {
  readonly #options: NatsBusOptions;
  readonly #prefix: string;
  readonly #listeners = new Set<Listener>();
  readonly #watchers = new Set<(isConnected: boolean) => void>();
  #connection: NatsConnection | undefined;
  #isConnected = false;
  #isStarting = true;
  #isClosed = false;
  #answering = 0;
  #retry: Timer | undefined;
  #refusedAgain: Timer | undefined;
  #explaining: Timer | undefined;
  readonly #told = new Set<string>();
  /** The limit of a server that was told: 0, none. */
  #shortLimitTold = 0;

  constructor(options: NatsBusOptions) {
    this.#options = options;
    this.#prefix = `fanfare.${options.cluster}.v1.`;
  }

  /** Call once. */
  async open(): Promise<void> {
    const first = this.#connect();
    const { clock, log, address } = this.#options;
    const waited = Promise.withResolvers<void>();
    const timer = clock.startTimer(FIRST_CONNECTION_MS, waited.resolve);
    try {
      await Promise.race([first, waited.promise]);
    } finally {
      timer.cancel();
      this.#isStarting = false;
    }
    if (this.#isConnected) return;
    log.warn("no connection to NATS yet: trying on", { servers: address.servers.join(", ") });
    this.#explainLater(EXPLAINED_MS);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** `host:port` of the server that it is connected to. */
  get serverInUse(): string | undefined {
    return this.#isConnected ? this.#connection?.getServer() : undefined;
  }

  publish(subject: string, message: BusMessage): boolean {
    if (this.#connection === undefined || !this.#isConnected) return false;
    const bytes = this.#encode(subject, message);
    if (bytes === undefined || !this.#isTaken(subject, bytes)) return false;
    this.#connection.publish(this.#prefix + subject, bytes);
    return true;
  }

  subscribe(pattern: string, take: (message: BusMessage, subject: string) => void): () => void {
    return this.#listen(pattern, (received) => {
      const message = decodeMessage(received.data);
      if (message !== undefined) take(message, received.subject.slice(this.#prefix.length));
    });
  }

  async request(subject: string, message: BusMessage, timeoutMs: number): Promise<BusReply> {
    if (this.#connection === undefined || !this.#isConnected) return { kind: "none", why: "disconnected" };
    const bytes = this.#encode(subject, message);
    if (bytes === undefined) throw new RangeError(`a request on ${subject} is over ${BUS_MESSAGE_BYTES_MAX} bytes`);
    if (!this.#isTaken(subject, bytes)) return { kind: "none", why: "disconnected" };
    try {
      const received = await this.#connection.request(this.#prefix + subject, bytes, { timeout: timeoutMs });
      const reply = decodeMessage(received.data, BUS_REPLY_BYTES_MAX);
      return reply === undefined ? { kind: "none", why: "timed-out" } : { kind: "reply", message: reply };
    } catch (error) {
      return { kind: "none", why: whyNoReply(error) };
    }
  }

  serve(subject: string, answer: (message: BusMessage) => Promise<BusMessage | undefined>): () => void {
    return this.#listen(subject, (received) => {
      const message = decodeMessage(received.data);
      if (message === undefined || this.#answering >= ANSWERING_MAX) return;
      void this.#answer(received, subject, () => answer(message));
    });
  }

  async #answer(received: Msg, subject: string, answer: () => Promise<BusMessage | undefined>): Promise<void> {
    this.#answering += 1;
    try {
      const reply = await answer();
      const bytes = reply === undefined ? undefined : this.#encode(subject, reply, BUS_REPLY_BYTES_MAX);
      if (bytes !== undefined && this.#isTaken(subject, bytes)) received.respond(bytes);
    } catch (error) {
      this.#logFailure(subject, error);
    } finally {
      this.#answering -= 1;
    }
  }

  onConnection(take: (isConnected: boolean) => void): () => void {
    this.#watchers.add(take);
    return () => this.#watchers.delete(take);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of [this.#retry, this.#refusedAgain, this.#explaining]) timer?.cancel();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#isConnected) {
      const waited = Promise.withResolvers<void>();
      const timer = this.#options.clock.startTimer(CLOSE_MS, waited.resolve);
      await Promise.race([connection.flush().catch(() => undefined), waited.promise]);
      timer.cancel();
    }
    await connection.close();
  }

  #encode(subject: string, message: BusMessage, bytesMax = BUS_MESSAGE_BYTES_MAX): Uint8Array | undefined {
    const bytes = encodeMessage(message, bytesMax);
    if (bytes === undefined) this.#options.log.error("message too long for the bus", { subject });
    return bytes;
  }

  /** Whether the server takes a message of this length. The library throws where it does not. */
  #isTaken(subject: string, bytes: Uint8Array): boolean {
    const limit = this.#connection?.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (bytes.length <= limit) return true;
    if (limit !== this.#shortLimitTold) {
      const about = { subject, bytes: bytes.length, maxPayload: limit };
      this.#options.log.error("the NATS server takes no messages of this length: raise its max_payload", about);
    }
    this.#shortLimitTold = limit;
    return false;
  }

  #listen(pattern: string, take: (received: Msg) => void): () => void {
    const listener: Listener = {
      pattern: this.#prefix + pattern,
      take: (received) => {
        listener.isRefused = false;
        try {
          take(received);
        } catch (error) {
          this.#logFailure(pattern, error);
        }
      },
    };
    this.#listeners.add(listener);
    this.#subscribeAt(this.#connection, listener);
    return () => {
      this.#listeners.delete(listener);
      listener.subscription?.unsubscribe();
    };
  }

  #subscribeAt(connection: NatsConnection | undefined, listener: Listener): void {
    if (connection === undefined || connection.isClosed()) return;
    listener.subscription = connection.subscribe(listener.pattern, {
      callback: (error, received) => {
        if (error === null) listener.take(received);
        else this.#refused(listener, error);
      },
    });
  }

  /** The library forgets such a subscription, also for later connections. */
  #refused(listener: Listener, { message: detail }: Error): void {
    const { log, clock } = this.#options;
    if (listener.isRefused !== true) log.error("NATS refuses a subscription", { pattern: listener.pattern, detail });
    listener.isRefused = true;
    listener.subscription = undefined;
    this.#refusedAgain ??= clock.startTimer(REFUSED_AGAIN_MS, () => {
      this.#refusedAgain = undefined;
      for (const each of this.#listeners)
        if (each.subscription === undefined) this.#subscribeAt(this.#connection, each);
    });
  }

  /** Resolves once connected. Rejects only during the start, where a server refuses the login. */
  async #connect(): Promise<void> {
    try {
      const connection = await connect(this.#connectOptions());
      if (this.#isClosed) return void (await connection.close());
      this.#connection = connection;
      for (const listener of this.#listeners) this.#subscribeAt(connection, listener);
      this.#setConnected(true);
      void this.#follow(connection);
    } catch (error) {
      const isRefused =
        error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
      if (this.#isStarting && isRefused) {
        throw new NatsError(`a NATS server refuses the login (${error.message}).`, {
          cause: error,
        });
      }
      await this.#connectLater();
    }
  }

  #connectOptions() {
    const { address, clientName, random } = this.#options;
    return {
      ...natsLogin(address),
      name: clientName,
      noEcho: true,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_MS,
      maxPingOut: PINGS_LOST_MAX,
      maxReconnectAttempts: -1,
      // One bad answer of one server must not end the connection for good.
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => RECONNECT_MS + Math.floor(random() * RECONNECT_JITTER_MS),
    };
  }

  #connectLater(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const { clock, random } = this.#options;
    return new Promise((resolve, reject) => {
      this.#retry = clock.startTimer(RECONNECT_MS + random() * RECONNECT_JITTER_MS, () =>
        this.#connect().then(resolve, reject),
      );
    });
  }

  /** Follows the state of a connection, which connects anew by itself. One that ended for good is replaced. */
  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      const { type } = status;
      if (type === "disconnect" || type === "staleConnection") this.#setConnected(false);
      if (type === "reconnect") this.#setConnected(true);
      if (type === "error") this.#tell(status.error);
    }
    await connection.closed();
    this.#setConnected(false);
    this.#connection = undefined;
    await this.#connectLater();
  }

  /** What the server complains of: a login or a message that it refuses, or a client that is too slow for it. */
  #tell(error: Error): void {
    const isOfSubscription = error instanceof errors.PermissionViolationError && error.operation === "subscription";
    if (isOfSubscription || this.#told.has(error.message) || this.#told.size >= ERRORS_TOLD_MAX) return;
    this.#told.add(error.message);
    this.#options.log.error("NATS reports an error", { detail: error.message });
  }

  /** The library tries on without a word. */
  #explainLater(delayMs: number): void {
    this.#explaining?.cancel();
    this.#explaining = this.#options.clock.startTimer(delayMs, () => void this.#explain());
  }

  async #explain(): Promise<void> {
    const { address, log } = this.#options;
    const why = await probeNats(address, this.#options.clientName).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    if (this.#isConnected || this.#isClosed) return;
    if (why !== undefined) log.warn("NATS cannot be used", { detail: why });
    this.#explainLater(EXPLAINED_AGAIN_MS);
  }

  #setConnected(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return;
    this.#isConnected = isConnected;
    this.#explaining?.cancel();
    if (isConnected) this.#told.clear();
    else if (!this.#isClosed) this.#explainLater(EXPLAINED_MS);
    const { log, address } = this.#options;
    if (isConnected) log.info("connected to NATS", { server: this.serverInUse });
    else if (!this.#isClosed) log.warn("connection to NATS lost: trying on", { servers: address.servers.join(", ") });
    for (const take of this.#watchers) {
      try {
        take(isConnected);
      } catch (error) {
        this.#logFailure("connection", error);
      }
    }
  }

  #logFailure(subject: string, error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#options.log.error("bus message not taken", { subject, detail });
  }
}

function whyNoReply(error: unknown): NoReply {
  if (error instanceof errors.NoRespondersError) return "no-responders";
  if (error instanceof errors.RequestError) return error.isNoResponders() ? "no-responders" : "disconnected";
  return error instanceof errors.TimeoutError ? "timed-out" : "disconnected";
}
