import type { Admission } from "../../../src/ingest/publish/publish-session.ts";
import type { StreamReader } from "../../../src/ingest/srt/srt-encoder.ts";
import { SrtListener, type SrtListenerDeps } from "../../../src/ingest/srt/srt-listener.ts";
import type { DatagramPort, OnDatagram, Sender } from "../../../src/net/datagram-port.ts";
import { type CallFailure, type CallStep, SrtCaller } from "../../../src/protocol/srt/caller.ts";
import { SrtConnection } from "../../../src/protocol/srt/connection.ts";
import type { ProvenLogin, RefusedKey } from "../../../src/thread-protocol/admission.ts";
import type { Fact } from "../../../src/thread-protocol/facts.ts";
import type { SrtLinkSample } from "../../../src/thread-protocol/samples.ts";
import { seededRandom } from "./seeded-random.ts";
import { VirtualClock } from "./virtual-clock.ts";

const ADDRESS = "192.0.2.7";
const TICK_MS = 10;
/** What libuv reads of a socket before it turns to other things. */
const READS_PER_ROUND = 32;

/** A reader whose messages are the payloads: it counts gaps, and finds media with the first payload that begins with G. */
class PlainReader implements StreamReader {
  progress: StreamReader["progress"] = "no-sync";
  gaps = 0;

  push(bytes: Buffer) {
    if (bytes[0] !== 0x47) return [];
    this.progress = "media";
    return [{ kind: "video" as const, timestamp: bytes.readUInt32BE(4), payload: bytes }];
  }

  gap(): void {
    this.gaps += 1;
  }

  end() {
    return [];
  }
}

/** An SRT listener on virtual time and without sockets. */
export class SrtIngestStage {
  readonly clock = new VirtualClock();
  readonly facts: Fact[] = [];
  readonly log: string[] = [];
  readonly asked: (readonly [string, ProvenLogin | undefined])[] = [];
  readonly links: (readonly SrtLinkSample[])[] = [];
  readonly readers: PlainReader[] = [];
  readonly sent: { readonly packet: Buffer; readonly to: Sender }[] = [];
  readonly listener: SrtListener;
  readonly #callers = new Map<string, SrtTestCaller>();
  /** Datagrams that have arrived while the process stood still. */
  readonly unread: { readonly packet: Buffer; readonly sender: Sender }[] = [];
  #isStill = false;
  #beforeReads: () => void = () => undefined;
  #onDatagram: OnDatagram = () => undefined;
  verdict: Admission | Promise<Admission>;

