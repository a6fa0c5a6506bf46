/** A command beside the server: does its work and answers what is to be printed. */
export type Command = (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Promise<string>;
