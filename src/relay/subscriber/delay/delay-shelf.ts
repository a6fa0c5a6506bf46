import type { DelayProblem } from "../../../thread-protocol/delays/delay.ts";

/** What a shelf reports. Calls come later, never from within a call of the shelf. */
export interface ShelfListener {
  /** A segment is on the disk. */
  stored(id: number): void;
  /** Segments cannot be stored at present. Each is tried again until it is stored, taken or dropped. */
  failed(problem: DelayProblem): void;
  /** A segment that was asked for; undefined: it could not be read, and is lost. */
  taken(id: number, bytes: Uint8Array<ArrayBuffer> | undefined): void;
  /** All segments are lost: the thread ended. The shelf can be used again. */
  lost(): void;
}

/** Where one target's delayed segments lie that have no room in memory. */
export interface DelayShelf {
  /** Puts a segment away; its memory is given away. */
  put(id: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** Asks for a segment back; it is no longer on the shelf then. */
  take(id: number): void;
  drop(id: number): void;
  /** Drops everything. */
  close(): void;
}

/** The shelves of one thread. */
export interface DelayShelves {
  open(listener: ShelfListener): DelayShelf;
}

/** For relays without a disk: nothing can be delayed beyond what memory holds. */
export const NO_SHELVES: DelayShelves = {
  open: (listener) => ({
    put: () => queueMicrotask(() => listener.failed("disk-failed")),
    take: (id) => queueMicrotask(() => listener.taken(id, undefined)),
    drop: () => undefined,
    close: () => undefined,
  }),
};
