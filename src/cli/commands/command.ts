/** A command other than the server. Does its work and returns the text to print. */
export type Command = (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<string>;
