import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { encodeMessage } from "../../protocol/rtmp/chunk/chunk-writer.ts";
import type { ClientOutput, ClientPublication } from "../../protocol/rtmp/client/client-outputs.ts";
import { ClientSession } from "../../protocol/rtmp/client/client-session.ts";
import type { EnhancedPeer } from "../../protocol/rtmp/client/enhanced-connect.ts";
import { type Message, MessageType } from "../../protocol/rtmp/message.ts";
import type { TargetAddress } from "../../protocol/rtmp/url.ts";

/** `clean`: with FCUnpublish and deleteStream; `close`: without a message; `reset`: the hard way. */
export type Farewell = "clean" | "close" | "reset";

/** `lost`: the server closed or reset. */
export type ConnectionLoss =
  | { readonly how: "lost"; readonly isReset: boolean }
  | { readonly how: "unreachable"; readonly code: string };

export type ConnectionEvents = {
  /** Called with every output of the session, except what it sends. */
  readonly onOutput: (output: Exclude<ClientOutput, { kind: "send" }>) => void;
  /** The connection ended, but not by `leave`. */
  readonly onLost: (loss: ConnectionLoss) => void;
  readonly onDrained: () => void;
  /** Nothing is left of the connection. Last, and once. */
  readonly onGone: () => void;
};

const HANDSHAKE_RANDOM_BYTES = 1_528;
/** The same as OBS, in bytes. */
const CHUNK_SIZE = 4_096;
/** How long the server may take to close its side after ours, in milliseconds. */
const LINGER_MS = 3_000;
const CSID: Readonly<Record<number, number>> = { [MessageType.Audio]: 4, [MessageType.Video]: 6 };
const DATA_CSID = 5;

/** One connection of the test kit's encoder: a socket and a client's session, joined. Begins to connect at once. */
export class EncoderConnection {
  readonly socket: Socket;
  readonly #session: ClientSession;
  readonly #clock: Clock;
  #streamId = 0;
  #hasLeft = false;

  constructor(address: TargetAddress, publication: ClientPublication, events: ConnectionEvents, clock: Clock) {
    this.#clock = clock;
    this.#session = new ClientSession(publication, randomBytes(HANDSHAKE_RANDOM_BYTES), CHUNK_SIZE);
    this.socket = connect({ host: address.host.replace(/^\[|\]$/g, ""), port: address.port, noDelay: true });
    this.#listen(events);
  }

  /** Whether the server sent `NetStream.Publish.Start`. */
  get isAccepted(): boolean {
    return this.#streamId > 0;
  }

  /** What the server announced about Enhanced RTMP. */
  get peer(): EnhancedPeer {
    return this.#session.peer;
  }

  write(message: Omit<Message, "streamId">): void {
    const csid = CSID[message.type] ?? DATA_CSID;
    this.socket.write(encodeMessage(csid, { ...message, streamId: this.#streamId }, CHUNK_SIZE));
  }

  leave(how: Farewell): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    if (how === "reset" || this.socket.connecting) {
      // A socket that is not connected yet cannot be reset.
      if (this.socket.connecting) this.socket.destroy();
      else this.socket.resetAndDestroy();
      return;
    }
    const farewell = how === "clean" ? this.#session.unpublish() : Buffer.alloc(0);
    if (farewell.length > 0) this.socket.write(farewell);
    this.socket.end();
    const timer = this.#clock.startTimer(LINGER_MS, () => this.socket.destroy());
    this.socket.once("close", () => timer.cancel());
  }

  #listen({ onOutput, onLost, onDrained, onGone }: ConnectionEvents): void {
    const { socket } = this;
    let isConnected = false;
    const lose = (loss: ConnectionLoss) => {
      if (!this.#hasLeft) onLost(loss);
    };
    socket.once("connect", () => {
      isConnected = true;
      socket.write(this.#session.start());
    });
    socket.on("data", (bytes: Buffer) => {
      for (const output of this.#session.receive(bytes, performance.now())) {
        if (output.kind === "publishing") this.#streamId = output.streamId;
        if (output.kind !== "send") onOutput(output);
        else if (!this.#hasLeft) socket.write(output.bytes);
      }
    });
    socket.on("end", () => lose({ how: "lost", isReset: false }));
    socket.on("error", (error) => {
      const code = "code" in error ? String(error.code) : error.name;
      lose(isConnected ? { how: "lost", isReset: true } : { how: "unreachable", code });
    });
    socket.on("drain", onDrained);
    socket.once("close", () => {
      lose({ how: "lost", isReset: true });
      onGone();
    });
  }
}
