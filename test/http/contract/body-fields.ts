import { z } from "zod";

/** `a`, `a.b`, `a[0].b`: every field of a body, in the order of the contract. */
export function fieldsOf(schema: z.ZodType, path = ""): string[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    const inner: unknown = schema.unwrap();
    return inner instanceof z.ZodType ? fieldsOf(inner, path) : [];
  }
  if (schema instanceof z.ZodArray) {
    return schema.element instanceof z.ZodType ? fieldsOf(schema.element, `${path}[0]`) : [];
  }
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries<z.ZodType>(schema.shape).flatMap(([name, field]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [at, ...fieldsOf(field, at)];
  });
}

/** The body with one field set, or removed. */
export function withField(body: object, path: string, value: unknown): object {
  const copy = structuredClone(body) as Record<string, unknown>;
  const steps = path.replaceAll("[", ".").replaceAll("]", "").split(".");
  let at: Record<string, unknown> = copy;
  for (const step of steps.slice(0, -1)) {
    at[step] ??= {};
    at = at[step] as Record<string, unknown>;
  }
  at[steps.at(-1) ?? ""] = value;
  return copy;
}
