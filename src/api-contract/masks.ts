/** How many characters of a stream key a viewer sees. */
const VIEWER_KEY_CHARACTERS = 4;

/** What is as short as this is masked whole: a character of it would be most of it. */
const MASKED_WHOLE_CHARACTERS = 4;

/** Shows the first characters, and never more than half of them. */
function maskAfter(text: string, shownMax: number): string {
  const characters = [...text];
  const { length } = characters;
  const shown = length <= MASKED_WHOLE_CHARACTERS ? 0 : Math.min(shownMax, Math.floor(length / 2));
  return characters.map((character, index) => (index < shown ? character : "*")).join("");
}

/** A password as every answer shows it: all characters but the first are `*`, of up to four all; the length stays. */
export function maskPassword(password: string): string {
  return maskAfter(password, 1);
}

/** An address as a viewer sees it: scheme, host and port. What follows may be a secret, or hold one. */
export function maskAddress(url: string): string {
  const [, scheme = "", host = "", rest] = /^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#]*)(.*)$/is.exec(url) ?? [];
  return rest === "" || rest === "/" ? `${scheme}${host}${rest}` : `${scheme}${host}/…`;
}

/** A stream key as a viewer sees it: the first four characters, of a short one fewer, of up to four none; the rest `*`, the length stays. */
export function maskStreamKey(streamKey: string): string {
  return maskAfter(streamKey, VIEWER_KEY_CHARACTERS);
}
