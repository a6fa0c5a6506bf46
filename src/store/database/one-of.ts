/**
 * Returns a word of a closed list. Throws where the database holds another word, which only another program can have
 * written.
 */
export function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const word = words.find((each) => each === text);
  if (word === undefined) throw new Error(`the database holds an unknown word: ${JSON.stringify(text)}`);
  return word;
}
