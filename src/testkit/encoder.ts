import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock, type Timer } from "../base/clock.ts";
import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import { encodeMessage } from "../protocol/rtmp/chunk-writer.ts";
import { type ClientFailure, type ClientOutput, ClientSession } from "../protocol/rtmp/client-session.ts";
import { type EnhancedPeer, PLAIN_PEER } from "../protocol/rtmp/enhanced-connect.ts";
import { MessageType } from "../protocol/rtmp/message.ts";
import { parseTargetUrl } from "../protocol/rtmp/url.ts";
import type { Clip } from "./clip.ts";
import { type EncoderTime, encoderTimestamp } from "./encoder-time.ts";

export type EncoderOptions = {
  /** Where to, without the key: `rtmp://host:port/app`. */
  readonly url: string;
  readonly streamKey: string;
  readonly clip: Clip;
  /** 1: in real time; `Infinity`: as fast as the server takes it. 1 unless told. */
  readonly speed?: number;
  readonly time?: EncoderTime;
  /** In the clip's milliseconds: from here on it stays connected and silent, for good or for `forMs`. */
  readonly freeze?: { readonly atMs: number; readonly forMs?: number };
  /** In the clip's milliseconds: the connection is reset, as when a cable is pulled and the kernel gives up. */
  readonly vanishAtMs?: number;
  /** In the clip's milliseconds: the connection is closed without FCUnpublish and deleteStream. */
  readonly closeAtMs?: number;
  /** In place of this message, the first being 1, it sends bytes that are no RTMP. */
  readonly garbageAtMessage?: number;
  /** How long the server may take until it accepts, in milliseconds; 15 s unless told. */
  readonly acceptDeadlineMs?: number;
  readonly clock?: Clock;
  readonly onEvent?: (event: EncoderEvent) => void;
};

/**
 * `finished`: the clip is over; `stopped`: by `stop`; `vanished`, `closed`: as it was told to. `refused`: the server said no,
 * or ended the publication by a message. `not-accepted`: nothing was said in time. `lost`: the server closed or reset.
 */
export type EncoderEnd =
  | { readonly how: "finished" | "stopped" | "vanished" | "closed" | "not-accepted" }
  | { readonly how: "refused"; readonly failure: ClientFailure }
  | { readonly how: "lost"; readonly isReset: boolean }
  | { readonly how: "unreachable"; readonly code: string };

export type EncoderReport = {
  /** Audio, video and data messages. */
  messagesSent: number;
  /** Their payload. */
  payloadBytes: number;
  /** Of the message sent last; undefined before the first. */
  lastTimestamp: number | undefined;
  /** The server's latest running total, modulo 2³². */
  acknowledgedBytes: number | undefined;
  isAccepted: boolean;
  /** What the server said of Enhanced RTMP in its answer to `connect`. */
  peer: EnhancedPeer;
  end: EncoderEnd | undefined;
};

export type EncoderEvent =
  | { readonly event: "accepted" | "frozen" | "thawed" | "garbage" }
  | { readonly event: "ended"; readonly report: EncoderReport };

const HANDSHAKE_RANDOM_BYTES = 1_528;
/** OBS's own. */
const CHUNK_SIZE = 4_096;
const ACCEPT_DEADLINE_MS = 15_000;
/** How long the server may take to close its side after ours. */
const LINGER_MS = 3_000;
/** Sent and not yet taken by the kernel; beyond it nothing more is made. */
const PENDING_BYTES_MAX = 1_048_576;
const MESSAGES_IN_A_ROW_MAX = 64;
const GARBAGE_BYTES = 64;
/** A header that builds on an earlier one, on a chunk stream that never had one: an error to every reader. */
const GARBAGE_FIRST_BYTE = 0xbf;
const CSID: Readonly<Record<number, number>> = { [MessageType.Audio]: 4, [MessageType.Video]: 6 };
const DATA_CSID = 5;

/**
 * An encoder that publishes a clip as OBS would, until it does what it was told to do wrong. Begins to connect at once;
 * `closed` resolves in every case and never rejects.
 */
export class KitEncoder {
  readonly report: EncoderReport = {
    messagesSent: 0,
    payloadBytes: 0,
    lastTimestamp: undefined,
    acknowledgedBytes: undefined,
    isAccepted: false,
    peer: PLAIN_PEER,
    end: undefined,
  };
  /** Whether the server said `NetStream.Publish.Start`. */
  readonly accepted: Promise<boolean>;
  readonly closed: Promise<EncoderReport>;
  readonly #options: EncoderOptions;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #session: ClientSession;
  readonly #accept = Promise.withResolvers<boolean>();
  #acceptTimer: Timer | undefined;
  /** Ends the wait that the sending is in, if it is in one. */
  #wake: (() => void) | undefined;
  #isFrozen = false;
  /** The freeze of the options comes once. */
  #hasFrozen = false;
  /** How much later everything happens than the clip has it. */
  #frozenMs = 0;
  #streamId = 0;

  /** @throws Error where the URL is none of RTMP. */
  constructor(options: EncoderOptions) {
    const address = parseTargetUrl(options.url);
    if (typeof address === "string") throw new Error(`no RTMP address: ${address}`);
    if (address.scheme !== "rtmp") throw new Error("the test kit's encoder speaks plain RTMP only");
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const publication = { app: address.app, tcUrl: address.tcUrl, name: options.streamKey };
    this.#session = new ClientSession(publication, randomBytes(HANDSHAKE_RANDOM_BYTES), CHUNK_SIZE);
    this.#socket = connect({ host: address.host.replace(/^\[|\]$/g, ""), port: address.port, noDelay: true });
    this.accepted = this.#accept.promise;
    this.closed = this.#life();
  }

