/**
 * The place of the first field of `given` that `read`, the same value as a schema returned it, does not have: schemas
 * drop what they do not know. Undefined where there is none.
 */
export function unknownField(given: unknown, read: unknown): readonly (string | number)[] | undefined {
  if (typeof given !== "object" || given === null || typeof read !== "object" || read === null) return undefined;
  const has = read as Readonly<Record<string | number, unknown>>;
  for (const [name, value] of Object.entries(given)) {
    const index = Array.isArray(given) ? Number(name) : name;
    // Of lists only the elements have fields: a schema may drop elements that are there twice.
    if (!Array.isArray(given) && !Object.hasOwn(has, index)) return [index];
    const inside = unknownField(value, has[index]);
    if (inside !== undefined) return [index, ...inside];
  }
  return undefined;
}
