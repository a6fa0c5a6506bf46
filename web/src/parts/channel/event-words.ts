import type { ChannelEvent, Report } from "../../base/model.ts";
import type { Texts } from "../../text/en.ts";

/**
 * What happened as one sentence, with the reason where there is one. Codes and reasons are closed lists with a text each; a page that
 * was loaded before the server was updated may meet a new one, and shows the server's own sentence.
 */
export function eventText(texts: Texts, event: ChannelEvent, platform: string): string {
  const { codes, changes, settled, over } = texts.events;
  const { eventCode, reason, to } = event;
  const whole: Readonly<Record<string, (name: string) => string>> = { ...changes, ...over };
  const sentence = whole[reason ?? ""];
  if (sentence !== undefined) return sentence(platform);
  const isSettled = eventCode === "SIMULCAST_STATUS_CHANGE" && to !== undefined;
  const what = isSettled ? settled[to](platform) : (codes[eventCode] ?? event.description);
  return reason === undefined || eventCode === "AUTH_FAILED" ? what : `${what} (${reasonText(texts, reason)})`;
}

/** How an encoder left, or why a platform failed. */
export function reasonText(texts: Texts, reason: NonNullable<ChannelEvent["reason"]> | Report["reason"]): string {
  const known: Readonly<Record<string, string>> = { ...texts.errors, ...texts.ends };
  return known[reason] ?? reason;
}
