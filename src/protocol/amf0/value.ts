/** Properties live in a map, never on a JavaScript object: a peer may name one `__proto__`. */
export type Amf0Object = { readonly kind: "object"; readonly entries: ReadonlyMap<string, Amf0Value> };

/** An object preceded by a count. Encoders wrap their metadata in it. */
export type Amf0EcmaArray = { readonly kind: "ecma-array"; readonly entries: ReadonlyMap<string, Amf0Value> };

/** Milliseconds since the Unix epoch, and a time zone in minutes, which the specification requires to be 0. */
type Amf0Date = { readonly kind: "date"; readonly milliseconds: number; readonly timezone: number };

/** `null` also stands for undefined (06), a reference (07) and unsupported (0D). */
export type Amf0Value = number | boolean | string | null | Amf0Object | Amf0EcmaArray | Amf0Date | readonly Amf0Value[];

export function amf0Object(record: Readonly<Record<string, Amf0Value>>): Amf0Object {
  return { kind: "object", entries: new Map(Object.entries(record)) };
}

export function amf0EcmaArray(record: Readonly<Record<string, Amf0Value>>): Amf0EcmaArray {
  return { kind: "ecma-array", entries: new Map(Object.entries(record)) };
}

/** A named property of an object or an ECMA array: encoders use either in the other's place. */
export function property(value: Amf0Value | undefined, name: string): Amf0Value | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value) || value.kind === "date") return undefined;
  return value.entries.get(name);
}

/** The named property, if it is a string. */
export function textProperty(value: Amf0Value | undefined, name: string): string | undefined {
  const found = property(value, name);
  return typeof found === "string" ? found : undefined;
}

/** The named property, if it is a number (it may be NaN: AMF0 has no integers). */
export function numberProperty(value: Amf0Value | undefined, name: string): number | undefined {
  const found = property(value, name);
  return typeof found === "number" ? found : undefined;
}
