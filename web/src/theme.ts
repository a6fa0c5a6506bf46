import { effect, signal } from "@preact/signals";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];
const KEPT_AS = "fanfare-theme";

const kept = localStorage.getItem(KEPT_AS);
export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "auto");

export function setTheme(next: Theme): void {
  localStorage.setItem(KEPT_AS, next);
  theme.value = next;
}

/** Follows the choice from now on. */
export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}
