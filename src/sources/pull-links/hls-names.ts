import type { HlsPart } from "./hls-playlist.ts";

/** Half of the names that are known at most, and half of the characters of their addresses. */
const NAMES_MAX = 50_000;
const CHARACTERS_MAX = 16 * 1_024 * 1_024;

/** What a number stands for. */
export type HlsNamed = { readonly url: URL; readonly part: HlsPart };

type Generation = { readonly numbers: Map<string, number>; readonly keys: Map<number, string>; characters: number };

/**
 * Numbers in place of the addresses of an HLS stream. Memory is bounded, whatever a source's playlists name: there are
 * two generations of names, and those that are not used in a whole generation are forgotten with it. To find the oldest
 * one of a Map costs more the more often names are used again, and playlists name the same thousands each few seconds.
 */
export class HlsNames {
  #present = newGeneration();
  #former = newGeneration();
  #nextNumber = 1;

  /** Characters of the addresses that are known. */
  get characters(): number {
    return this.#present.characters + this.#former.characters;
  }

  /** The same address keeps its number, which is how FFmpeg knows a segment again. */
  numberOf(url: URL, part: HlsPart): number {
    // One text, with nothing else kept: there may be very many of them.
    const key = `${part} ${url.href}`;
    const known = this.#present.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#former.numbers.get(key) ?? this.#nextNumber++;
    if (this.#present.numbers.size >= NAMES_MAX || this.#present.characters + key.length > CHARACTERS_MAX) {
      this.#former = this.#present;
      this.#present = newGeneration();
    }
    this.#present.numbers.set(key, number);
    this.#present.keys.set(number, key);
    this.#present.characters += key.length;
    return number;
  }

  /** Undefined where the number was never given, or is forgotten. */
  find(number: number): HlsNamed | undefined {
    const key = this.#present.keys.get(number) ?? this.#former.keys.get(number);
    if (key === undefined) return undefined;
    const space = key.indexOf(" ");
    return { url: new URL(key.slice(space + 1)), part: key.slice(0, space) as HlsPart };
  }
}

function newGeneration(): Generation {
  return { numbers: new Map(), keys: new Map(), characters: 0 };
}
