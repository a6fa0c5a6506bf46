import { z } from "zod";
import type { ContractError } from "../errors.ts";
import { serviceError } from "../errors.ts";
import { hintOf, MISSING_HINT } from "../input/hints.ts";
import { PLATFORMS_MAX } from "./schemas.ts";

/** Fields whose value an error may repeat to the caller. Any other may hold a secret. */
const ECHOED_FIELDS: ReadonlySet<PropertyKey> = new Set([
  "channelName",
  "planType",
  "envType",
  "targetName",
  "enabled",
  "label",
  "pageNo",
  "pageSizeNo",
  "channelStatus",
  "onAir",
  "anyName",
  "alertOn",
  "alertChangeStatus",
  "alertVodUploadFail",
  "alertReStreamFail",
  "which",
  "seconds",
  "durationSeconds",
  "mediaSeconds",
  "videoSeconds",
  "bufferPolicy",
  "timedData",
  "silentAudio",
  "delaySeconds",
  "role",
  "name",
]);

/** A repeated value is cut to this many characters. */
const ECHO_CHARACTERS_MAX = 60;

/** `["restream", 1, "rtmpUrl"]` → `restream[1].rtmpUrl`. */
function fieldName(path: readonly PropertyKey[]): string {
  let name = "";
  for (const part of path) {
    if (typeof part === "number") name += `[${part}]`;
    else name += name === "" ? String(part) : `.${String(part)}`;
  }
  return name;
}

function describe(name: string, issue: z.core.$ZodIssue): string {
  const field = issue.path.at(-1);
  if (field === undefined || !ECHOED_FIELDS.has(field) || issue.input === undefined) {
    return `${name}: expected ${issue.message}.`;
  }
  const text = shown(issue.input);
  const given = text.length > ECHO_CHARACTERS_MAX ? `${text.slice(0, ECHO_CHARACTERS_MAX)}…` : text;
  return `${name}: expected ${issue.message}, got ${given}.`;
}

/** Of a nested value only the outermost level: a body may be nested more deeply than the stack allows to print. */
function shown(input: unknown): string {
  const withoutLevels = (_key: string, value: unknown) =>
    value !== input && typeof value === "object" && value !== null ? "…" : value;
  return JSON.stringify(input, withoutLevels);
}

function isMissing(input: unknown): boolean {
  return input === undefined || input === null || input === "";
}

function bodyError(issue: z.core.$ZodIssue, isRequired: (path: readonly PropertyKey[]) => boolean): ContractError {
  const name = fieldName(issue.path);
  const field = issue.path.at(-1);
  if (field === undefined) {
    return serviceError("JSON_PARSE_GENERAL_ERROR", "", "The body must be a JSON object.");
  }
  if (isMissing(issue.input) && isRequired(issue.path)) {
    return serviceError("NEED_VALUE", name, `${name}: expected ${issue.message}, got nothing.`, MISSING_HINT);
  }
  if (field === "restream" && Array.isArray(issue.input)) {
    return serviceError("FORMVALIDATION_FAILED", "", `${name}: expected ${issue.message}, got an empty array.`);
  }
  return serviceError("INVALID_FORMAT", name, describe(name, issue), hintOf(issue.message));
}

/** Whether the schema rejects a body without this field. */
function requiredBy(schema: z.ZodType) {
  return (path: readonly PropertyKey[]): boolean => {
    let present: unknown = schema;
    for (const part of path) {
      if (present instanceof z.ZodArray && typeof part === "number") present = present.element;
      else if (present instanceof z.ZodObject && typeof part === "string") present = present.shape[part];
      else return false;
    }
    return typeof path.at(-1) === "string" && present instanceof z.ZodType && !present.safeParse(undefined).success;
  };
}

/** How many platforms are given, where that is more than any plan allows. */
function excessOf(body: unknown): number | undefined {
  if (typeof body !== "object" || body === null || !("restream" in body)) return undefined;
  const { restream } = body;
  return Array.isArray(restream) && restream.length > PLATFORMS_MAX ? restream.length : undefined;
}

function tooManyPlatforms(given: number): ContractError {
  const details = `restream: expected at most ${PLATFORMS_MAX} platforms, got ${given}.`;
  return serviceError("FORMVALIDATION_FAILED", "", details);
}

type Parsed<Value> = { readonly value: Value } | { readonly error: ContractError };

/**
 * Reads a request body. Of several wrong fields, the first in the contract's order is reported: zod lists them in the
 * order of the schema's keys. A required field that is missing, null or empty is 250011, any other wrong value 250002,
 * and a `restream` without elements, or with too many, 250014.
 */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): Parsed<z.output<Schema>> {
  const excess = excessOf(body);
  // A body may hold more elements than can be checked in good time: where there are too many, none is checked.
  const checked = excess === undefined ? body : Object.assign({}, body, { restream: [] });
  const result = schema.safeParse(checked, { reportInput: true });
  if (result.success) return { value: result.data };
  const [first] = result.error.issues;
  if (first === undefined) throw result.error;
  if (excess !== undefined && first.path[0] === "restream") return { error: tooManyPlatforms(excess) };
  return { error: bodyError(first, requiredBy(schema)) };
}

/** Reads a query. A parameter of the wrong type (a page number that is not an integer) is 250021, others 250002. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, query: unknown): Parsed<z.output<Schema>> {
  const result = schema.safeParse(query, { reportInput: true });
  if (result.success) return { value: result.data };
  const [first] = result.error.issues;
  if (first === undefined) throw result.error;
  const name = fieldName(first.path);
  const isWrongType = first.code === "invalid_format" || first.code === "invalid_type";
  return {
    error: serviceError(isWrongType ? "OPEN_API_PARAM_TYPE_ERROR" : "INVALID_FORMAT", name, describe(name, first)),
  };
}

/**
 * Reads an integer in the path (`platformId`), or returns 250021. One too large for any id becomes the largest that is
 * exact, which no id is either: it is not found, while a database refuses numbers beyond its own.
 */
export function parsePathInteger(name: string, text: string): Parsed<number> {
  if (/^-?\d+$/.test(text)) return { value: withinExact(Number(text)) };
  return { error: serviceError("OPEN_API_PARAM_TYPE_ERROR", name, `${name}: expected an integer.`) };
}

function withinExact(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}
