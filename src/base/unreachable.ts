/** Ends an exhaustive switch: does not compile while a case is missing, throws if a value lies about its type. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
