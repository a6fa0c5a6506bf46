import type { Operation } from "../../api-contract/operation.ts";
import { OPERATIONS } from "../../api-contract/operations.ts";
import { API_PREFIXES } from "../../api-contract/regions.ts";
import { componentSchemas, type JsonSchema, querySchema, reference, requestSchema } from "./openapi-schemas.ts";

type Document = { readonly [key: string]: unknown };

const DESCRIPTION = [
  "The Re-Stream API of NAVER Cloud's Live Station, served by Fanfare, with additions of its own (tagged so).",
  "Requests are signed: `x-ncp-apigw-signature-v2` is Base64(HMAC-SHA256(secret key, text)), where text is the method, a space,",
  "path and query exactly as sent, a line feed, the timestamp, a line feed, the access key id.",
  "`Authorization: Bearer <secret key>` works too. Times are milliseconds since 1970, durations seconds, rates bytes per second.",
].join(" ");

const GATEWAY = reference("GatewayError");
const SERVICE = reference("ServiceError");

function errorAnswer(description: string, ...schemas: readonly JsonSchema[]): object {
  const [first] = schemas;
  const schema = schemas.length === 1 ? first : { oneOf: schemas };
  return { description, content: { "application/json": { schema } } };
}

/** The header of an answer that says when to retry. */
const RETRY_AFTER = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } } };

const ERROR_ANSWERS = {
  400: errorAnswer("A value is missing or not allowed, or the request cannot be read.", SERVICE, GATEWAY),
  401: errorAnswer("Authentication failed, or this access key may not do it.", GATEWAY),
  404: errorAnswer("There is no such URL, channel, platform, key or delivery.", SERVICE, GATEWAY),
  409: errorAnswer("Not possible in the present state.", SERVICE),
  413: errorAnswer("The body has more than 1 MiB.", GATEWAY),
  429: { ...errorAnswer("Too many requests, or too many failed authentications.", GATEWAY), headers: RETRY_AFTER },
  500: errorAnswer("An error in the server itself.", SERVICE),
  503: { ...errorAnswer("The database cannot be written now.", GATEWAY), headers: RETRY_AFTER },
};

const PART_ANSWERS = {
  206: {
    description: "The part that `Range` asks for.",
    content: { "video/mp4": { schema: { type: "string", format: "binary" } } },
  },
  416: { description: "The range begins behind the end." },
};
const UNCHANGED_ANSWER = { 304: { description: "The client has it, as `If-None-Match` says." } };

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: name === "platformId" || name === "deliveryId" ? "integer" : "string" },
  }));
}

function queryParameters({ query }: Operation): object[] {
  if (query === undefined) return [];
  return Object.entries(querySchema(query).properties ?? {}).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    ...(description === undefined ? {} : { description }),
    schema: schema.type === "number" ? { ...schema, type: "integer" } : schema,
  }));
}

function successAnswer({ content, bytes = "", list, isStream, files = [] }: Operation): object {
  if (content === undefined) {
    return { description: "Done.", content: { [bytes]: { schema: { type: "string", format: "binary" } } } };
  }
  if (isStream === true) {
    const description =
      "Events `snapshot` (LiveSnapshot), `channel` (LiveChannel), `platform` (LivePlatform), `sample` (LiveSample), `event` (Event), `server` (LiveServer), `refused` (RefusedEncoder).";
    return { description, content: { "text/event-stream": { schema: { type: "string" } } } };
  }
  const one = reference(content);
  const properties = {
    content: list === undefined ? one : { type: "array", items: one },
    ...(list === "paged" ? { total: { type: "integer", minimum: 0, description: "Over all pages." } } : {}),
  };
  const schema = { type: "object", properties, required: Object.keys(properties) };
  const others = files.map((type) => [type, { schema: { type: "string" } }] as const);
  return { description: "Done.", content: { "application/json": { schema }, ...Object.fromEntries(others) } };
}

function operationObject(operation: Operation): object {
  const { name, summary, isOurs, path, body, bodyExample, bodyBytes } = operation;
  const parameters = [...pathParameters(path), ...queryParameters(operation)];
  const requestBody =
    bodyBytes === true
      ? { requestBody: BYTES_BODY }
      : body === undefined
        ? {}
        : { requestBody: bodyObject(requestSchema(body), bodyExample) };
  return {
    operationId: name,
    summary,
    tags: [isOurs ? "Additions" : "Re-Stream API v2"],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody,
    responses: {
      200: successAnswer(operation),
      ...(operation.bytes === undefined ? {} : operation.isRanged === true ? PART_ANSWERS : UNCHANGED_ANSWER),
      ...ERROR_ANSWERS,
    },
  };
}

const BYTES_BODY = {
  required: true,
  content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
};

function bodyObject(schema: JsonSchema, example: object | undefined): object {
  const media = { schema, ...(example === undefined ? {} : { example }) };
  return { required: true, content: { "application/json": media } };
}

function pathsObject(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const methods = paths[operation.path] ?? {};
    methods[operation.method.toLowerCase()] = operationObject(operation);
    paths[operation.path] = methods;
  }
  return paths;
}

function headerScheme(name: string, description: string): object {
  return { type: "apiKey", in: "header", name, description };
}

/**
 * The whole API as an OpenAPI 3.1 document, made from the schemas that read its requests. `basePath`: the path at which
 * a proxy serves it.
 */
export function openApiDocument(basePath = ""): Document {
  return {
    openapi: "3.1.0",
    info: { title: "Fanfare", version: "2", description: DESCRIPTION, license: { name: "MIT", identifier: "MIT" } },
    servers: API_PREFIXES.map(({ prefix, region }) => ({
      url: `${basePath}${prefix}`,
      description: `Region ${region}`,
    })),
    security: [{ timestamp: [], accessKey: [], signature: [] }, { bearer: [] }],
    paths: pathsObject(),
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        timestamp: headerScheme("x-ncp-apigw-timestamp", "Milliseconds since 1970, at most 5 minutes off."),
        accessKey: headerScheme("x-ncp-iam-access-key", "Id of the access key."),
        signature: headerScheme("x-ncp-apigw-signature-v2", "Signature of this request."),
        bearer: { type: "http", scheme: "bearer", description: "The secret key itself." },
      },
    },
  };
}
