import { z } from "zod";
import { FIELD_NOTES } from "../../api-contract/field-notes.ts";
import { ANSWER_SCHEMAS, type AnswerName, ERROR_SCHEMAS } from "../../api-contract/schemas/answer-schemas.ts";

/** The parts of a JSON Schema that are used here. */
export type JsonSchema = {
  readonly [key: string]: unknown;
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function walked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(walked);
  if (!isObject(value)) return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    // Our answers may get more keys in later versions, and requests may have keys that we do not know.
    if (key === "$schema" || key === "additionalProperties") continue;
    out[key] = key === "properties" && isObject(child) ? describedProperties(child) : walked(child);
  }
  return out;
}

/** Fields of a later version accept only `null`: they are not published. */
function describedProperties(properties: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (isObject(schema) && schema["type"] === "null") continue;
    const note = FIELD_NOTES[name];
    const inner = walked(schema);
    out[name] = isObject(inner) && note !== undefined ? { description: note, ...inner } : inner;
  }
  return out;
}

/** A request body as a client must write it. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  return walked(z.toJSONSchema(schema, { io: "input" })) as JsonSchema;
}

/** Query parameters after they are read: numbers where the text must be a number. */
export function querySchema(schema: z.ZodType): JsonSchema {
  return walked(z.toJSONSchema(schema, { io: "output" })) as JsonSchema;
}

/** All objects of answers, by name. */
export function componentSchemas(): Readonly<Record<string, JsonSchema>> {
  const all = Object.entries({ ...ANSWER_SCHEMAS, ...ERROR_SCHEMAS });
  return Object.fromEntries(all.map(([name, schema]) => [name, walked(z.toJSONSchema(schema)) as JsonSchema]));
}

/** A reference to one of them. */
export function reference(name: AnswerName | keyof typeof ERROR_SCHEMAS): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
