import type { EventDraft } from "./events.ts";

/** Where the name of the target belongs in a text. No text has it: a database could not store it. */
const PLACE = "\0";

/** An event that is not stored yet, as plain data: what another process needs to store it. */
export type ToldEvent = Omit<EventDraft, "text"> & { readonly text: string };

export function toldEvent(event: EventDraft): ToldEvent {
  return { ...event, text: event.text(PLACE) };
}

export function eventOf({ text, ...event }: ToldEvent): EventDraft {
  return { ...event, text: (platform) => text.replaceAll(PLACE, () => platform) };
}
