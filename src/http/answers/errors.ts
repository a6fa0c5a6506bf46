import type { IncomingHttpHeaders } from "node:http";
import type { ContractError } from "../../api-contract/errors.ts";
import { gatewayError, serviceError } from "../../api-contract/errors.ts";
import { MISSING_HINT } from "../../api-contract/input/hints.ts";
import { NOT_AVAILABLE, type NotAvailable } from "../../api-contract/input/not-available.ts";
import { unreachable } from "../../base/unreachable.ts";
import type { DomainFault, StoreTrouble } from "../../control/ports/errors.ts";
import { DomainError, OwnerUnavailableError, StoreUnavailableError } from "../../control/ports/errors.ts";
import { RecorderUnavailableError } from "../../control/ports/recorder.ts";

/** After how many seconds a client should retry while the database is locked or full. */
const RETRY_AFTER_SECONDS = 5;

const KIB = 1024;
const MIB = 1024 * 1024;

/** The largest body of a request, in bytes. */
export const BODY_BYTES_MAX = MIB;

/** Ends the request with this answer. Thrown by the checks of a request. */
export class RequestRefusedError extends Error {
  override readonly name = "RequestRefusedError";
  readonly answer: ContractError;
  /** After how many seconds the same request may be sent again, where known. */
  readonly retryAfterSeconds: number | undefined;
  constructor(answer: ContractError, retryAfterSeconds?: number) {
    super(answer.body.error.message);
    this.answer = answer;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** An error as the server sends it. */
export type ErrorAnswer = {
  readonly answer: ContractError;
  readonly retryAfterSeconds?: number;
  /** True for an unexpected error: the log has it as a mistake of this program. */
  readonly isUnexpected: boolean;
};

export const TROUBLE_DETAILS: Readonly<Record<StoreTrouble, string>> = {
  locked: "The database is locked by another process.",
  full: "The disk of the database is full.",
  unwritable: "The database cannot be written.",
  damaged: "The database is damaged, or its disk fails.",
  unreachable: "The database server cannot be reached.",
  crowded: "The database server has no connection or memory left.",
  refused: "The database server does not let this server in, or not at its tables.",
  slow: "The database server takes too long.",
};

/** What is wrong; for a damaged database also where it is and what to do. */
function troubleDetails({ trouble, path }: StoreUnavailableError): string {
  if (trouble !== "damaged" || path === undefined) return TROUBLE_DETAILS[trouble];
  return (
    `The database ${path} is damaged, or its disk fails: restore a backup (fanfare restore FOLDER), or save what can still be ` +
    "read (sqlite3 FILE .recover); fanfare doctor says what is damaged."
  );
}

/** Returns the contract's answer for anything that a handler threw. `bodyBytesMax`: the limit of the route. */
export function answerForError(error: unknown, bodyBytesMax = BODY_BYTES_MAX): ErrorAnswer {
  if (error instanceof RequestRefusedError) {
    const { answer, retryAfterSeconds } = error;
    return { answer, isUnexpected: false, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
  if (error instanceof DomainError) return { answer: answerForFault(error.fault), isUnexpected: false };
  if (error instanceof StoreUnavailableError) {
    return {
      answer: gatewayError("ENDPOINT_ERROR", troubleDetails(error)),
      // A damaged database does not repair itself.
      ...(error.trouble === "damaged" ? {} : { retryAfterSeconds: RETRY_AFTER_SECONDS }),
      isUnexpected: false,
    };
  }
  if (error instanceof OwnerUnavailableError) {
    const details = "The server that carries this channel does not respond.";
    return {
      answer: gatewayError("ENDPOINT_ERROR", details),
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      isUnexpected: false,
    };
  }
  if (error instanceof RecorderUnavailableError) {
    const details = "The disk of the recordings does not answer.";
    const answer = gatewayError("ENDPOINT_ERROR", details);
    return { answer, retryAfterSeconds: RETRY_AFTER_SECONDS, isUnexpected: false };
  }
  // Fastify's own errors while it reads the request.
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  if (status === 413) return { answer: tooLarge(bodyBytesMax), isUnexpected: false };
  if (status === 400) return { answer: unreadable(), isUnexpected: false };
  return { answer: serviceError("EXCEPTION"), isUnexpected: true };
}

/** The request is not HTTP, or its target cannot be decoded. */
export function unreadable(): ContractError {
  return gatewayError("BAD_REQUEST", "The request could not be read.");
}

function tooLarge(bytesMax: number): ContractError {
  const size = bytesMax >= MIB ? `${bytesMax / MIB} MiB` : `${bytesMax / KIB} KiB`;
  return gatewayError("TOO_LARGE", `The body of a request may have ${size}.`);
}

/**
 * Refuses a body whose announced length is too large, before it is read. A body in chunks is cut off while it is read.
 * Throws RequestRefusedError.
 */
export function refuseLarge({ headers }: { readonly headers: IncomingHttpHeaders }, bytesMax: number): void {
  if (Number(headers["content-length"] ?? 0) > bytesMax) throw new RequestRefusedError(tooLarge(bytesMax));
}

/** The client was authenticated, but no longer is. */
export function endedMeanwhile(): ContractError {
  return gatewayError(
    "AUTHENTICATION_FAILED",
    "The access key or the session ended while this request was on its way.",
  );
}

function isNotAvailable(fault: DomainFault): fault is Extract<DomainFault, { readonly kind: NotAvailable }> {
  return fault.kind in NOT_AVAILABLE;
}

function answerForFault(fault: DomainFault): ContractError {
  if (isNotAvailable(fault)) {
    const [subject, details, hint, hintKo] = NOT_AVAILABLE[fault.kind];
    return serviceError("NOT_AVAILABLE", subject, details, { hint, hintKo });
  }
  switch (fault.kind) {
    case "channel-not-found":
      return serviceError("NOT_FOUND", "Channel");
    case "target-not-found":
      return serviceError("NOT_FOUND", "Platform");
    case "ingest-login-incomplete":
      return serviceError(
        "NEED_VALUE",
        `ingestAuth.${fault.missing}`,
        "ingestAuth: expected id and password.",
        MISSING_HINT,
      );
    case "media-file-not-found":
      return serviceError("NOT_FOUND", "Media file");
    case "media-offset":
      return serviceError("NOT_AVAILABLE", "Media file", `The next bytes of this file begin at ${fault.at}.`);
    case "schedule-not-found":
      return serviceError("NOT_FOUND", "Schedule");
    case "schedule-incomplete":
      return serviceError("NEED_VALUE", fault.missing, `${fault.missing}: expected with this repeat.`, MISSING_HINT);
    case "schedule-two-ends":
      return serviceError("INVALID_FORMAT", "endAfterSeconds", "endAfterSeconds: expected without endAt.");
    case "schedule-past":
      return serviceError("INVALID_FORMAT", "onDate", "onDate: expected a start that is still to come.");
    case "recording-not-found":
      return serviceError("NOT_FOUND", "Recording");
    case "node-not-found":
      return serviceError("NOT_FOUND", "Node");
    case "move-to-unknown":
      return serviceError("NOT_FOUND", "Node", "to: no server of this database has that number.");
    case "move-to-itself":
      return serviceError("INVALID_FORMAT", "to", "to: expected another server than the one whose broadcasts move.");
    case "access-key-not-found":
      return serviceError("NOT_FOUND", "Access key");
    case "endpoint-not-found":
      return serviceError("NOT_FOUND", "Callback endpoint");
    case "contact-not-found":
      return serviceError("NOT_FOUND", "Contact");
    case "too-many-contacts":
      return serviceError("NOT_AVAILABLE", "Contact", `There are ${fault.limit} contacts, the most there may be.`);
    case "delivery-not-found":
      return serviceError("NOT_FOUND", "Delivery");
    case "too-many-targets":
      return serviceError(
        "FORMVALIDATION_FAILED",
        "",
        `restream: the plan ${fault.planType} allows ${fault.limit} platforms, got ${fault.given}.`,
      );
    default:
      return unreachable(fault);
  }
}
