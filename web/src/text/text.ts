import { batch, effect, signal } from "@preact/signals";
import type { Texts } from "./en.ts";

export type Language = "en" | "ko";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", ko: "한국어" };
/** A browser loads only the language that it shows. */
const CATALOGUES: Readonly<Record<Language, () => Promise<Texts>>> = {
  en: async () => (await import("./en.ts")).en,
  ko: async () => (await import("./ko.ts")).ko,
};
const KEPT_AS = "fanfare-language";

function chosen(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === "en" || kept === "ko") return kept;
  const wanted = navigator.languages.find((language) => /^(ko|en)\b/i.test(language));
  return wanted?.toLowerCase().startsWith("ko") === true ? "ko" : "en";
}

export const language = signal<Language>(chosen());
const texts = signal<Texts | undefined>(undefined);
let wanted = language.peek();

async function show(next: Language): Promise<void> {
  wanted = next;
  const loaded = await CATALOGUES[next]();
  // The language was changed again while this one was loading.
  if (wanted !== next) return;
  batch(() => {
    texts.value = loaded;
    language.value = next;
  });
}

/** Loads the texts. Nothing can be rendered before. */
export const startTexts = (): Promise<void> => show(language.peek());

/** Changes the language. Rejects if its texts cannot be loaded: then the page shows them after a reload. */
export function setLanguage(next: Language): Promise<void> {
  localStorage.setItem(KEPT_AS, next);
  return show(next);
}

/** The texts of the current language. A component that reads them renders again when the language changes. */
export function t(): Texts {
  if (texts.value === undefined) throw new Error("rendered before the texts were loaded");
  return texts.value;
}

effect(() => {
  document.documentElement.lang = language.value;
});
