import type { SrtCounts } from "../../protocol/srt/stats.ts";

type Counts = Pick<SrtCounts, "received" | "receiveDuplicate" | "receiveBelated" | "receiveUndecrypted">;

/** For how many seconds in a row packets came of which none could be decrypted. A second without packets counts neither way. */
export class UnreadableSeconds {
  #unreadable = 0;
  #readable = 0;
  #seconds = 0;

  /** Call once a second with the counts since the start. */
  tick({ received, receiveDuplicate, receiveBelated, receiveUndecrypted }: Counts): number {
    const readable = received - receiveDuplicate - receiveBelated - receiveUndecrypted;
    if (readable > this.#readable) this.#seconds = 0;
    else if (receiveUndecrypted > this.#unreadable) this.#seconds += 1;
    this.#readable = readable;
    this.#unreadable = receiveUndecrypted;
    return this.#seconds;
  }
}
