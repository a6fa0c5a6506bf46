import openapiTypescript, { astToString, type OpenAPI3 } from "openapi-typescript";
import { openApiDocument } from "../../src/http/answers/openapi.ts";

const HEAD = "// Generated from the OpenAPI document by `npm run check` and `npm run build`. Do not edit.\n\n";

/** The types of all calls, as TypeScript. The same document always makes the same text. */
export async function apiTypes(): Promise<string> {
  const document = structuredClone(openApiDocument("/api/v2")) as unknown as OpenAPI3;
  return HEAD + astToString(await openapiTypescript(document, { alphabetize: true }));
}
