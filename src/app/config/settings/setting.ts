import type { z } from "zod";

/** One setting: its environment variable, its check, what it is for, and its default. */
export type Setting<Schema extends z.ZodType> = {
  readonly env: string;
  readonly schema: Schema;
  readonly fallback?: string;
  readonly help: string;
};

/** Makes a setting. Without `fallback` it is absent unless given. */
export function setting<Schema extends z.ZodType>(
  env: string,
  schema: Schema,
  help: string,
  fallback?: string,
): Setting<Schema> {
  return fallback === undefined ? { env, schema, help } : { env, schema, help, fallback };
}
