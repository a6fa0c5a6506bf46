import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import {
  dashboardPasswordRequest,
  dashboardSetupRequest,
  dashboardSignInRequest,
} from "../../api-contract/schemas/dashboard-schemas.ts";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import type { Clock } from "../../base/clock.ts";
import { type DashboardAccess, sessionOwner } from "../../control/access/dashboard-access.ts";
import type { Revocations } from "../../control/access/revocations.ts";
import type { AuditLog } from "../../control/audit/audit-log.ts";
import type { SharedGuards } from "../../control/ports/shared-guards.ts";
import { RequestRefusedError, refuseLarge } from "../answers/errors.ts";
import { answerHeaders } from "../answers/reply.ts";
import { orRefuse, readJson } from "../answers/request.ts";
import { auditRequests } from "../audit/request-audit.ts";
import { clientOf } from "../auth/limits.ts";
import { checkOwnPage, type DashboardCookies } from "../auth/session-cookie.ts";
import { SignInAttempts, type SignInClient } from "../auth/sign-in-attempts.ts";
import type { ConnectionGuard } from "../server/connection-guard.ts";

/** The largest body of a request, in bytes: anybody may send one. */
const BODY_BYTES_MAX = 4 * 1024;

export type DashboardParts = {
  readonly access: DashboardAccess;
  readonly cookies: DashboardCookies;
  readonly revocations: Revocations;
  readonly clock: Clock;
  /** Called for each wrong password and set-up token. */
  readonly onFailedLogin: (address: string) => void;
  readonly guard: ConnectionGuard;
  readonly auditLog: AuditLog;
  /** What the nodes of a cluster refuse together; undefined: a single node. */
  readonly sharedGuards: SharedGuards | undefined;
};

function send(reply: FastifyReply, answer: object): FastifyReply {
  const { "access-control-allow-origin": _anyPage, ...headers } = answerHeaders(reply.request.id);
  return reply.headers(headers).send(JSON.stringify(answer));
}

function refuse(details: string): never {
  throw new RequestRefusedError(gatewayError("AUTHENTICATION_FAILED", details));
}

/** What these routes do with a browser's cookies. */
function browsers({ access, cookies, guard }: DashboardParts) {
  const signInClientOf = async (request: FastifyRequest): Promise<SignInClient> => {
    const address = clientOf(request.ip, request.socket.remoteAddress ?? "");
    const device = cookies.device(request);
    const deviceId = device === undefined ? undefined : await access.deviceOf(device);
    return deviceId === undefined ? { address } : { address, deviceId };
  };
  const sessionOf = async (request: FastifyRequest) => {
    const token = cookies.sessionToken(request);
    const hash = token === undefined ? undefined : await access.sessionOf(token);
    return token === undefined || hash === undefined ? undefined : { token, hash };
  };
  const signedIn = (request: FastifyRequest, reply: FastifyReply, token: string) => {
    guard.recognise(request.socket);
    return send(reply.header("set-cookie", cookies.session(request, token)), { signedIn: true, needsSetup: false });
  };
  /**
   * From now on this browser is a known one. The session's cookie comes first: scripts use the first one that they see.
   */
  const signedInAndKnown = async (request: FastifyRequest, reply: FastifyReply, token: string) => {
    const device = await access.newDevice();
    if (device === undefined) return signedIn(request, reply, token);
    guard.recognise(request.socket);
    reply.header("set-cookie", [cookies.session(request, token), cookies.knownDevice(request, device)]);
    return send(reply, { signedIn: true, needsSetup: false });
  };
  return { signInClientOf, sessionOf, signedIn, signedInAndKnown };
}

/**
 * The dashboard's sign-in: set-up through the printed link, the session's cookie, the password. Not part of the API.
 */
export function addDashboardRoutes(server: FastifyInstance, parts: DashboardParts): void {
  const { access, cookies, revocations, clock, onFailedLogin, sharedGuards } = parts;
  const attempts = new SignInAttempts(clock, onFailedLogin, true, sharedGuards);
  // A set-up token cannot be guessed, so guesses at passwords must not keep the owner from using a new link.
  const setUps = new SignInAttempts(clock, onFailedLogin, false, sharedGuards);
  const { signInClientOf, sessionOf, signedIn, signedInAndKnown } = browsers(parts);

  server.register((routes, _options, done) => {
    routes.addHook("onRequest", async (request) => {
      refuseLarge(request, BODY_BYTES_MAX);
      checkOwnPage(request);
    });
    auditRequests(routes, {
      ...{ log: parts.auditLog, clock },
      sessionOf: async (request) => {
        const session = await sessionOf(request);
        return session === undefined ? undefined : sessionOwner(session.hash);
      },
    });
    /** A client that must wait is refused before its body is read. */
    const checking = (of: SignInAttempts) => ({
      bodyLimit: BODY_BYTES_MAX,
      onRequest: async (request: FastifyRequest) => of.check(await signInClientOf(request)),
    });

    routes.get("/dashboard/session", async (request, reply) => {
      const session = await sessionOf(request);
      // The browser's cookie expires after the same 30 days as the session, counted from each visit.
      if (session !== undefined) return signedIn(request, reply, session.token);
      return send(reply, { signedIn: false, needsSetup: await access.needsSetup() });
    });

    routes.post("/dashboard/setup", checking(setUps), async (request, reply) => {
      const { token, password } = orRefuse(parseBody(dashboardSetupRequest, readJson(request)));
      const session = await setUps.run(await signInClientOf(request), () => access.setUp(token, password));
      if (session === undefined) refuse("This set-up link was used already, has expired, or a newer one was made.");
      await revocations.look();
      return signedInAndKnown(request, reply, session);
    });

    routes.post("/dashboard/session", checking(attempts), async (request, reply) => {
      const { password } = orRefuse(parseBody(dashboardSignInRequest, readJson(request)));
      const session = await attempts.run(await signInClientOf(request), () => access.signIn(password));
      if (session === undefined) refuse("The password is wrong.");
      return signedInAndKnown(request, reply, session);
    });

    routes.delete("/dashboard/session", { bodyLimit: BODY_BYTES_MAX }, async (request, reply) => {
      const session = await sessionOf(request);
      if (session !== undefined) {
        await access.signOut(session.hash);
        revocations.end(sessionOwner(session.hash));
      }
      const answer = { signedIn: false, needsSetup: await access.needsSetup() };
      return send(reply.header("set-cookie", cookies.session(request, undefined)), answer);
    });

    const changing = {
      bodyLimit: BODY_BYTES_MAX,
      onRequest: async (request: FastifyRequest) => {
        if ((await sessionOf(request)) === undefined) refuse("Sign in first.");
      },
    };
    routes.put("/dashboard/password", changing, async (request, reply) => {
      const session = await sessionOf(request);
      if (session === undefined) refuse("Sign in first.");
      const { old, new: chosen } = orRefuse(parseBody(dashboardPasswordRequest, readJson(request)));
      const client = { ...(await signInClientOf(request)), deviceId: session.hash };
      const token = await attempts.run(client, () => access.changePassword(old, chosen));
      if (token === undefined) refuse("The old password is wrong.");
      // Ends everything that was opened so far, this browser's own streams too: somebody with its old token may have
      // opened them. Its page opens its stream again, with the new token, which must be sent before.
      reply.raw.once("finish", () => void revocations.look());
      return signedInAndKnown(request, reply, token);
    });
    done();
  });
}
