import type { FastifyRequest } from "fastify";
import type { PublishStatusName } from "../../api-contract/channel-status.ts";
import type { ContractError } from "../../api-contract/errors.ts";
import { serviceError } from "../../api-contract/errors.ts";
import { isSessionOwner } from "../../control/access/dashboard-access.ts";
import type { Revocations } from "../../control/access/revocations.ts";
import type { Service } from "../../control/service.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { AnswerContext, PublishAddresses } from "./answers.ts";
import type { PassedCaller } from "./caller.ts";
import { endedMeanwhile, RequestRefusedError } from "./errors.ts";

/** What all routes get. */
export type RouteContext = {
  readonly service: Service;
  readonly publishAddresses: () => PublishAddresses;
  readonly publishStatusName: PublishStatusName;
  readonly revocations: Revocations;
  /** The path before every address of this server, at which a proxy serves it. */
  readonly basePath: string;
};

declare module "fastify" {
  interface FastifyContextConfig {
    /** The answer is an event stream, which has no end of its own. */
    readonly isStream?: boolean;
  }
  interface FastifyRequest {
    /** Set once the request is authenticated. */
    caller: PassedCaller | undefined;
  }
  interface FastifyContextConfig {
    /** Viewers may not even read this. */
    readonly isManagersOnly?: boolean;
  }
}

export function answerContext(context: RouteContext, request: FastifyRequest): AnswerContext {
  return {
    ...context.publishAddresses(),
    publishStatusName: context.publishStatusName,
    // Only a known manager sees keys.
    isViewer: request.caller?.role !== "manager",
  };
}

/** Whether the dashboard asks: it has a session instead of an access key. */
export function isPerson({ caller }: FastifyRequest): boolean {
  return caller !== undefined && isSessionOwner(caller.accessKeyId);
}

/** Whether a browser asks for a page, not a program for data. */
export function wantsPage(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes("text/html");
}

/**
 * Returns the owner for something that lasts. Throws RequestRefusedError where the owner's key or session ended since
 * the request was authenticated.
 */
export function lastingOwner({ revocations }: RouteContext, request: FastifyRequest): string {
  const owner = request.caller?.accessKeyId ?? "";
  if (revocations.isEnded(owner)) throw new RequestRefusedError(endedMeanwhile());
  return owner;
}

/** Returns the value, or ends the request. */
export function orRefuse<Value>(parsed: { readonly value: Value } | { readonly error: ContractError }): Value {
  if ("error" in parsed) throw new RequestRefusedError(parsed.error);
  return parsed.value;
}

/** The same for a request to a channel: a missing channel is reported before a wrong value. */
export async function orRefuseIn<Value>(
  service: Pick<Service, "getChannel">,
  channelId: ChannelId,
  parsed: { readonly value: Value } | { readonly error: ContractError },
): Promise<Value> {
  return orRefuseAfter(() => service.getChannel(channelId), parsed);
}

/** The same for anything else that a path names. `find` throws where it is missing. */
export async function orRefuseAfter<Value>(
  find: () => Promise<unknown>,
  parsed: { readonly value: Value } | { readonly error: ContractError },
): Promise<Value> {
  if ("error" in parsed) await find();
  return orRefuse(parsed);
}

/** The body as JSON; no body is an empty object. Throws RequestRefusedError. */
export function readOptionalJson(request: FastifyRequest): unknown {
  const { body } = request;
  return body === undefined || body === null || (Buffer.isBuffer(body) && body.length === 0) ? {} : readJson(request);
}

/**
 * The body as JSON, whatever content type it claims: real clients send none or a wrong one. Throws RequestRefusedError.
 */
export function readJson(request: FastifyRequest): unknown {
  try {
    if (!Buffer.isBuffer(request.body)) throw new SyntaxError("no body");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(request.body));
  } catch {
    throw new RequestRefusedError(serviceError("JSON_PARSE_GENERAL_ERROR", "", "The body must be JSON in UTF-8."));
  }
}
