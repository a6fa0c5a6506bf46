import type { SecretPlace } from "./secret-place.ts";

type Opened = { readonly place: SecretPlace; readonly text: string };

/**
 * What stored values were opened to, so that a page of the list need not decrypt each anew. Bounded in entries: the one
 * that was asked for longest ago goes first. A value is known in the place it was opened in alone.
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
    // The map is in the order of the last use.
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
