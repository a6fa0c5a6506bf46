import type { FastifyInstance, FastifyRequest } from "fastify";
import {
  AUDIT_ACTIONS,
  type AuditAction,
  type AuditActorKind,
  type AuditClient,
  DASHBOARD_ACTIONS,
} from "../../api-contract/audit/audit-actions.ts";
import { OPERATIONS } from "../../api-contract/operations.ts";
import type { Clock } from "../../base/clock.ts";
import { isSessionOwner } from "../../control/access/dashboard-access.ts";
import type { AuditOrigin, AuditScope, AuditSubject } from "../../control/audit/audit.ts";
import type { AuditLog } from "../../control/audit/audit-log.ts";
import { clientOf } from "../auth/limits.ts";
import { runAs } from "../auth/request-actor.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The change that this request makes; undefined where the audit keeps none. */
    audit: AuditScope | undefined;
  }
}

/** Characters of a client's name for itself that are kept. */
const USER_AGENT_CHARACTERS_MAX = 200;
/** How the command line names itself. */
const CLI = /^fanfare-cli\//;

const ACTIONS: ReadonlySet<string> = new Set(AUDIT_ACTIONS);
const isAction = (name: string): name is AuditAction => ACTIONS.has(name);

/** Every request that the audit keeps, by method and path below the prefix. */
const BY_ROUTE: ReadonlyMap<string, AuditAction> = new Map(
  [
    ...OPERATIONS.map(({ method, path, name }) => [`${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`, name] as const),
    ...Object.entries(DASHBOARD_ACTIONS),
  ].flatMap(([route, name]) => (isAction(name) ? [[route, name] as const] : [])),
);

export type RequestAudit = {
  readonly log: Pick<AuditLog, "complete">;
  readonly clock: Clock;
  /** Of the dashboard's own requests: the name of the browser's session, if it has one. */
  readonly sessionOf?: (request: FastifyRequest) => Promise<string | undefined>;
};

/**
 * Keeps a record of every change that the routes of this instance make. Runs after authentication. The record of a
 * change without a transaction is stored before the answer is sent.
 */
export function auditRequests(routes: FastifyInstance, { log, clock, sessionOf }: RequestAudit): void {
  routes.addHook("preHandler", async (request) => {
    const action = actionOf(request);
    if (action === undefined) return;
    const callerId = request.caller?.accessKeyId ?? (await sessionOf?.(request));
    // A browser that is not signed in changes nothing by signing out.
    if (action === "signOut" && callerId === undefined) return;
    request.audit = {
      ...{ action, time: clock.wallNow(), traceId: request.id, state: "open" },
      origin: originOf(request, action, callerId),
      about: aboutOf(request),
    };
  });
  routes.addHook("preHandler", (request, _reply, done) => runAs(request.caller?.accessKeyId, request.audit, done));
  routes.addHook("onSend", async ({ audit }, { statusCode }) => {
    if (audit === undefined) return;
    if (statusCode < 400) await log.complete(audit);
    else audit.state = "closed";
  });
}

function actionOf({ method, routeOptions }: FastifyRequest): AuditAction | undefined {
  return BY_ROUTE.get(`${method} ${(routeOptions.url ?? "").replace(/^\/api\/(?:fin-)?v2/, "")}`);
}

function originOf(request: FastifyRequest, action: AuditAction, callerId: string | undefined): AuditOrigin {
  const isSession = request.caller === undefined || isSessionOwner(request.caller.accessKeyId);
  const keyActor: AuditActorKind = isSession ? "session" : "access-key";
  const userAgent = (request.headers["user-agent"] ?? "").slice(0, USER_AGENT_CHARACTERS_MAX);
  const remoteAddress = clientOf(request.ip, request.socket.remoteAddress ?? "");
  const client: AuditClient = isSession ? "dashboard" : CLI.test(userAgent) ? "cli" : "api";
  return {
    ...{ actor: action === "setUpDashboard" ? "set-up" : keyActor, client, remoteAddress },
    ...(callerId === undefined ? {} : { actorId: callerId }),
    ...(request.caller?.name === undefined ? {} : { actorName: request.caller.name }),
    ...(userAgent === "" ? {} : { userAgent }),
  };
}

function aboutOf({ params }: FastifyRequest): AuditSubject {
  const { channelId, platformId, ...rest } = params as Readonly<Record<string, string | undefined>>;
  const targetId = Number(platformId);
  const subject = Object.values(rest).join(" ");
  return {
    ...(channelId === undefined ? {} : { channelId }),
    ...(platformId === undefined || !Number.isSafeInteger(targetId) ? {} : { targetId }),
    ...(subject === "" ? {} : { subject }),
  };
}
