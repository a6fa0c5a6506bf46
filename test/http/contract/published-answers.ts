import { z } from "zod";
import type { Operation } from "../../../src/api-contract/operation.ts";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import { ANSWER_SCHEMAS, ERROR_SCHEMAS } from "../../../src/api-contract/schemas/answer-schemas.ts";
import { openApiDocument } from "../../../src/http/answers/openapi.ts";

/** The published document as a reader of JSON sees it. */
export const DOCUMENT: ReturnType<typeof JSON.parse> = JSON.parse(JSON.stringify(openApiDocument()));

type Checker = { readonly strict: z.ZodType; readonly published: z.ZodType };
const checkers = new Map<string, Checker>();

/** Made once: every answer of every test is looked up. */
const PATHS = OPERATIONS.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replace(/\{\w+\}/g, "[^/]+")}$`),
}));

/** The call that a request line belongs to, under either prefix. */
function operationOf(method: string, url: string): Operation | undefined {
  const path = /^\/api\/(?:fin-)?v2(\/[^?]*)/.exec(url)?.[1] ?? "";
  return PATHS.find(({ operation, pattern }) => operation.method === method && pattern.test(path))?.operation;
}

/** A schema of the document, with its references resolved, read back by zod. */
function published(schema: object): z.ZodType {
  return z.fromJSONSchema({ ...schema, $defs: DOCUMENT.components.schemas } as Parameters<typeof z.fromJSONSchema>[0]);
}

function resolved(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll("#/components/schemas/", "#/$defs/"));
}

function checkerOf(operation: Operation, status: number): Checker {
  const id = `${operation.name} ${status}`;
  const known = checkers.get(id);
  if (known !== undefined) return known;
  const answer = DOCUMENT.paths[operation.path][operation.method.toLowerCase()].responses[status];
  if (answer === undefined) throw new Error(`${id} is not in the published document`);
  const schema = resolved(answer.content["application/json"].schema) as object;
  const checker = { strict: strict(operation, status), published: published(schema) };
  checkers.set(id, checker);
  return checker;
}

function strict({ content, list }: Operation, status: number): z.ZodType {
  if (status !== 200) return z.union(Object.values(ERROR_SCHEMAS));
  if (content === undefined) throw new Error("bytes are not read as JSON");
  const one = ANSWER_SCHEMAS[content];
  if (list === undefined) return z.strictObject({ content: one });
  const many = { content: z.array<z.ZodType>(one) };
  return list === "paged" ? z.strictObject({ ...many, total: z.int().min(0) }) : z.strictObject(many);
}

/** Throws where an answer is not what the published document says of its call, or has an unpublished key. */
export function checkPublished(method: string, url: string, status: number, body: unknown): void {
  const operation = operationOf(method, url);
  // Requests that are no call are answered 300; wrong bytes on the wire have tests of their own.
  if (operation === undefined || status === 404) return void z.union(Object.values(ERROR_SCHEMAS)).parse(body);
  const { strict: exact, published: said } = checkerOf(operation, status);
  for (const [name, schema] of Object.entries({ exact, said })) {
    const result = schema.safeParse(body);
    if (result.success) continue;
    throw new Error(`${method} ${url}: ${status} is not as published (${name}): ${z.prettifyError(result.error)}`);
  }
}
