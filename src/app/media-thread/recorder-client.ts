import type { Clock } from "../../base/clock.ts";
import { WaitingMemory } from "../../relay/stream/waiting-memory.ts";
import type {
  RecordingLink,
  RecordingListener,
  RecordingSink,
} from "../../relay/subscriber/recording/recording-link.ts";
import type { MessageTransport } from "../../remote-publish/message-transport.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { FromRecorded, ToRecorded } from "../../thread-protocol/recordings/recorder-messages.ts";
import type { RecordingProblem } from "../../thread-protocol/recordings/recordings.ts";

/** The recorder is asked for again after this long, in milliseconds. */
const ASK_AGAIN_MS = 5_000;
/**
 * Bytes of ended recordings that the recorder has not taken: above this no recording begins. A disk that hangs would
 * fill memory with one attempt after another.
 */
const LEFT_BYTES_MAX = 4 * 1024 * 1024;

type Link = MessageTransport<FromRecorded, ToRecorded>;
type Open = { readonly listener: RecordingListener; untakenBytes: number; hasEnded: boolean };

export type RecorderClientDeps = {
  readonly clock: Clock;
  /** Bytes of all recordings together that the recorder may not have taken yet; default 512 MiB. */
  readonly waitingBytesMax?: number;
  /** Asks for the recorder. */
  readonly onWanted: () => void;
  readonly onConnected: () => void;
};

/** This thread's link to the recording thread. */
export class RecorderClient implements RecordingLink {
  readonly #deps: RecorderClientDeps;
  readonly #open = new Map<number, Open>();
  readonly #memory: WaitingMemory;
  #link: Link | undefined;
  #lastNumber = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isHandedOver = false;

  constructor(deps: RecorderClientDeps) {
    this.#deps = deps;
    this.#memory = new WaitingMemory(deps.waitingBytesMax);
  }

  /** The recorder runs: this is the link to it. */
  connect(link: Link): void {
    this.#lose();
    this.#link?.close();
    this.#link = link;
    link.listen(
      (message) => this.#take(message),
      () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        this.#lose();
      },
    );
    this.#deps.onConnected();
  }

  /** Another process records from now on: this one's recorder ends. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  want(): RecordingProblem | undefined {
    if (this.#isHandedOver) return "SERVER_UPGRADED";
    const nowMs = this.#deps.clock.now();
    if (this.#link !== undefined || nowMs - this.#askedMs < ASK_AGAIN_MS) return undefined;
    this.#askedMs = nowMs;
    this.#deps.onWanted();
    return undefined;
  }

  open(channelId: ChannelId, startTime: number, listener: RecordingListener): RecordingSink | undefined {
    const link = this.#link;
    if (link === undefined || this.#isHandedOver || this.#leftBytes() > LEFT_BYTES_MAX) return undefined;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const open: Open = { listener, untakenBytes: 0, hasEnded: false };
    this.#open.set(number, open);
    link.post({ kind: "begin", number, channelId, startTime });
    const memory = this.#memory;
    return {
      get waitingBytesMax() {
        return memory.eachBytesMax;
      },
      take: (bytes) => {
        open.untakenBytes += bytes.length;
        memory.add(bytes.length);
        link.post({ kind: "media", number, bytes }, [bytes.buffer]);
      },
      end: (reason) => {
        link.post({ kind: "end", number, reason });
        open.hasEnded = true;
        this.#forgetTaken(number, open);
      },
    };
  }

  #take(message: ToRecorded): void {
    const open = this.#open.get(message.number);
    if (open === undefined) return;
    if (message.kind === "ended") return open.listener.ended(message.problem);
    open.untakenBytes -= message.bytes;
    this.#memory.remove(message.bytes);
    open.listener.taken(message.bytes);
    this.#forgetTaken(message.number, open);
  }

  #forgetTaken(number: number, { hasEnded, untakenBytes }: Open): void {
    if (hasEnded && untakenBytes <= 0) this.#open.delete(number);
  }

  #leftBytes(): number {
    let bytes = 0;
    for (const { hasEnded, untakenBytes } of this.#open.values()) if (hasEnded) bytes += untakenBytes;
    return bytes;
  }

  /** The recorder is gone, and with it what it had not taken. */
  #lose(): void {
    const lost = [...this.#open.values()];
    this.#open.clear();
    for (const { untakenBytes } of lost) this.#memory.remove(untakenBytes);
    const problem = this.#isHandedOver ? "SERVER_UPGRADED" : "RECORDER_LOST";
    for (const { hasEnded, listener } of lost) if (!hasEnded) listener.ended(problem);
  }
}
