import { batch, effect, signal } from "@preact/signals";
import { keep, recall } from "../base/kept.ts";
import type { Texts } from "./en.ts";
import type { PanelTexts } from "./panels-en/panels.ts";

export type Language = "en" | "ko";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", ko: "한국어" };
/** A browser loads only the language that it shows. */
const CATALOGUES: Readonly<Record<Language, () => Promise<Texts>>> = {
  en: async () => (await import("./en.ts")).en,
  ko: async () => (await import("./ko.ts")).ko,
};
/** The texts of what is loaded after the first page. */
const PANELS: Readonly<Record<Language, () => Promise<PanelTexts>>> = {
  en: async () => (await import("./panels-en/panels.ts")).panelsEn,
  ko: async () => (await import("./panels-ko/panels.ts")).panelsKo,
};
const KEPT_AS = "fanfare-language";

function chosen(): Language {
  const kept = recall(KEPT_AS);
  if (kept === "en" || kept === "ko") return kept;
  const wanted = navigator.languages.find((language) => /^(ko|en)\b/i.test(language));
  return wanted?.toLowerCase().startsWith("ko") === true ? "ko" : "en";
}

export const language = signal<Language>(chosen());
const texts = signal<Texts | undefined>(undefined);
const panels = signal<PanelTexts | undefined>(undefined);
let wanted = language.peek();
/** Whether something that needs the texts of panels was loaded, or is being loaded. */
let hasPanels = false;

async function show(next: Language): Promise<void> {
  wanted = next;
  const loaded = await CATALOGUES[next]();
  const loadedPanels = hasPanels ? await PANELS[next]() : undefined;
  // The language was changed again while this one was loading.
  if (wanted !== next) return;
  // The first panel came while this language was loading: its texts are loaded too.
  if (hasPanels && loadedPanels === undefined) return show(next);
  batch(() => {
    texts.value = loaded;
    panels.value = loadedPanels;
    language.value = next;
  });
}

/** Loads the texts. Nothing can be rendered before. */
export const startTexts = (): Promise<void> => show(language.peek());

/** Changes the language. Rejects if its texts cannot be loaded: then the page shows them after a reload. */
export function setLanguage(next: Language): Promise<void> {
  keep(KEPT_AS, next);
  return show(next);
}

/** The texts of the current language. A component that reads them renders again when the language changes. */
export function t(): Texts {
  if (texts.value === undefined) throw new Error("rendered before the texts were loaded");
  return texts.value;
}

/** Loads the texts of panels. Nothing that reads `panelTexts` can be rendered before. */
export async function loadPanelTexts(): Promise<void> {
  hasPanels = true;
  // Once more where the language was changed meanwhile.
  while (panels.peek() === undefined) await show(wanted);
}

/** The texts of pages, panels and alerts that are loaded after the first page, in the current language. */
export function panelTexts(): PanelTexts {
  if (panels.value === undefined) throw new Error("rendered before the texts of panels were loaded");
  return panels.value;
}

effect(() => {
  document.documentElement.lang = language.value;
});
