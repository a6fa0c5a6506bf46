import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { gatewayError, serviceError } from "../../api-contract/errors.ts";
import { dashboardPushEndpointRequest, dashboardPushRequest } from "../../api-contract/schemas/dashboard-schemas.ts";
import { parseBody } from "../../api-contract/schemas/field-errors.ts";
import type { DashboardAccess } from "../../control/access/dashboard-access.ts";
import type { PushSubscription } from "../../control/alerts/push.ts";
import type { AttemptResult } from "../../control/events/deliveries.ts";
import { RequestRefusedError, refuseLarge } from "../answers/errors.ts";
import { answerHeaders } from "../answers/reply.ts";
import { orRefuse, readJson } from "../answers/request.ts";
import { checkOwnPage, type DashboardCookies } from "../auth/session-cookie.ts";

/** The largest body of a request, in bytes: 500 channel ids fit in. */
const BODY_BYTES_MAX = 32 * 1024;

/** The calls for a browser's push subscription. */
export interface PushUseCases {
  /** The key with which a browser subscribes: the server's public key (RFC 8292 §3.2). */
  publicKey(): Promise<string>;
  /** Whether these can be a browser's keys. */
  areKeys(keys: { readonly p256dh: string; readonly auth: string }): boolean;
  /** Returns false where the limit is reached, or the session has ended. */
  subscribe(push: PushSubscription, sessionHash: string): Promise<boolean>;
  unsubscribe(endpoint: string): Promise<void>;
  /** Undefined where the browser is not subscribed. */
  sendTest(endpoint: string): Promise<AttemptResult | undefined>;
}

export type PushParts = {
  readonly push: PushUseCases;
  readonly access: DashboardAccess;
  readonly cookies: DashboardCookies;
};

/** Push notifications of the dashboard, for signed-in browsers. Not part of the API. */
export function addPushRoutes(server: FastifyInstance, { push, access, cookies }: PushParts): void {
  server.register((routes, _options, done) => {
    const sessionOf = async (request: FastifyRequest): Promise<string> => {
      const token = cookies.sessionToken(request);
      const hash = token === undefined ? undefined : await access.sessionOf(token);
      if (hash === undefined) throw new RequestRefusedError(gatewayError("AUTHENTICATION_FAILED", "Sign in first."));
      return hash;
    };
    // A client that is not signed in is refused before its body is read.
    routes.addHook("onRequest", async (request) => {
      refuseLarge(request, BODY_BYTES_MAX);
      checkOwnPage(request);
      await sessionOf(request);
    });
    const options = { bodyLimit: BODY_BYTES_MAX };

    routes.get("/dashboard/push", async (_request, reply) => send(reply, { publicKey: await push.publicKey() }));

    routes.put("/dashboard/push", options, async (request, reply) => {
      const { endpoint, keys, language, isQuietInFocus, ...rules } = orRefuse(
        parseBody(dashboardPushRequest, readJson(request)),
      );
      if (!push.areKeys(keys)) {
        const details = "keys: expected a point of P-256 and a secret of 16 bytes.";
        throw new RequestRefusedError(serviceError("INVALID_FORMAT", "keys", details));
      }
      const contact = contactOf(request);
      const isStored = await push.subscribe(
        { endpoint, ...keys, language, contact, rules, isQuietInFocus },
        await sessionOf(request),
      );
      if (!isStored) {
        const details = "The most browsers are subscribed already.";
        throw new RequestRefusedError(serviceError("NOT_AVAILABLE", "push", details));
      }
      return send(reply, { subscribed: true });
    });

    routes.delete("/dashboard/push", options, async (request, reply) => {
      await push.unsubscribe(orRefuse(parseBody(dashboardPushEndpointRequest, readJson(request))).endpoint);
      return send(reply, { subscribed: false });
    });

    routes.post("/dashboard/push/test", options, async (request, reply) => {
      const result = await push.sendTest(orRefuse(parseBody(dashboardPushEndpointRequest, readJson(request))).endpoint);
      if (result === undefined) throw new RequestRefusedError(serviceError("NOT_FOUND", "subscription"));
      return send(reply, result);
    });
    done();
  });
}

/** The page's origin: it names the sender to a push service. */
function contactOf({ headers, host }: FastifyRequest): string {
  const { origin = "" } = headers;
  return origin.startsWith("https://") ? origin : `https://${host}`;
}

function send(reply: FastifyReply, answer: object): FastifyReply {
  const { "access-control-allow-origin": _anyPage, ...headers } = answerHeaders(reply.request.id);
  return reply.headers(headers).send(JSON.stringify(answer));
}
