import type { Clock } from "../../base/clock.ts";
import { type Removal, tidyKey } from "../../base/pasted-text.ts";
import type { Sender } from "../../net/datagram-port.ts";
import { SrtConnection, type SrtEnd } from "../../protocol/srt/connection.ts";
import type { CallRequest, SrtListenerHandshake } from "../../protocol/srt/listener.ts";
import { readStreamId, type StreamIdFault, type StreamRequest } from "../../protocol/srt/stream-id.ts";
import type { Rejection } from "../../protocol/srt/wire/rejections.ts";
import type { MediaMessage } from "../../relay/stream/media-message.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Fact, IngestEnd } from "../../thread-protocol/facts.ts";
import type { SrtLinkSample } from "../../thread-protocol/samples.ts";
import type { Connection } from "../connection-limiter.ts";
import { ConnectionRefusal, type RefusalDeps } from "../publish/connection-refusal.ts";
import { type Admit, type KeyDecision, type PublishConnection, PublishSession } from "../publish/publish-session.ts";
import { RecentLoss } from "./recent-loss.ts";
import { UnreadableSeconds } from "./unreadable-seconds.ts";

/** Turns the bytes of a transport stream into the relay's messages. */
export interface StreamReader {
  /** How far it has come; `no-sync`: this is no transport stream. */
  readonly progress: "no-sync" | "no-program" | "no-media" | "scrambled" | "media";
  push(bytes: Buffer): readonly MediaMessage[];
  /** Bytes are missing here. */
  gap(): void;
  /** What was waiting when the stream ended. */
  end(): readonly MediaMessage[];
}

/** What the encoders of one listener share. */
export type SrtEncoderDeps = RefusalDeps & {
  readonly clock: Clock;
  readonly admit: Admit;
  readonly onFact: (fact: Fact) => void;
  readonly randomBytes: (length: number) => Buffer;
  readonly handshake: SrtListenerHandshake;
  readonly newReader: () => StreamReader;
  /** For channels without a passphrase of their own. */
  readonly passphrase: string | undefined;
  readonly latencyMs: number;
  readonly send: (packet: Buffer, to: Sender) => void;
};

/** What an encoder does to its listener. */
export type SrtEncoderEvents = {
  /** A new socket ID that no other connection has. */
  readonly newId: () => number;
  /** It publishes under this ID from now on. */
  readonly onAccepted: (localId: number) => void;
  /** It is over. Called once. */
  readonly onOver: () => void;
};

/** An encoder that sends no such thing by then is no encoder, in milliseconds since it was accepted. */
const DEADLINES_MS = { "no-sync": 5_000, "no-program": 10_000, "no-media": 15_000, scrambled: 15_000 } as const;
/**
 * An encoder that sent nothing but packets in a key that we do not have, for so many seconds. The message with its new key was
 * lost: it never comes again, but with another connection.
 */
const KEYLESS_SECONDS = 3;
const PROBLEMS = {
  "no-sync": "what it sends is not MPEG-TS",
  "no-program": "its MPEG-TS has no program",
  "no-media": "its MPEG-TS has no audio or video that can be read",
  scrambled: "its MPEG-TS is scrambled, as for a subscription: send it in clear, with an SRT passphrase if wanted",
} as const;

const BAD_ID: Readonly<Record<StreamIdFault, { readonly rejection: Rejection; readonly detail: string }>> = {
  empty: { rejection: "badRequest", detail: "SRT without a stream ID, which has to hold the stream key" },
  bad: { rejection: "badRequest", detail: "an SRT stream ID that cannot be read" },
  mode: { rejection: "badMode", detail: "an SRT stream ID with a mode other than publish" },
  "media-type": { rejection: "mediaType", detail: "an SRT stream ID for something other than a stream" },
};

/** One encoder that speaks SRT: from its request, through its admission, to its end. */
export class SrtEncoder implements PublishConnection, Connection {
  readonly remoteAddress: string;
  readonly sender: Sender;
  readonly #deps: SrtEncoderDeps;
  readonly #events: SrtEncoderEvents;
  readonly #request: CallRequest;
  readonly #refusal: ConnectionRefusal;
  readonly #session: PublishSession;
  readonly #reader: StreamReader;
  readonly #recent = new RecentLoss();
  readonly #unreadable = new UnreadableSeconds();
  #connection: SrtConnection | undefined;
  #response: Buffer | undefined;
  /** On the clock's `awakeNow()`: it must have had the time to send. */
  #acceptedMs = 0;
  #isOver = false;

