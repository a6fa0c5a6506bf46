import { computed, effect, signal } from "@preact/signals";
import { keep, recall } from "./kept.ts";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEPT_AS = "fanfare-theme";

const kept = recall(KEPT_AS);
export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "auto");

const system = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(system.matches);
/** Whether the page is dark now: for canvases, which style sheets do not reach. */
export const isDark = computed(() => (theme.value === "auto" ? isSystemDark.value : theme.value === "dark"));

export function setTheme(next: Theme): void {
  keep(KEPT_AS, next);
  theme.value = next;
}

/** Applies the chosen theme, and follows the system's where none is chosen. */
export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
  system.addEventListener("change", ({ matches }) => {
    isSystemDark.value = matches;
  });
}
