/** A setting is wrong. The text says which setting, what was given, and what is allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}
