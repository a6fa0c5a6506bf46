const PATHS = {
  check: "M3.5 8.5l3 3 6-7",
  alert: "M8 2.2l6.2 11.3H1.8zM8 6.4v3.4M8 11.7v.2",
  spinner: "M8 2a6 6 0 1 1-6 6",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  dot: "M8 5.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
  off: "M8 2v5.5M4.6 4.2a5.2 5.2 0 1 0 6.8 0",
  cross: "M4 4l8 8M12 4l-8 8",
  plus: "M8 3v10M3 8h10",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5L14 14",
  back: "M9.5 3L4.5 8l5 5",
  block: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 3.8l8.4 8.4",
  more: "M8 3v.2M8 7.9v.2M8 12.8v.2",
  out: "M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3L7.5 8.5",
  server: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5v.1M5 11v.1",
  info: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM8 7.2v4M8 4.8v.2",
} as const;

export type IconName = keyof typeof PATHS;

/** A drawing beside a word, never instead of one. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