  constructor(options: Partial<Pick<SrtListenerDeps, "passphrase" | "latencyMs" | "limits" | "newReader">> = {}) {
    const random = seededRandom(42);
    this.verdict = this.admitted();
    this.listener = new SrtListener({
      clock: this.clock,
      randomBytes: (length) => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256))),
      passphrase: undefined,
      latencyMs: 200,
      newReader: () => {
        const reader = new PlainReader();
        this.readers.push(reader);
        return reader;
      },
      ...options,
      admit: async (key, login) => {
        this.asked.push([key, login]);
        return this.verdict;
      },
      onFact: (fact) => void this.facts.push(fact),
      onLinks: (links) => void this.links.push(links),
      afterReads: (run) => {
        this.#beforeReads();
        this.#beforeReads = () => undefined;
        for (const { packet, sender } of this.unread.splice(0, READS_PER_ROUND)) this.#onDatagram(packet, sender);
        run();
      },
      bind: async (_host, port, onDatagram): Promise<Pick<DatagramPort, "port" | "send" | "close">> => {
        this.#onDatagram = onDatagram;
        return {
          port,
          send: (packet, to) => {
            this.sent.push({ packet: Buffer.from(packet), to });
            this.#callers.get(`${to.address} ${to.port}`)?.take(packet);
          },
          close: () => void this.log.push("port closed"),
        };
      },
    });
  }

  /** A way into a channel that records what happens to it. */
  admitted(): Exclude<Admission, string | RefusedKey> {
    return {
      slot: "main",
      gateway: {
        channelId: "ls-1",
        latency: "efficient",
        isFull: false,
        tryAdmit: async () => "admitted",
        open: ({ remoteAddress, encoder, onDismissed }) => {
          this.log.push(`open ${remoteAddress} ${encoder}`);
          this.dismiss = onDismissed;
          return {
            push: ({ kind, timestamp }) => void this.log.push(`${kind} ${timestamp}`),
            end: (end) => void this.log.push(`end ${end}`),
          };
        },
        flush: () => undefined,
        leave: () => void this.log.push("leave"),
      },
    };
  }

  dismiss: () => void = () => undefined;

  async listen(): Promise<void> {
    await this.listener.listen(undefined, 8_890);
  }

  receive(packet: Buffer, sender: Sender): void {
    if (this.#isStill) this.unread.push({ packet: Buffer.from(packet), sender });
    else this.#onDatagram(packet, sender);
  }

  /**
   * The process stands still for so long, while `meanwhile` sends to it. Then it runs for 10 ms. `where`: of the loop's
   * turn, in which timers are before reads.
   */
  async standStill(
    forMs: number,
    where: "before its timer" | "behind its timer, before the reads",
    meanwhile: () => void,
  ): Promise<void> {
    const stand = () => {
      meanwhile();
      this.clock.pause(forMs);
    };
    this.#isStill = true;
    if (where === "before its timer") stand();
    else this.#beforeReads = stand;
    await this.clock.advance(TICK_MS);
    this.#isStill = false;
  }

  caller(streamId: string, options: { readonly passphrase?: string; readonly port?: number } = {}): SrtTestCaller {
    const sender = { address: ADDRESS, port: options.port ?? 40_000 };
    const caller = new SrtTestCaller(this, streamId, sender, options.passphrase);
    this.#callers.set(`${sender.address} ${sender.port}`, caller);
    return caller;
  }

  /** Runs everything for this long. */
  async run(forMs: number): Promise<void> {
    for (let passed = 0; passed < forMs; passed += TICK_MS) {
      await this.clock.advance(TICK_MS);
      for (const caller of this.#callers.values()) caller.tick();
      // Admissions are promises.
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
  }

  refusals(): readonly (readonly [string, string | undefined])[] {
    return this.facts.flatMap((fact) => (fact.kind === "ingest-refused" ? [[fact.reason, fact.detail] as const] : []));
  }
}

/** An encoder in the same process. */
export class SrtTestCaller {
  readonly #stage: SrtIngestStage;
  readonly #sender: Sender;
  readonly #calling: SrtCaller;
  connection: SrtConnection | undefined;
  failure: CallFailure | undefined;
  isGone = false;
  end: string | undefined;
  /** What becomes of its packets on the way. */
  alter: (packet: Buffer) => Buffer = (packet) => packet;

  constructor(stage: SrtIngestStage, streamId: string, sender: Sender, passphrase: string | undefined) {
    this.#stage = stage;
    this.#sender = sender;
    let drawn = sender.port;
    const randomBytes = (length: number) => {
      drawn += 1;
      return Buffer.alloc(length, drawn % 251);
    };
    const options = { address: "192.0.2.1", streamId, passphrase, keyLength: 16, latencyMs: 120, randomBytes } as const;
    this.#calling = new SrtCaller(options, this.#nowUs());
  }

  take(packet: Buffer): void {
    if (this.isGone) return;
    if (this.connection === undefined) this.#step(this.#calling.receive(packet, this.#nowUs()));
    else this.connection.receive(packet, this.#nowUs());
  }

  tick(): void {
    if (this.isGone) return;
    if (this.connection !== undefined) this.connection.tick(this.#nowUs());
    else if (this.failure === undefined) this.#step(this.#calling.tick(this.#nowUs()));
  }

  /** A payload that the plain reader turns into a message with this time. */
  write(timestamp: number, first = 0x47): void {
    const payload = Buffer.alloc(188);
    payload.writeUInt8(first, 0);
    payload.writeUInt32BE(timestamp, 4);
    this.connection?.write(payload, this.#nowUs());
  }

  close(): void {
    this.connection?.close(this.#nowUs());
    this.isGone = true;
  }

  #step(step: CallStep): void {
    if (step.kind === "wait" && step.send !== undefined) this.#stage.receive(step.send, this.#sender);
    if (step.kind === "failed") this.failure = step.failure;
    if (step.kind !== "connected" || this.connection !== undefined) return;
    this.connection = new SrtConnection(step.agreement, this.#nowUs(), {
      send: (packet) => this.#stage.receive(this.alter(Buffer.from(packet)), this.#sender),
      deliver: () => undefined,
      onGap: () => undefined,
      onEnd: ({ kind }) => {
        this.end = kind;
      },
      randomBytes: (length) => Buffer.alloc(length, 9),
    });
  }

  #nowUs(): number {
    return this.#stage.clock.now() * 1_000;
  }
}
