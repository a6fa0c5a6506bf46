/** How many characters of a stream key a viewer sees. */
const VIEWER_KEY_CHARACTERS = 4;

function maskAfter(text: string, shown: number): string {
  const characters = [...text];
  return characters.map((character, index) => (index < shown ? character : "*")).join("");
}

/** A password as every answer shows it: all characters but the first are `*`, the length stays. */
export function maskPassword(password: string): string {
  return maskAfter(password, 1);
}

/** An address as a viewer sees it: scheme, host and port. What follows may be a secret, or hold one. */
export function maskAddress(url: string): string {
  const [, scheme = "", host = "", rest] = /^([a-z]+:\/\/)(?:[^/?#]*@)?([^/?#]*)(.*)$/is.exec(url) ?? [];
  return rest === "" || rest === "/" ? `${scheme}${host}${rest}` : `${scheme}${host}/…`;
}

/** A stream key as a viewer sees it: the first four characters, the rest `*`, the length stays. */
export function maskStreamKey(streamKey: string): string {
  return maskAfter(streamKey, VIEWER_KEY_CHARACTERS);
}
