/** A message of an encoder's stream, in the form that the relay takes (`relay/stream/media-message`). */
export type TsMessage = {
  readonly kind: "audio" | "video" | "data";
  /** Decoding time in milliseconds: unsigned 32 bits, with any start; wraps. */
  readonly timestamp: number;
  /** An FLV tag's body; AMF0 values for data. */
  readonly payload: Buffer;
};

/** A message of a track, with its time unwrapped, in 90 kHz. */
export type TrackMessage = {
  readonly track: number;
  readonly kind: "audio" | "video";
  readonly isConfig: boolean;
  readonly time: number;
  readonly payload: Buffer;
};

type TrackState = { last: number | undefined; isExpected: boolean };

const SECOND = 90_000;
/** The longest time for which a message waits for those of other tracks. */
const HOLD_MAX = SECOND;
/** A track that was silent for this long is not waited for. */
const SILENT_AFTER = SECOND;
/** How late messages come is measured over windows of this length. */
const WINDOW = 5 * SECOND;
const HOLD_MARGIN = SECOND / 20;
/** Steps that begin another time line: what waits is sent, and the order starts anew. */
const BACK_MAX = SECOND;
const AHEAD_MAX = 10 * SECOND;
const WAITING_BYTES_MAX = 8 * 1_024 * 1_024;
const WAITING_MAX = 4_096;

/**
 * Puts the tracks' messages into the order of decoding time, as RTMP has them: a transport stream's audio comes later
 * than its video, by up to a second. A message waits until every other track has come as far, but only as long as the
 * latest message was late, by the stream's own time.
 *
 * At the start it waits for all tracks that the program lists, for a second: then metadata can name them all.
 */
export class MessageOrder {
  readonly #out: (message: TrackMessage) => void;
  readonly #tracks = new Map<number, TrackState>();
  #waiting: TrackMessage[] = [];
  #waitingBytes = 0;
  #newest = Number.NEGATIVE_INFINITY;
  #windowStart: number | undefined;
  #lateness = HOLD_MAX;
  #windowLateness = 0;

  constructor(out: (message: TrackMessage) => void) {
    this.#out = out;
  }

  /** The tracks that there are now. */
  setTracks(tracks: readonly number[]): void {
    for (const track of this.#tracks.keys()) if (!tracks.includes(track)) this.#tracks.delete(track);
    for (const track of tracks) {
      if (!this.#tracks.has(track)) this.#tracks.set(track, { last: undefined, isExpected: true });
    }
    this.#send();
  }

  add(message: TrackMessage): void {
    const state = this.#tracks.get(message.track);
    if (state === undefined) return;
    const { time, payload } = message;
    const step = time - (state.last ?? time);
    if (step < -BACK_MAX || step > AHEAD_MAX) this.#startOver();
    if (!message.isConfig) {
      state.last = time;
      state.isExpected = false;
      this.#measure(time);
    }
    const at = this.#waiting.findLastIndex((each) => each.track === message.track || isBefore(each, message)) + 1;
    this.#waiting.splice(at, 0, message);
    this.#waitingBytes += payload.length;
    this.#send();
  }

  /** Sends everything that waits. */
  drain(): void {
    for (const message of this.#waiting.splice(0)) this.#out(message);
    this.#waitingBytes = 0;
  }

  #startOver(): void {
    this.drain();
    this.#newest = Number.NEGATIVE_INFINITY;
    this.#windowStart = undefined;
    for (const state of this.#tracks.values()) state.last = undefined;
  }

  #measure(time: number): void {
    this.#windowLateness = Math.max(this.#windowLateness, this.#newest - time);
    this.#newest = Math.max(this.#newest, time);
    this.#windowStart ??= time;
    this.#lateness = Math.max(this.#lateness, Math.min(this.#windowLateness, HOLD_MAX));
    if (this.#newest - this.#windowStart < WINDOW) return;
    this.#lateness = Math.min(this.#windowLateness, HOLD_MAX);
    this.#windowLateness = 0;
    this.#windowStart = this.#newest;
  }

  #send(): void {
    const hold = Math.min(HOLD_MAX, this.#lateness + HOLD_MARGIN);
    const reached = this.#reached(hold);
    let count = 0;
    for (const { track, time, payload } of this.#waiting) {
      const own = this.#tracks.get(track)?.last ?? time;
      const isFull = this.#waitingBytes > WAITING_BYTES_MAX || this.#waiting.length - count > WAITING_MAX;
      const isDue = time <= reached || Math.max(own, this.#newest) - time >= hold || isFull;
      if (!isDue) break;
      this.#waitingBytes -= payload.length;
      count += 1;
    }
    if (count > 0) for (const message of this.#waiting.splice(0, count)) this.#out(message);
  }

  /** The time that every track that is waited for has reached. */
  #reached(hold: number): number {
    let reached = Number.POSITIVE_INFINITY;
    for (const { last, isExpected } of this.#tracks.values()) {
      if (last === undefined) {
        if (isExpected) reached = Number.NEGATIVE_INFINITY;
      } else if (this.#newest - last <= Math.max(hold, SILENT_AFTER)) {
        reached = Math.min(reached, last);
      }
    }
    return reached;
  }
}

/** Of the same time, video comes first, which may have waited for its end: a stream begins with its keyframe. */
function isBefore(waiting: TrackMessage, { time, kind }: TrackMessage): boolean {
  if (waiting.time !== time) return waiting.time < time;
  return kind === "audio" || waiting.kind === "video";
}
