import { type FastifyInstance, fastify } from "fastify";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { answerForError } from "../answers/errors.ts";
import { PRIVATE_HEADERS, sendBytes, sendError } from "../answers/reply.ts";
import { ConnectionGuard, type CutReason } from "../server/connection-guard.ts";
import type { Health } from "../server/health.ts";
import { type HostNames, hostCheck } from "../server/host-names.ts";
import { listenerFactory } from "../server/listener.ts";
import { MetricsPage, type MetricsSource } from "../server/metrics-page.ts";
import { type OnAirSource, statXml } from "../server/stat-page.ts";

const TEXT = { "content-type": "text/plain;charset=utf-8", ...PRIVATE_HEADERS } as const;

/**
 * For the operator of the process: `/livez` while it answers at all, `/readyz` while requests may be sent to it,
 * `/readyz?for=ingest` while new channels may be. Without authentication.
 */
export function addHealthRoutes(server: FastifyInstance, health: Health): void {
  server.get("/livez", async (_request, reply) => reply.headers(TEXT).send("ok\n"));
  server.get<{ readonly Querystring: { readonly for?: unknown } }>("/readyz", async (request, reply) => {
    const problem = request.query.for === "ingest" ? health.ingestProblem() : await health.problem();
    return reply
      .code(problem === undefined ? 200 : 503)
      .headers(TEXT)
      .send(`${problem ?? "ok"}\n`);
  });
}

/** `/metrics` for Prometheus, `/stat` for programs that read nginx-rtmp. Without authentication: it has no keys and no addresses, but channel ids and how busy they are. */
export function addMetricsRoute(
  server: FastifyInstance,
  source: MetricsSource,
  onAir: OnAirSource,
  clock: Clock,
): void {
  const page = new MetricsPage(source, clock);
  const stat = new MetricsPage(
    { contentType: "text/xml;charset=utf-8", text: async () => statXml(onAir.onAir(), clock.wallNow()) },
    clock,
  );
  server.get("/stat", async (_request, reply) => {
    const bytes = await stat.bytes();
    return sendBytes(reply.headers({ ...TEXT, "content-type": stat.contentType }), bytes);
  });
  server.get("/metrics", async (_request, reply) => {
    const bytes = await page.bytes();
    return sendBytes(reply.headers({ ...TEXT, "content-type": page.contentType }), bytes);
  });
}

/** Few clients read it, and none of them must authenticate. */
const PLACES = { connectionsMax: 200, unauthenticatedPerAddressMax: 100 } as const;

type MetricsServerOptions = {
  readonly source: MetricsSource;
  readonly onAir: OnAirSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly hosts: HostNames;
};

/** A separate server for `/metrics`, where it should not be on the API's port; built but not listening. */
export function buildMetricsServer({ source, onAir, clock, log, hosts }: MetricsServerOptions): FastifyInstance {
  const onCut = (reason: CutReason) => source.connectionCut(reason);
  const guard = new ConnectionGuard({ clock, trustedProxies: "", limits: PLACES, onCut });
  const server = fastify({ logger: false, exposeHeadRoutes: true, serverFactory: listenerFactory({ guard }) });
  server.addHook(
    "onRequest",
    hostCheck(hosts, log, () => clock.now()),
  );
  server.setErrorHandler((error, _request, reply) => sendError(reply, answerForError(error)));
  addMetricsRoute(server, source, onAir, clock);
  return server;
}
