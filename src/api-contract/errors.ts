import type { Hint } from "./input/hints.ts";

/** Errors of the gateway in front of the service: authentication, routing, limits. The code is a string on the wire. */
const GATEWAY_ERRORS = {
  BAD_REQUEST: { status: 400, code: "100", message: "Bad Request Exception" },
  AUTHENTICATION_FAILED: { status: 401, code: "200", message: "Authentication Failed" },
  // 401 and not 403, as in the gateway's published table.
  PERMISSION_DENIED: { status: 401, code: "210", message: "Permission Denied" },
  URL_NOT_FOUND: { status: 404, code: "300", message: "Not Found Exception" },
  RATE_LIMITED: { status: 429, code: "420", message: "Rate Limited" },
  TOO_LARGE: { status: 413, code: "430", message: "Request Entity Too Large" },
  ENDPOINT_ERROR: { status: 503, code: "500", message: "Endpoint Error" },
  UNEXPECTED_ERROR: { status: 500, code: "900", message: "Unexpected Error" },
} as const;

/**
 * Errors of the service itself. The code is a number on the wire; the key here is its `errorName`, except where two
 * published codes share one name. The wording is Live Station's own; `{0}` is filled in. Codes that this server never
 * sends are listed too, so that clients' tables and ours stay the same.
 */
const SERVICE_ERRORS = {
  EXCEPTION: { status: 500, code: 250000, message: "Unexpected error occurred." },
  CUSTOM_MESSAGE: { status: 400, code: 250001, message: "{0}" },
  INVALID_FORMAT: { status: 400, code: 250002, message: "{0}: invalid value." },
  REQUIRED_HEADER: { status: 400, code: 250003, message: "Missing required header." },
  NOT_FOUND: { status: 404, code: 250004, message: "{0} not found." },
  NOT_AVAILABLE: { status: 409, code: 250005, message: "{0} not available." },
  UNAUTHORIZED: { status: 401, code: 250006, message: "Unauthorized {0}." },
  CONNECTION_FAILED: { status: 502, code: 250007, message: "{0} connection failed." },
  REQUEST_FAILED: { status: 500, code: 250008, message: "Request failed." },
  THIRD_SERVER_EXCEPTION: { status: 502, code: 250009, message: "Third-party interface exception: {0}." },
  POLICY_CHECK_FAILED: {
    status: 403,
    code: 250010,
    message:
      "We cannot accomplish the task as permissions are not granted for the sub account. " +
      "Please modify permissions for the account through the Sub Account service.",
  },
  NEED_VALUE: { status: 400, code: 250011, message: "{0} must has a valid value" },
  JSON_PARSE_GENERAL_ERROR: { status: 400, code: 250012, message: "Invalid request data,please check" },
  OPEN_API_OK: { status: 200, code: 250013, message: "OK" },
  FORMVALIDATION_FAILED: { status: 400, code: 250014, message: "Form validation failed" },
  ACCESS_DENIED: { status: 403, code: 250015, message: "ACCESS_DENIED", name: "OPEN_API_UNAUTHORIZED" },
  INTERNAL_SERVER_ERROR: { status: 500, code: 250016, message: "Server error" },
  OPEN_API_UNAUTHORIZED: { status: 401, code: 250017, message: "Unauthorized" },
  OPEN_API_BAD_REQUEST: { status: 400, code: 250018, message: "Bad Request" },
  OPEN_API_UNSUPPORTED_REGION: { status: 400, code: 250019, message: "The Region {0} not support now." },
  OPEN_API_INVALID_REGION_CODE: { status: 400, code: 250020, message: "Invalid region code {0}." },
  OPEN_API_PARAM_TYPE_ERROR: { status: 400, code: 250021, message: "Invalid parameter type {0}." },
} as const satisfies Record<string, { status: number; code: number; message: string; name?: string }>;

type GatewayErrorName = keyof typeof GATEWAY_ERRORS;
type ServiceErrorName = keyof typeof SERVICE_ERRORS;

/** The body of every answer that is not a success. */
type ErrorBody = {
  readonly error:
    | { readonly errorCode: string; readonly message: string; readonly details: string }
    | {
        readonly errorCode: number;
        readonly message: string;
        readonly errorName: string;
        readonly details?: string;
        readonly hint?: string;
        readonly hintKo?: string;
      };
};

/** An error as a client gets it: the HTTP status, which of the two layers answers, and the body. */
export type ContractError = {
  readonly layer: "gateway" | "service";
  readonly status: number;
  readonly body: ErrorBody;
};

/** A gateway error; `details` is one sentence for a person. */
export function gatewayError(name: GatewayErrorName, details: string): ContractError {
  const { status, code, message } = GATEWAY_ERRORS[name];
  return { layer: "gateway", status, body: { error: { errorCode: code, message, details } } };
}

/** A service error; `subject` replaces `{0}`, `details` says what was given and what is allowed. */
export function serviceError(name: ServiceErrorName, subject = "", details?: string, hint?: Hint): ContractError {
  const entry: { status: number; code: number; message: string; name?: string } = SERVICE_ERRORS[name];
  return {
    layer: "service",
    status: entry.status,
    body: {
      error: {
        errorCode: entry.code,
        // A function, because in a replacement string `$&` in the caller's text would have a meaning.
        message: entry.message.replace("{0}", () => subject),
        errorName: entry.name ?? name,
        ...(details === undefined ? {} : { details }),
        ...hint,
      },
    },
  };
}
