import type { ConnectStatus } from "../../thread-protocol/targets/target-status.ts";
import type { EventCode } from "../event-words.ts";
import type { enEvents } from "./en-events.ts";

/** The texts of events in one language. */
export type EventTexts = typeof enEvents;

/** What a sentence says of an event. */
type SpokenEvent = {
  readonly eventCode: EventCode;
  /** The server's own sentence. */
  readonly description: string;
  readonly reason?: string | undefined;
  readonly to?: ConnectStatus | undefined;
  readonly remoteAddress?: string | undefined;
  readonly by?: string | undefined;
};

/** The API's word for a person in the dashboard, in place of the id of an access key. */
const DASHBOARD = "dashboard";

/**
 * Returns an event as one sentence, with its reason if it has one. Codes and reasons are closed lists with a text each.
 * A page that was loaded before an update of the server may get a new code: it shows the server's own sentence.
 */
export function eventText(texts: EventTexts, event: SpokenEvent, platform: string): string {
  const { codes, changes, settled, tested, over } = texts.events;
  const { eventCode, reason, to, remoteAddress } = event;
  const whole: Readonly<Record<string, (name: string) => string>> = { ...changes, ...over };
  const sentence = whole[reason ?? ""];
  if (sentence !== undefined) return sentence(platform);
  const what =
    eventCode === "PLATFORM_TESTED"
      ? tested[reason === undefined ? "passed" : "failed"](platform)
      : eventCode === "SIMULCAST_STATUS_CHANGE" && to !== undefined
        ? settled[to](platform)
        : (codes[eventCode] ?? event.description);
  if (remoteAddress !== undefined) return texts.events.from(what, remoteAddress);
  return reason === undefined || eventCode === "AUTH_FAILED"
    ? what
    : `${what} (${inSentence(reasonText(texts, reason))})`;
}

/** Returns who made the change of an event. Undefined where no request did. */
export function authorText({ events }: EventTexts, { by }: Pick<SpokenEvent, "by">): string | undefined {
  if (by === undefined) return undefined;
  return by === DASHBOARD ? events.byDashboard : events.byAccessKey(by);
}

/** Begins with a small letter, unless the first word is an abbreviation. */
const inSentence = (text: string): string => text.replace(/^[A-Z](?=[a-z ])/, (first) => first.toLowerCase());

/** Returns the words for how a broadcast ended or why a platform failed. */
export function reasonText(texts: EventTexts, reason: string): string {
  const known: Readonly<Record<string, string>> = {
    ...texts.errors,
    ...texts.ends,
    ...texts.recordingProblems,
    ...texts.missed,
  };
  return known[reason] ?? reason;
}
