export const NO_PAYLOAD = Buffer.alloc(0);

/** The state of one chunk stream: what its next header builds on, and its unfinished message. */
export class ChunkStream {
  readonly csid: number;
  timestamp = 0;
  /** The difference to a message that starts with fmt 3, in milliseconds. */
  delta = 0;
  length = 0;
  type = 0;
  streamId = 0;
  /** The 32-bit time of the last fmt 0, 1 or 2 header where that was extended; otherwise undefined. */
  extendedTime: number | undefined = undefined;
  isPartial = false;
  /** Bytes of the message in chunks whose header has been read, and how many of them have arrived. */
  claimed = 0;
  arrived = 0;
  payload = NO_PAYLOAD;
  /** Whether `payload` is lent, and must be copied elsewhere between two inputs. */
  isLent = false;

  constructor(csid: number) {
    this.csid = csid;
  }
}
