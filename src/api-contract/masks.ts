/** How many characters of a stream key a viewer sees. */
const VIEWER_KEY_CHARACTERS = 4;

/** A text this short is masked whole: one character would be a large part of it. */
const MASKED_WHOLE_CHARACTERS = 4;

/** Shows the first characters, but never more than half of them. */
function maskAfter(text: string, shownMax: number): string {
  const characters = [...text];
  const { length } = characters;
  const shown = length <= MASKED_WHOLE_CHARACTERS ? 0 : Math.min(shownMax, Math.floor(length / 2));
  return characters.map((character, index) => (index < shown ? character : "*")).join("");
}

/**
 * A password as every answer shows it: `*` for all characters but the first, for a short one for all. The length stays.
 */
export function maskPassword(password: string): string {
  return maskAfter(password, 1);
}

/** Whether a text is a password as {@link maskPassword} shows it, which is none. */
export function isMaskedPassword(text: string): boolean {
  return text !== "" && maskPassword(text) === text;
}

/** An address as a viewer sees it: scheme, host and port. What follows may be or hold a secret. */
export function maskAddress(url: string): string {
  const [, scheme = "", host = "", rest] = /^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#]*)(.*)$/is.exec(url) ?? [];
  return rest === "" || rest === "/" ? `${scheme}${host}${rest}` : `${scheme}${host}/…`;
}

/** Whether a text is an address as {@link maskAddress} shows it, in place of one that hides something. */
export function isMaskedAddress(url: string): boolean {
  return url.endsWith("/…") && maskAddress(url) === url;
}

/**
 * A stream key as a viewer sees it: the first four characters, fewer of a short one, none of one with up to four; the
 * rest as `*`. The length stays.
 */
export function maskStreamKey(streamKey: string): string {
  return maskAfter(streamKey, VIEWER_KEY_CHARACTERS);
}

/** Whether a text is a stream key as {@link maskStreamKey} shows it. */
export function isMaskedStreamKey(text: string): boolean {
  return text !== "" && maskStreamKey(text) === text;
}
