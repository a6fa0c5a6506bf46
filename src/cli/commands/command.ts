/** What a shell can complete behind the name of a command. */
export type Completes = {
  /** `list`, `create` … */
  readonly words: readonly string[];
  /** `--json`, `--profile` … */
  readonly options: readonly string[];
};

/** A command other than the server. Does its work and returns the text to print. */
export type Command = {
  (args: readonly string[], env: Readonly<Record<string, string | undefined>>): Promise<string>;
  readonly completes?: Completes;
};
