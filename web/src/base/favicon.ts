import type { HealthState } from "./health.ts";

/** Colours that stand out on light and on dark tabs alike. */
const COLOURS = {
  broken: "#e0342f",
  attention: "#f0a020",
  healthy: "#22a866",
  waiting: "#8a8799",
  off: "#8a8799",
} satisfies Record<HealthState, string>;

/** Fanfare's icon with a coloured dot, as an SVG. */
const drawing = (colour: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#4338a8"/><path d="M7 16h6m0 0 11-8M13 16h12M13 16l11 8" stroke="#fff" stroke-width="2.6" stroke-linecap="round" fill="none"/><circle cx="23" cy="23" r="9" fill="${colour}" stroke="#fff" stroke-width="2"/></svg>`;

let plainIcon: string | undefined;

/** Shows this verdict in the tab's icon, or the plain icon where there is none. */
export function showFavicon(state: HealthState | undefined): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link === null) return;
  plainIcon ??= link.href;
  link.href = state === undefined ? plainIcon : `data:image/svg+xml,${encodeURIComponent(drawing(COLOURS[state]))}`;
}
