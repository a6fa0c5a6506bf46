import type { Clock } from "../../../base/clock.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { RecordingProblem, RecordingStatus } from "../../../thread-protocol/recordings/recordings.ts";
import type { Subscriber } from "../subscriber.ts";
import type { RecordingLink } from "./recording-link.ts";
import { RecordingSubscriber } from "./recording-subscriber.ts";

/** A recording that ended for a reason is tried again after this long, in milliseconds. */
const RETRY_MS = 5_000;

export type ChannelRecordingDeps = {
  readonly clock: Clock;
  readonly channelId: ChannelId;
  readonly link: RecordingLink;
  /** Adds a subscriber to the channel's stream. */
  readonly subscribe: (subscriber: Subscriber) => void;
  /** Called when the status changes. */
  readonly onStatus: (status: RecordingStatus) => void;
};

/** Records a channel while it is on air and its recording is turned on. */
export class ChannelRecording {
  readonly #deps: ChannelRecordingDeps;
  #isOn = false;
  #isOnAir = false;
  #present: RecordingSubscriber | undefined;
  #status: RecordingStatus = { status: "OFF" };
  #retryMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ChannelRecordingDeps) {
    this.#deps = deps;
  }

  /** Turns the recording on or off, also while the channel is on air. */
  set(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    this.#retryMs = Number.NEGATIVE_INFINITY;
    this.#present?.turnOff();
    this.#note({ status: isOn ? "READY" : "OFF" });
    this.look();
  }

  /** There is media. */
  want(): void {
    this.#isOnAir = true;
    this.#retryMs = Number.NEGATIVE_INFINITY;
    this.look();
  }

  /** The broadcast is over. The stream ends the subscriber. */
  unwant(): void {
    this.#isOnAir = false;
    if (this.#isOn) this.#note({ status: "READY" });
  }

  /** Begins where it is time for it. Call it once a second, and when the recorder has come. */
  look(): void {
    const { clock, channelId, link, subscribe } = this.#deps;
    if (!this.#isOn || !this.#isOnAir || this.#present !== undefined || clock.now() < this.#retryMs) return;
    const listener = {
      taken: (bytes: number) => {
        subscriber?.taken(bytes);
        if (this.#present === subscriber && subscriber !== undefined) this.#note({ status: "RECORDING" });
      },
      ended: (problem: RecordingProblem) => subscriber?.ended(problem),
    };
    const sink = link.open(channelId, clock.wallNow(), listener);
    let subscriber: RecordingSubscriber | undefined;
    if (sink === undefined) {
      const problem = link.want();
      if (problem !== undefined) this.#note({ status: "FAIL", problem });
      return;
    }
    subscriber = new RecordingSubscriber(clock, sink, (problem) => this.#ended(problem));
    this.#present = subscriber;
    subscribe(subscriber);
  }

  #ended(problem: RecordingProblem | undefined): void {
    this.#present = undefined;
    if (problem === undefined) return;
    this.#retryMs = this.#deps.clock.now() + RETRY_MS;
    this.#note({ status: "FAIL", problem });
  }

  #note(status: RecordingStatus): void {
    const before = this.#status;
    const isSame =
      before.status === "FAIL" && status.status === "FAIL"
        ? before.problem === status.problem
        : before.status === status.status;
    if (isSame) return;
    this.#status = status;
    this.#deps.onStatus(status);
  }
}
