import { isAtMost } from "./text-rules.ts";

/** The longest channel name of the dashboard, in characters (code points, not UTF-16 units). */
export const CHANNEL_NAME_CHARACTERS_MAX = 80;

/**
 * What a name must not contain: control characters (Unicode Cc), line and paragraph separators, and marks that turn the
 * direction of the text after the name.
 */
const FORBIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** The name without the blanks around it, as they come with a paste. */
export function tidyChannelName(text: string): string {
  return text.trim();
}

/** Why the dashboard's calls reject this tidied name; undefined where they accept it. */
export function channelNameProblem(name: string): "empty" | "too-long" | "control-character" | undefined {
  if (name === "") return "empty";
  if (!isAtMost(name, CHANNEL_NAME_CHARACTERS_MAX)) return "too-long";
  return FORBIDDEN.test(name) || !name.isWellFormed() ? "control-character" : undefined;
}
