import type { ComponentChildren } from "preact";

/** Renders a text whose `backticks` enclose commands. */
export function withCommands(text: string): ComponentChildren {
  return text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
