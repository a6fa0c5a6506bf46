import { t } from "../../text/text.ts";

/** What is wrong with a field's value, in words; undefined if nothing is. The server knows the rest. */
export type Check = (value: string) => string | undefined;

/** Longest label of a platform, and name of an access key. */
const SHORT_CHARACTERS_MAX = 40;

/** A text for people of at most so many characters. */
export const checkText =
  (charactersMax: number): Check =>
  (value) => {
    if ([...value.trim()].length > charactersMax) return t().problems.tooLong(charactersMax);
    return /\p{Cc}/u.test(value) ? t().problems.channelName["control-character"] : undefined;
  };
export const checkShortText = checkText(SHORT_CHARACTERS_MAX);
