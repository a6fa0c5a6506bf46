/** What a shell can complete behind the name of a command. */
export type Completes = {
  /** `list`, `create` … */
  readonly words: readonly string[];
  /** `--json`, `--profile` … */
  readonly options: readonly string[];
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** A command other than the server. Does its work and returns the text to print. */
export type Command = {
  (args: readonly string[], env: Environment): Promise<string>;
  readonly completes?: Completes;
};
