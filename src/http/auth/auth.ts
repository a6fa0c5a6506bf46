import type { IncomingMessage } from "node:http";
import { gatewayError } from "../../api-contract/errors.ts";
import { isSignatureValid, timestampProblem } from "../../api-contract/signature.ts";
import type { Clock } from "../../base/clock.ts";
import { type DashboardAccess, sessionOwner } from "../../control/access/dashboard-access.ts";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import type { Service } from "../../control/service.ts";
import type { Caller } from "../answers/caller.ts";
import { RequestRefusedError } from "../answers/errors.ts";
import { isRead } from "../server/head-requests.ts";

type Recognised = Pick<Caller, "signature"> & { readonly key: AccessKey };

/**
 * Used instead of the secret of a key that does not exist, so that an unknown key takes as long as a wrong signature.
 */
const NO_SECRET = "0".repeat(40);

const MISSING = "Authentication information are missing.";
const INVALID = "Invalid authentication information.";

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("AUTHENTICATION_FAILED", details));
}

/** What a request is checked against. */
export type AuthParts = {
  readonly service: Service;
  readonly clock: Clock;
  /** The path at which clients find this server: they sign the path as they see it, whatever a proxy removes. */
  readonly basePath: string;
  readonly isManagersOnly: boolean;
};

async function signedKey(request: IncomingMessage, { service, clock, basePath }: AuthParts): Promise<Recognised> {
  const timestamp = header(request, "x-ncp-apigw-timestamp");
  const accessKey = header(request, "x-ncp-iam-access-key");
  const signature = header(request, "x-ncp-apigw-signature-v2");
  if (timestamp === undefined || accessKey === undefined || signature === undefined) refuse(MISSING);
  const key = await service.accessKeys.find(accessKey);
  const { method = "", url = "" } = request;
  const targets = basePath === "" ? [url] : [`${basePath}${url}`, url];
  const secret = key?.secretKey ?? NO_SECRET;
  const isValid = targets
    .map((requestTarget) => isSignatureValid({ method, requestTarget, timestamp, accessKey }, secret, signature))
    .includes(true);
  // Reported first, whatever else is wrong: it reveals nothing about any key, and a wrong clock is the commonest cause.
  const problem = timestampProblem(timestamp, clock.wallNow());
  if (problem !== undefined) refuse(`${INVALID} ${problem}`);
  if (key === undefined || !isValid) refuse(INVALID);
  return { key, signature };
}

async function bearerKey(secretKey: string, service: Service): Promise<Recognised> {
  const key = await service.accessKeys.findBySecret(secretKey);
  return key === undefined ? refuse(INVALID) : { key };
}

/** Returns the manager whose browser has this session. Throws RequestRefusedError (200) where the session has ended. */
export async function authenticateSession(token: string, access: DashboardAccess): Promise<Caller> {
  const sessionHash = await access.sessionOf(token);
  if (sessionHash === undefined) refuse("This browser is no longer signed in.");
  return { accessKeyId: sessionOwner(sessionHash), role: "manager" };
}

/**
 * Returns the sender of this request. It is authenticated by signature v2 over the request line as received, or as the
 * client sees it where a base path is set, or, for people with curl, by `Authorization: Bearer <secret key>`. Throws
 * RequestRefusedError: 200 if the client is not authenticated, 210 where a viewer writes or asks for something that
 * only managers see.
 */
export async function authenticate(request: IncomingMessage, parts: AuthParts): Promise<Caller> {
  const { service, isManagersOnly } = parts;
  const bearer = /^Bearer +(\S+)$/i.exec(header(request, "authorization") ?? "")?.[1];
  const { key, ...rest } = bearer === undefined ? await signedKey(request, parts) : await bearerKey(bearer, service);
  service.accessKeys.used(key.accessKeyId);
  if (key.role === "viewer" && (!isRead(request.method ?? "") || isManagersOnly)) {
    const details = isManagersOnly ? "This needs a manager's access key." : "This access key can only read.";
    throw new RequestRefusedError(gatewayError("PERMISSION_DENIED", details));
  }
  return { accessKeyId: key.accessKeyId, role: key.role, name: key.name, ...rest };
}
