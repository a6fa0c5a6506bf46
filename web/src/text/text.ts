import { computed, effect, signal } from "@preact/signals";
import { en, type Texts } from "./en.ts";
import { ko } from "./ko.ts";

export type Language = "en" | "ko";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", ko: "한국어" };
const CATALOGUE: Readonly<Record<Language, Texts>> = { en, ko };
const KEPT_AS = "fanfare-language";

function chosen(): Language {
  const kept = localStorage.getItem(KEPT_AS);
  if (kept === "en" || kept === "ko") return kept;
  const wanted = navigator.languages.find((language) => /^(ko|en)\b/i.test(language));
  return wanted?.toLowerCase().startsWith("ko") === true ? "ko" : "en";
}

export const language = signal<Language>(chosen());

export function setLanguage(next: Language): void {
  localStorage.setItem(KEPT_AS, next);
  language.value = next;
}

const texts = computed(() => CATALOGUE[language.value]);

/** The texts of the present language; whoever reads them while drawing is drawn again when it changes. */
export const t = (): Texts => texts.value;

effect(() => {
  document.documentElement.lang = language.value;
});
