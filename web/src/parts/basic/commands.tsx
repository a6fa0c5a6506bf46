import type { ComponentChildren } from "preact";

/** A text in which `backticks` enclose what is typed as it stands. */
export function withCommands(text: string): ComponentChildren {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
