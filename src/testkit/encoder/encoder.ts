import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock, type Timer } from "../../base/clock.ts";
import { classifyAudio } from "../../protocol/flv/audio/audio-tag.ts";
import type { FlvTag } from "../../protocol/flv/flv-tag.ts";
import { classifyVideo } from "../../protocol/flv/video/video-tag.ts";
import type { ClientFailure } from "../../protocol/rtmp/client/client-outputs.ts";
import { CapsEx, type EnhancedPeer, PLAIN_PEER } from "../../protocol/rtmp/client/enhanced-connect.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import { parseTargetUrl, resolveTargetUrl } from "../../protocol/rtmp/url.ts";
import type { Clip } from "./clip.ts";
import { type ConnectionEvents, type ConnectionLoss, EncoderConnection, type Farewell } from "./encoder-connection.ts";
import { type EncoderTime, encoderTimestamp } from "./encoder-time.ts";

export type EncoderOptions = {
  /** The server's address without the key: `rtmp://host:port/app`. */
  readonly url: string;
  readonly streamKey: string;
  readonly clip: Clip;
  /** 1: in real time; `Infinity`: as fast as the server takes it. Default 1. */
  readonly speed?: number;
  readonly time?: EncoderTime;
  /** In the clip's milliseconds: from here on it stays connected and sends nothing, for ever or for `forMs`. */
  readonly freeze?: { readonly atMs: number; readonly forMs?: number };
  /** In the clip's milliseconds: the connection is reset, as when a cable is pulled and the kernel gives up. */
  readonly vanishAtMs?: number;
  /** In the clip's milliseconds: the connection is closed without FCUnpublish and deleteStream. */
  readonly closeAtMs?: number;
  /** Instead of this message, the first being 1, it sends bytes that are not RTMP. */
  readonly garbageAtMessage?: number;
  /** How long the server may take to accept, in milliseconds; default 15 s. */
  readonly acceptDeadlineMs?: number;
  /**
   * It announces that it can follow a ReconnectRequest, and does: it publishes at the requested address (or at the
   * present one, without an address) while it goes on here, then continues there from a keyframe and leaves here
   * properly. If no server accepts it there, it stays.
   */
  readonly followsReconnectRequests?: boolean;
  readonly clock?: Clock;
  readonly onEvent?: (event: EncoderEvent) => void;
};

/**
 * `finished`: the clip is over; `stopped`: by `stop`; `vanished`, `closed`: as its options said. `refused`: the server
 * refused, or ended the publication by a message. `not-accepted`: no reply in time. `lost`: the server closed or reset.
 */
export type EncoderEnd =
  | { readonly how: "finished" | "stopped" | "vanished" | "closed" | "not-accepted" }
  | { readonly how: "refused"; readonly failure: ClientFailure }
  | ConnectionLoss;

export type EncoderReport = {
  /** Audio, video and data messages. */
  messagesSent: number;
  /** The bytes of their payloads. */
  payloadBytes: number;
  /** The timestamp of the last message; undefined before the first. */
  lastTimestamp: number | undefined;
  /** The server's latest running total, modulo 2³². */
  acknowledgedBytes: number | undefined;
  isAccepted: boolean;
  /** What the server announced about Enhanced RTMP in its reply to `connect`. */
  peer: EnhancedPeer;
  /** The number of ReconnectRequests. */
  reconnectRequests: number;
  /** For each move to another connection, the timestamp of the last message before it. */
  movedAfter: (number | undefined)[];
  end: EncoderEnd | undefined;
};

export type EncoderEvent =
  | { readonly event: "accepted" | "frozen" | "thawed" | "garbage" | "moved" }
  | { readonly event: "reconnect-requested"; readonly tcUrl?: string }
  | { readonly event: "ended"; readonly report: EncoderReport };

const ACCEPT_DEADLINE_MS = 15_000;
/** Sent, but not yet taken by the kernel; above this limit nothing more is made. */
const PENDING_BYTES_MAX = 1_048_576;
const MESSAGES_IN_A_ROW_MAX = 64;
const GARBAGE_BYTES = 64;
/** A header that builds on an earlier one, on a chunk stream that never had one: every reader must fail on it. */
const GARBAGE_FIRST_BYTE = 0xbf;

/**
 * An encoder that publishes a clip as OBS would, until it fails as its options say. Begins to connect at once; `closed`
 * resolves in every case and never rejects.
 */