  constructor(
    request: CallRequest,
    sender: Sender,
    remoteAddress: string,
    deps: SrtEncoderDeps,
    events: SrtEncoderEvents,
  ) {
    this.#request = request;
    this.sender = sender;
    this.remoteAddress = remoteAddress;
    this.#deps = deps;
    this.#events = events;
    this.#refusal = new ConnectionRefusal(deps, remoteAddress);
    this.#session = new PublishSession(deps.admit, this.#refusal, this);
    this.#reader = deps.newReader();
  }

  get address(): string {
    return this.remoteAddress;
  }

  /** Decides whether it may publish. */
  begin(): void {
    this.#decide().catch((error) => this.#failByFault(error));
  }

  /** The caller repeats its request: it has not got the response. */
  repeat(): void {
    if (this.#response !== undefined) this.#deps.send(this.#response, this.sender);
  }

  receive(packet: Buffer, nowUs: number): void {
    try {
      this.#connection?.receive(packet, nowUs);
    } catch (error) {
      this.#failByFault(error);
    }
  }

  /** Call about every 10 ms. */
  tick(nowUs: number): void {
    try {
      this.#connection?.tick(nowUs);
    } catch (error) {
      this.#failByFault(error);
    }
  }

  /** Call once a second. Returns what is known of its connection, once it publishes. */
  measure(): SrtLinkSample | undefined {
    const connection = this.#connection;
    const channelId = this.#session.gateway?.channelId;
    const slot = this.#session.slot;
    if (connection === undefined || channelId === undefined || slot === undefined) return undefined;
    this.#endUnlessMedia();
    const { stats } = connection;
    if (this.#unreadable.tick(stats) >= KEYLESS_SECONDS) this.#endKeyless();
    const { received, receiveLost: lost, receiveDropped: dropped, receivedBytes: bytes } = stats;
    this.#recent.tick({ received, lost, dropped, bytes });
    return {
      channelId,
      slot,
      ...(stats.rttMs === undefined ? {} : { rttMs: stats.rttMs }),
      latencyMs: stats.latencyMs,
      isEncrypted: stats.isEncrypted,
      packets: received,
      bytesPerSecond: this.#recent.bytesPerSecond,
      lost,
      retransmitted: stats.receiveRetransmitted,
      dropped,
      belated: stats.receiveBelated,
      undecrypted: stats.receiveUndecrypted,
      lossPercent: this.#recent.lossPercent,
      droppedLately: this.#recent.dropped,
    };
  }

  resumeReading(): void {
    // UDP is not held back: what comes while the gateway is full is lost.
  }

  dismiss(): void {
    this.close();
  }

  turnAway(): void {
    this.#refusal.report("too-many-connections");
    this.#reject("resource");
  }

  /** The process stops. SRT has no way to ask an encoder to connect again. */
  drain(): void {
    this.#session.drain(false);
    this.close();
  }

  /** Closes without an end to report. Idempotent. */
  close(): void {
    this.#session.close();
    this.#shut();
  }

  async #decide(): Promise<void> {
    const { extensions, settings } = this.#request;
    const asked = readStreamId(extensions.streamId === "invalid" ? undefined : extensions.streamId);
    if (typeof asked === "string") return this.#refuse(BAD_ID[asked].rejection, BAD_ID[asked].detail);
    if (asked.direction === "play")
      return this.#refuse("badMode", "it asks to play over SRT, which is for encoders only");
    // A user alone names a device; with a password it is a login.
    if (asked.user !== "" && asked.password !== "")
      this.#session.loggedIn({ id: asked.user, password: asked.password });
    const decision = await this.#session.request({ ...keyOf(asked), encoder: encoderName(settings.version) });
    if (this.#isOver) return this.#session.end("connection-lost");
    if (decision !== "accept") return this.#reject(rejectionFor(decision, this.#session.isFight));
    this.#accept();
  }

  #accept(): void {
    const { handshake, latencyMs, clock, send } = this.#deps;
    const nowUs = clock.now() * 1_000;
    const { channelId, srtPassphrase: passphrase = this.#deps.passphrase } = this.#session.admitted ?? {};
    const options = { localId: this.#events.newId(), passphrase, latencyMs, nowUs };
    const accepted = handshake.accept(this.#request, options);
    if (typeof accepted === "string") {
      this.#session.end("connection-lost");
      return this.#refuse(accepted, PASSPHRASE_FAULTS[accepted] ?? "a malformed SRT key message", channelId);
    }
    if (!this.#session.open()) return this.#reject("unavailable");
    this.#connection = new SrtConnection(accepted.agreement, nowUs, {
      send: (packet) => send(packet, this.sender),
      deliver: (payload) => this.#deliver(payload),
      onGap: () => this.#reader.gap(),
      onEnd: (end) => this.#ended(end),
      randomBytes: this.#deps.randomBytes,
    });
    this.#acceptedMs = clock.awakeNow();
    this.#response = accepted.response;
    this.#events.onAccepted(options.localId);
    send(accepted.response, this.sender);
  }

  #deliver(payload: Buffer): void {
    const { gateway } = this.#session;
    if (gateway?.isFull === true) return this.#reader.gap();
    const messages = this.#reader.push(payload);
    for (const message of messages) this.#session.push(message);
    if (messages.length > 0 && gateway?.latency === "low") gateway.flush();
  }

  #ended(end: SrtEnd): void {
    for (const message of this.#reader.end()) this.#session.push(message);
    this.#leave(end.kind === "shutdown" ? "clean" : end.kind === "silent" ? "connection-lost" : "protocol-error");
  }

  #endUnlessMedia(): void {
    const { progress } = this.#reader;
    if (progress === "media" || this.#deps.clock.awakeNow() - this.#acceptedMs < DEADLINES_MS[progress]) return;
    this.#refusal.report("protocol-error", { detail: PROBLEMS[progress] });
    this.#leave("protocol-error");
  }

  #endKeyless(): void {
    this.#refusal.report("protocol-error", { detail: "the message with its new SRT key was lost" });
    this.#leave("protocol-error");
  }

  /** Refuses for what the caller sent, and reports it. */
  #refuse(rejection: Rejection, detail: string, channelId?: ChannelId): void {
    const isSecret = rejection === "badSecret" || rejection === "unsecure";
    const more = channelId === undefined ? {} : { channelId };
    this.#refusal.report(isSecret ? "auth-failed" : "protocol-error", { ...more, detail });
    this.#reject(rejection);
  }