  /** Sent and not yet taken by the kernel. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  /** From now on it stays connected and silent. */
  freeze(): void {
    if (this.#isFrozen) return;
    this.#isFrozen = true;
    this.#tell({ event: "frozen" });
  }

  /** Goes on where it was; its clock has gone on meanwhile. */
  thaw(): void {
    if (!this.#isFrozen || this.report.end !== undefined) return;
    this.#isFrozen = false;
    this.#tell({ event: "thawed" });
    this.#wake?.();
  }

  /**
   * `clean`: with FCUnpublish and deleteStream; `close`: without a word; `reset`: the hard way. Resolves when the connection
   * is gone.
   */
  async stop(how: "clean" | "close" | "reset"): Promise<EncoderReport> {
    this.#leave({ how: "stopped" }, how);
    return await this.closed;
  }

  #life(): Promise<EncoderReport> {
    const socket = this.#socket;
    const deadlineMs = this.#options.acceptDeadlineMs ?? ACCEPT_DEADLINE_MS;
    this.#acceptTimer = this.#clock.startTimer(deadlineMs, () => this.#leave({ how: "not-accepted" }, "reset"));
    let isConnected = false;
    socket.once("connect", () => {
      isConnected = true;
      socket.write(this.#session.start());
    });
    socket.on("data", (bytes: Buffer) => {
      for (const output of this.#session.receive(bytes)) this.#take(output);
    });
    socket.on("end", () => this.#leave({ how: "lost", isReset: false }, "close"));
    socket.on("error", (error) => {
      const code = "code" in error ? String(error.code) : error.name;
      this.#leave(isConnected ? { how: "lost", isReset: true } : { how: "unreachable", code }, "reset");
    });
    socket.on("drain", () => this.#wake?.());
    return new Promise((resolve) => {
      socket.once("close", () => {
        this.#leave({ how: "lost", isReset: true }, "reset");
        this.#tell({ event: "ended", report: this.report });
        resolve(this.report);
      });
    });
  }

  #take(output: ClientOutput): void {
    switch (output.kind) {
      case "send":
        if (this.report.end === undefined) this.#socket.write(output.bytes);
        return;
      case "publishing":
        if (this.report.end !== undefined) return;
        this.#acceptTimer?.cancel();
        this.#streamId = output.streamId;
        this.report.isAccepted = true;
        this.report.peer = this.#session.peer;
        this.#accept.resolve(true);
        this.#tell({ event: "accepted" });
        void this.#send();
        return;
      case "failed":
        return this.#leave({ how: "refused", failure: output.failure }, "close");
      case "acknowledged":
        this.report.acknowledgedBytes = output.bytesTotal;
        return;
    }
  }

  async #send(): Promise<void> {
    const { clip, speed = 1 } = this.#options;
    const startMs = this.#clock.now();
    for (const tag of clip.tags()) {
      await this.#until(startMs + tag.timestamp / speed);
      if (!this.#doAsTold(tag)) return;
      while (this.#isFrozen && this.report.end === undefined) await this.#frozen();
      while (this.#socket.writableLength > PENDING_BYTES_MAX && this.report.end === undefined) await this.#wait();
      if (this.report.end !== undefined) return;
      this.#write(tag);
      // A clip that never has to wait must not keep the socket from being read.
      if (this.report.messagesSent % MESSAGES_IN_A_ROW_MAX === 0) await setImmediate();
    }
    await this.#sent();
    this.#leave({ how: "finished" }, "clean");
  }

  /** Waits for the moment, and for as much longer as the encoder was frozen. */
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

  /** Until the kernel has taken everything, or the connection is gone. */
  #sent(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(Buffer.alloc(0), () => resolve());
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

  /** What the options have for this moment of the clip; false where it was the end. */
  #doAsTold(tag: FlvTag): boolean {
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

  #write({ type, timestamp, payload }: FlvTag): void {
    this.report.messagesSent += 1;
    if (this.report.messagesSent === this.#options.garbageAtMessage) {
      const garbage = randomBytes(GARBAGE_BYTES);
      garbage[0] = GARBAGE_FIRST_BYTE;
      this.#socket.write(garbage);
      return this.#tell({ event: "garbage" });
    }
    const clipMs = timestamp + this.#frozenMs;
    const stamp = encoderTimestamp(this.#options.time ?? {}, clipMs, type === MessageType.Video);
    const message = { type, timestamp: stamp, streamId: this.#streamId, payload };
    this.#socket.write(encodeMessage(CSID[type] ?? DATA_CSID, message, CHUNK_SIZE));
    this.report.payloadBytes += payload.length;
    this.report.lastTimestamp = stamp;
  }

  /** What ended it first is how it ended. */
  #leave(end: EncoderEnd, how: "clean" | "close" | "reset"): void {
    if (this.report.end !== undefined) return;
    this.report.end = end;
    this.#acceptTimer?.cancel();
    this.#accept.resolve(false);
    if (how === "reset" || this.#socket.connecting) {
      // What is not connected yet cannot be reset.
      if (this.#socket.connecting) this.#socket.destroy();
      else this.#socket.resetAndDestroy();
    } else {
      const farewell = how === "clean" ? this.#session.unpublish() : Buffer.alloc(0);
      if (farewell.length > 0) this.#socket.write(farewell);
      this.#socket.end();
      const timer = this.#clock.startTimer(LINGER_MS, () => this.#socket.destroy());
      this.#socket.once("close", () => timer.cancel());
    }
    this.#wake?.();
  }

  #tell(event: EncoderEvent): void {
    this.#options.onEvent?.(event);
  }
}
