import { isDeepStrictEqual } from "node:util";

/** One field that changes. Secrets have no values. */
export type FieldChange = { readonly field: string; readonly from?: unknown; readonly to?: unknown };

const SECRET = new Set([
  "streamKey",
  "password",
  "streamPassword",
  "ingestAuth",
  "srtPassphrase",
  "webhookUrl",
  "botToken",
  "apiUrl",
]);

/** Those of these fields that a file wants otherwise than they are. Absent and null: they stay as they are. */
export function changesOf(fields: readonly string[], wanted: object, present: object): readonly FieldChange[] {
  const [given, has] = [wanted, present] as readonly Readonly<Record<string, unknown>>[];
  return fields.flatMap((field): readonly FieldChange[] => {
    const to = given?.[field];
    const from = has?.[field];
    if (to === undefined || to === null || isCovered(to, from)) return [];
    return [SECRET.has(field) ? { field } : { field, from, to }];
  });
}

/** True where every value that is wanted is there: the server fills in what the file leaves out, and omits what is empty. */
function isCovered(to: unknown, from: unknown): boolean {
  if (to === "" && from === undefined) return true;
  if (Array.isArray(to)) return isDeepStrictEqual(to, from ?? []);
  if (typeof to !== "object" || to === null) return isDeepStrictEqual(to, from);
  const has = typeof from === "object" && from !== null ? (from as Record<string, unknown>) : {};
  return Object.entries(to).every(([name, value]) => value == null || isCovered(value, has[name]));
}

/** The changes for people. */
export function changesText(changes: readonly FieldChange[]): string {
  return changes
    .map((change) =>
      "to" in change
        ? `${change.field} ${JSON.stringify(change.from)} → ${JSON.stringify(change.to)}`
        : `${change.field} changes`,
    )
    .join(", ");
}

/** The fields of this object that have a value, of these names. */
export function picked(from: object, names: readonly string[]): Readonly<Record<string, unknown>> {
  const fields = from as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.flatMap((name) => (fields[name] == null ? [] : [[name, fields[name]]])));
}