  #reject(rejection: Rejection): void {
    const { handshake, clock, send } = this.#deps;
    if (this.#isOver) return;
    if (this.#connection === undefined)
      send(handshake.reject(this.#request.handshake, rejection, clock.now() * 1_000), this.sender);
    this.close();
  }

  #leave(end: IngestEnd): void {
    this.#session.end(end);
    this.close();
  }

  #shut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection?.close(this.#deps.clock.now() * 1_000);
    this.#events.onOver();
  }

  /** A mistake of this program ends this connection only. */
  #failByFault(error: unknown): void {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#deps.onFact({ kind: "internal-fault", time: this.#deps.clock.wallNow(), where: "ingest", detail });
    this.#leave("protocol-error");
  }
}

const PASSPHRASE_FAULTS: { readonly [Name in Rejection]?: string } = {
  badSecret: "another SRT passphrase than the channel's",
  unsecure: "an SRT passphrase on one side only",
  crypto: "SRT encryption with AES-GCM, which is not supported: choose AES-CTR, or no authentication",
};

function rejectionFor(decision: KeyDecision, isFight: boolean): Rejection {
  if (decision === "overloaded") return "overload";
  if (decision === "unavailable") return "unavailable";
  return isFight ? "conflict" : "notFound";
}

/** The key without what was pasted around it. */
function keyOf({ key }: StreamRequest): { readonly key: string; readonly keyRemoved: readonly Removal[] } {
  const { text, removed } = tidyKey(key, "");
  return { key: text, keyRemoved: removed };
}

/** SRT names no encoder, only the version of its library: 0x010501 is 1.5.1. */
function encoderName(version: number): string {
  return `SRT ${(version >>> 16) & 0xff}.${(version >>> 8) & 0xff}.${version & 0xff}`;
}
