import type { SecretPlace } from "./secret-place.ts";

type Opened = { readonly place: SecretPlace; readonly text: string };

/**
 * A cache of opened values, so that a page of the channel list need not decrypt each again. Bounded in entries: the
 * least recently used goes first. A value is valid only for the place in which it was opened.
 */
export class OpenedSecrets {
  readonly #countMax: number;
  readonly #opened = new Map<string, Opened>();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  find(sealed: string, { table, column, row }: SecretPlace): string | undefined {
    const found = this.#opened.get(sealed);
    if (found === undefined) return undefined;
    const { place, text } = found;
    if (place.row !== row || place.column !== column || place.table !== table) return undefined;
    // The map is in the order of last use.
    this.#opened.delete(sealed);
    this.#opened.set(sealed, found);
    return text;
  }

  keep(sealed: string, place: SecretPlace, text: string): void {
    this.#opened.set(sealed, { place, text });
    if (this.#opened.size <= this.#countMax) return;
    const [oldest] = this.#opened.keys();
    if (oldest !== undefined) this.#opened.delete(oldest);
  }

  clear(): void {
    this.#opened.clear();
  }
}