export class KitEncoder {
  readonly report: EncoderReport = {
    messagesSent: 0,
    payloadBytes: 0,
    lastTimestamp: undefined,
    acknowledgedBytes: undefined,
    isAccepted: false,
    peer: PLAIN_PEER,
    reconnectRequests: 0,
    movedAfter: [],
    end: undefined,
  };
  /** Whether the server sent `NetStream.Publish.Start`. */
  readonly accepted: Promise<boolean>;
  readonly closed: Promise<EncoderReport>;
  readonly #options: EncoderOptions;
  readonly #clock: Clock;
  #connection: EncoderConnection;
  /** The connection to the address where it was asked to continue. */
  #next: EncoderConnection | undefined;
  /** Metadata and sequence headers, for the next connection. */
  readonly #heads = new Map<string, FlvTag>();
  readonly #over = Promise.withResolvers<EncoderReport>();
  readonly #accept = Promise.withResolvers<boolean>();
  #acceptTimer: Timer | undefined;
  /** Ends the present wait of the sending loop, if there is one. */
  #wake: (() => void) | undefined;
  #isFrozen = false;
  /** The freeze of the options happens once. */
  #hasFrozen = false;
  /** How much later everything happens than in the clip, in milliseconds. */
  #frozenMs = 0;

  /** @throws Error where the URL is not an RTMP address. */
  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.accepted = this.#accept.promise;
    this.closed = this.#over.promise;
    this.#connection = this.#connect(options.url);
    const deadlineMs = options.acceptDeadlineMs ?? ACCEPT_DEADLINE_MS;
    this.#acceptTimer = this.#clock.startTimer(deadlineMs, () => this.#leave({ how: "not-accepted" }, "reset"));
  }

  /** Sent, but not yet taken by the kernel, in bytes. */
  get pendingBytes(): number {
    return this.#connection.socket.writableLength;
  }

  /** From now on it stays connected and sends nothing. */
  freeze(): void {
    if (this.#isFrozen) return;
    this.#isFrozen = true;
    this.#emit({ event: "frozen" });
  }

  /** Continues where it was; its clock has gone on meanwhile. */
  thaw(): void {
    if (!this.#isFrozen || this.report.end !== undefined) return;
    this.#isFrozen = false;
    this.#emit({ event: "thawed" });
    this.#wake?.();
  }

  /** Resolves when the connection is gone. */
  async stop(how: Farewell): Promise<EncoderReport> {
    this.#leave({ how: "stopped" }, how);
    return await this.closed;
  }

  #connect(url: string): EncoderConnection {
    const address = parseTargetUrl(url);
    if (typeof address === "string") throw new Error(`no RTMP address: ${address}`);
    if (address.scheme !== "rtmp") throw new Error("the test kit's encoder speaks plain RTMP only");
    const { streamKey: name, followsReconnectRequests = false } = this.#options;
    const capsLacking = followsReconnectRequests ? 0 : CapsEx.Reconnect;
    const publication = { app: address.app, tcUrl: address.tcUrl, name, capsLacking };
    const isCurrent = () => connection === this.#connection;
    const events: ConnectionEvents = {
      onOutput: (output) => {
        if (output.kind === "publishing" && isCurrent()) this.#begin();
        else if (output.kind === "failed") lose({ how: "refused", failure: output.failure }, "close");
        else if (output.kind === "acknowledged" && isCurrent()) this.report.acknowledgedBytes = output.bytesTotal;
        else if (output.kind === "reconnect-requested" && isCurrent()) this.#takeReconnectRequest(url, output.tcUrl);
      },
      onLost: (loss) => lose(loss, loss.how === "lost" && !loss.isReset ? "close" : "reset"),
      onDrained: () => this.#wake?.(),
      onGone: () => {
        if (!isCurrent()) return;
        this.#emit({ event: "ended", report: this.report });
        this.#over.resolve(this.report);
      },
    };
    const lose = (end: EncoderEnd, how: Farewell) => {
      if (isCurrent()) return this.#leave(end, how);
      connection.leave(how);
      if (connection === this.#next) this.#next = undefined;
    };
    const connection = new EncoderConnection(address, publication, events, this.#clock);
    return connection;
  }

  #begin(): void {
    if (this.report.end !== undefined) return;
    this.#acceptTimer?.cancel();
    this.report.isAccepted = true;
    this.report.peer = this.#connection.peer;
    this.#accept.resolve(true);
    this.#emit({ event: "accepted" });
    void this.#send();
  }

  #takeReconnectRequest(presentUrl: string, tcUrl: string | undefined): void {
    this.report.reconnectRequests += 1;
    this.#emit({ event: "reconnect-requested", ...(tcUrl === undefined ? {} : { tcUrl }) });
    if (this.#options.followsReconnectRequests !== true || this.#next !== undefined || this.report.end !== undefined)
      return;
    const url = tcUrl === undefined ? presentUrl : resolveTargetUrl(presentUrl, tcUrl);
    // An address that it cannot use is ignored.
    if (url !== undefined && isPlainRtmp(url)) this.#next = this.#connect(url);
  }

  async #send(): Promise<void> {
    const { clip, speed = 1 } = this.#options;
    const startMs = this.#clock.now();
    for (const tag of clip.tags()) {
      await this.#until(startMs + tag.timestamp / speed);
      if (!this.#applyOptions(tag)) return;
      while (this.#isFrozen && this.report.end === undefined) await this.#frozen();
      while (this.#connection.socket.writableLength > PENDING_BYTES_MAX && this.report.end === undefined)
        await this.#wait();
      if (this.report.end !== undefined) return;
      this.#write(tag);
      // A clip that never waits must not keep the socket from being read.
      if (this.report.messagesSent % MESSAGES_IN_A_ROW_MAX === 0) await setImmediate();
    }
    await this.#sent();
    this.#leave({ how: "finished" }, "clean");
  }

  /** Waits until this moment, plus the time for which the encoder was frozen. */
  async #until(atMs: number): Promise<void> {
    for (;;) {
      const leftMs = atMs + this.#frozenMs - this.#clock.now();
      if (leftMs <= 0 || this.report.end !== undefined) return;
      const timer = this.#clock.startTimer(leftMs, () => this.#wake?.());
      await this.#wait();
      timer.cancel();
      while (this.#isFrozen && this.report.end === undefined) await this.#frozen();
    }
  }

  async #frozen(): Promise<void> {
    const sinceMs = this.#clock.now();
    await this.#wait();
    this.#frozenMs += this.#clock.now() - sinceMs;
  }

  /** Resolves when the kernel has taken everything, or the connection is gone. */
  #sent(): Promise<void> {
    return new Promise((resolve) => {
      this.#connection.socket.write(Buffer.alloc(0), () => resolve());
    });
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** Applies the options for this moment of the clip; returns false where the encoder has ended. */
  #applyOptions(tag: FlvTag): boolean {
    const { freeze, vanishAtMs, closeAtMs } = this.#options;
    if (this.report.end !== undefined) return false;
    if (vanishAtMs !== undefined && tag.timestamp >= vanishAtMs) this.#leave({ how: "vanished" }, "reset");
    else if (closeAtMs !== undefined && tag.timestamp >= closeAtMs) this.#leave({ how: "closed" }, "close");
    else if (freeze !== undefined && !this.#hasFrozen && tag.timestamp >= freeze.atMs) {
      this.#hasFrozen = true;
      this.freeze();
      if (freeze.forMs !== undefined) this.#clock.startTimer(freeze.forMs, () => this.thaw());
    }
    return this.report.end === undefined;
  }

  #write(tag: FlvTag): void {
    const { type, timestamp, payload } = tag;
    const stamp = encoderTimestamp(this.#options.time ?? {}, timestamp + this.#frozenMs, type === MessageType.Video);
    this.#moveAt(tag, stamp);
    this.report.messagesSent += 1;
    if (this.report.messagesSent === this.#options.garbageAtMessage) {
      const garbage = randomBytes(GARBAGE_BYTES);
      garbage[0] = GARBAGE_FIRST_BYTE;
      this.#connection.socket.write(garbage);
      return this.#emit({ event: "garbage" });
    }
    this.#connection.write({ type, timestamp: stamp, payload });
    this.report.payloadBytes += payload.length;
    this.report.lastTimestamp = stamp;
  }

  /** At a keyframe it moves to the next connection, if one is ready. */
  #moveAt(tag: FlvTag, timestamp: number): void {
    const head = headOf(tag);
    if (head !== undefined) this.#heads.set(head, tag);
    const next = this.#next;
    if (next?.isAccepted !== true || tag.type !== MessageType.Video || !classifyVideo(tag.payload).isKeyframe) return;
    const before = this.#connection;
    this.#connection = next;
    this.#next = undefined;
    this.report.movedAfter.push(this.report.lastTimestamp);
    for (const { type, payload } of this.#heads.values()) next.write({ type, timestamp, payload });
    before.leave("clean");
    this.#emit({ event: "moved" });
  }

  /** The first end counts. */
  #leave(end: EncoderEnd, how: Farewell): void {
    if (this.report.end !== undefined) return;
    this.report.end = end;
    this.#acceptTimer?.cancel();
    this.#accept.resolve(false);
    this.#next?.leave("reset");
    this.#connection.leave(how);
    this.#wake?.();
  }

  #emit(event: EncoderEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** The kind of a message that a decoder needs before the first frame; undefined for any other message. */
function headOf({ type, payload }: FlvTag): string | undefined {
  if (type === MessageType.Audio) return classifyAudio(payload).part === "config" ? "audio" : undefined;
  if (type === MessageType.Video) return classifyVideo(payload).part === "config" ? "video" : undefined;
  return "metadata";
}

function isPlainRtmp(url: string): boolean {
  const address = parseTargetUrl(url);
  return typeof address === "object" && address.scheme === "rtmp";
}
