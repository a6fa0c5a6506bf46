import { expect } from "vitest";
import type { Operation } from "../../../src/api-contract/operation.ts";
import { type Answer, gateway } from "../api.ts";
import { REPEATED } from "./wrong-values.ts";

/** An answer that is no success. */
export type Expected = { readonly status: number; readonly body: object; readonly isGateway: boolean };

/** The last part of a field's path. */
export function lastOf(path: string): string {
  return path.split(".").at(-1) ?? "";
}

/** Errors that always name what a person has to change. */
const HINTED = [250005, 250011];

/** The body without its hint, which is in both languages or absent. */
function withoutHint(body: Answer["body"]): unknown {
  const { hint, hintKo, ...error } = body.error ?? {};
  expect(typeof hint).toBe(typeof hintKo);
  if (HINTED.includes(error.errorCode)) expect([hint, hintKo]).toEqual([expect.any(String), expect.any(String)]);
  return { ...body, error };
}

/** Status, body except the hint, and headers, exactly. */
export function expectAnswer(answer: Answer, { status, body, isGateway }: Expected, cell: string): void {
  expect([answer.status, withoutHint(answer.body)], cell).toEqual([status, body]);
  const fixed = [
    "access-control-allow-origin",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "x-content-type-options",
    "x-ncp-trace-id",
  ];
  const names = isGateway ? [...fixed, "x-ncp-apigw-response-origin"] : fixed;
  expect(Object.keys(answer.headers).sort(), cell).toEqual(names.sort());
  expect(answer.headers, cell).toMatchObject({
    "content-type": "application/json;charset=utf-8",
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-ncp-trace-id": expect.stringMatching(/^[a-z0-9]{26}$/),
    ...(isGateway ? { "x-ncp-apigw-response-origin": "APIGW" } : {}),
  });
}

const ofGateway = (status: number, code: string, message: string, details: string): Expected => ({
  status,
  body: gateway(code, message, details),
  isGateway: true,
});

export function ofService(
  status: number,
  errorCode: number,
  errorName: string,
  message: string,
  details?: string,
): Expected {
  const error = { errorCode, message, errorName, ...(details === undefined ? {} : { details }) };
  return { status, body: { error }, isGateway: false };
}

export const unauthenticated = (details: string) => ofGateway(401, "200", "Authentication Failed", details);
export const MISSING = unauthenticated("Authentication information are missing.");
export const INVALID = unauthenticated("Invalid authentication information.");
export const NO_URL = ofGateway(404, "300", "Not Found Exception", "URL not found.");
export const TOO_LARGE = ofGateway(413, "430", "Request Entity Too Large", "The body of a request may have 1 MiB.");
export const notFound = (what: string) => ofService(404, 250004, "NOT_FOUND", `${what} not found.`);
const NOT_JSON_MESSAGE = "Invalid request data,please check";
export const notJson = (details: string) =>
  ofService(400, 250012, "JSON_PARSE_GENERAL_ERROR", NOT_JSON_MESSAGE, details);
export const NOT_JSON = notJson("The body must be JSON in UTF-8.");
export const needed = (field: string, details: string) =>
  ofService(400, 250011, "NEED_VALUE", `${field} must has a valid value`, details);
export const invalid = (field: string, details: string) =>
  ofService(400, 250002, "INVALID_FORMAT", `${field}: invalid value.`, details);
export const wrongType = (field: string, details: string) =>
  ofService(400, 250021, "OPEN_API_PARAM_TYPE_ERROR", `Invalid parameter type ${field}.`, details);

export function denied({ isManagersOnly }: Operation): Expected {
  const details = isManagersOnly === true ? "This needs a manager's access key." : "This access key can only read.";
  return ofGateway(401, "210", "Permission Denied", details);
}

export function wrongRegion(code: string, served: string): Expected {
  const details = `This address serves the region ${served}.`;
  return code === "FKR" || code === "KR"
    ? ofService(400, 250019, "OPEN_API_UNSUPPORTED_REGION", `The Region ${code} not support now.`, details)
    : ofService(400, 250020, "OPEN_API_INVALID_REGION_CODE", `Invalid region code ${code}.`, details);
}

/** `field: expected rule, got value.`, the value cut to 60 characters and left out where it may be a secret. */
export function said(field: string, rule: string, value: unknown): string {
  if (!REPEATED.has(lastOf(field))) return `${field}: expected ${rule}.`;
  const text = JSON.stringify(value);
  return `${field}: expected ${rule}, got ${text.length > 60 ? `${text.slice(0, 60)}…` : text}.`;
}
