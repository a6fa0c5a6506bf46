/** What is wanted in place of a text that was copied from an answer that masks it. */
export const WHOLE_TEXT_RULE = "the text in full, not with asterisks";

/** Code units below the space, and DEL: no name or address may contain them. */
export function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

/** Counts characters (code points), not UTF-16 units; does not walk a text that is far too long. */
export function isAtMost(text: string, characters: number): boolean {
  return text.length <= characters || (text.length <= 2 * characters && [...text].length <= characters);
}

/** Text that every database can store: PostgreSQL accepts no NUL, and neither database half a surrogate pair. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

/** Text that names something for people: not only blanks, and no control characters. */
export function isName(text: string, characters: number): boolean {
  return text.trim() !== "" && isAtMost(text, characters) && isStorable(text) && !hasControlCharacter(text);
}
