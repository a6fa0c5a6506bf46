// Where several servers share the database, one of the next version may write beside this one. It has every word of a list
// that is closed, and may have more of the others.

/**
 * Returns a word of a closed list. Throws where the database holds another word, which only another program can have
 * written.
 */
export function oneOf<Word extends string>(words: readonly Word[], text: string): Word {
  const word = words.find((each) => each === text);
  if (word === undefined) throw new Error(`the database holds an unknown word: ${JSON.stringify(text)}`);
  return word;
}

/**
 * Returns a word of a list that may grow, as codes and reasons: also one that only the next version knows. Whoever shows it goes
 * by what stands beside it.
 */
export function wordOf<Word extends string>(text: string): Word {
  return text as Word;
}

/** Returns a word of a setting. One that only the next version knows has no effect here: it is read as `otherwise`. */
export function settingOf<Word extends string>(words: readonly Word[], text: string, otherwise: Word): Word {
  return words.find((each) => each === text) ?? otherwise;
}
