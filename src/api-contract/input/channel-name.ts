/** Most characters of a channel's name as the dashboard gives it. Code points count, not UTF-16 units. */
export const CHANNEL_NAME_CHARACTERS_MAX = 80;

/**
 * What a name must not have: control characters (Unicode Cc), line and paragraph separators, and marks that turn the direction
 * of the text behind the name.
 */
const FORBIDDEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** The name without the blanks around it, which a paste brings along. */
export function tidyChannelName(text: string): string {
  return text.trim();
}

/** Why the dashboard's calls refuse this name, tidied; undefined where they take it. */
export function channelNameProblem(name: string): "empty" | "too-long" | "control-character" | undefined {
  if (name === "") return "empty";
  // Text that is far too long is not walked.
  const isShort = name.length <= 2 * CHANNEL_NAME_CHARACTERS_MAX && [...name].length <= CHANNEL_NAME_CHARACTERS_MAX;
  if (!isShort) return "too-long";
  return FORBIDDEN.test(name) || !name.isWellFormed() ? "control-character" : undefined;
}
