import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fastify } from "fastify";
import type { PublishStatusName } from "../api-contract/channel-status.ts";
import { gatewayError } from "../api-contract/errors.ts";
import type { RegionCode } from "../api-contract/regions.ts";
import { API_PREFIXES, regionError } from "../api-contract/regions.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type DashboardAccess, isSessionOwner } from "../control/access/dashboard-access.ts";
import type { RandomBytes } from "../control/access/ids.ts";
import { randomText } from "../control/access/ids.ts";
import type { PreviewAccess } from "../control/access/preview-access.ts";
import { Revocations } from "../control/access/revocations.ts";
import type { AuditStore } from "../control/audit/audit.ts";
import type { AuditLog } from "../control/audit/audit-log.ts";
import type { Nodes } from "../control/ports/nodes.ts";
import type { Runtime } from "../control/ports/runtime.ts";
import type { Recordings } from "../control/recordings/recordings.ts";
import type { Service } from "../control/service.ts";
import type { CertificatePair } from "../thread-protocol/certificate.ts";
import type { SpanDeps } from "../thread-protocol/traces/open-span.ts";
import type { PublishAddresses } from "./answers/answers.ts";
import { answerForError, BODY_BYTES_MAX, RequestRefusedError, unreadable } from "./answers/errors.ts";
import { answerHeaders, GATEWAY_ORIGIN_HEADER, sendError, showTrace } from "./answers/reply.ts";
import type { RouteContext } from "./answers/request.ts";
import { addAuditRoutes } from "./audit/audit-routes.ts";
import { auditRequests } from "./audit/request-audit.ts";
import { ApiGuard, type ApiGuardOptions } from "./auth/api-guard.ts";
import { DashboardCookies } from "./auth/session-cookie.ts";
import { addContactRoutes } from "./contacts/contacts.ts";
import { Downloads } from "./live/downloads.ts";
import type { LiveStream } from "./live/live-stream.ts";
import { Previews } from "./live/previews.ts";
import { addMediaFileRoutes, type MediaFileUseCases } from "./media/media-files.ts";
import { addScheduleRoutes } from "./media/schedules.ts";
import { addSlateRoutes } from "./media/slates.ts";
import { addSourceRoutes } from "./media/sources.ts";
import { addChannelRoutes } from "./routes/channels.ts";
import { addDashboardRoutes } from "./routes/dashboard.ts";
import { addDocsRoutes } from "./routes/docs.ts";
import { addCallbackRoutes, addEventRoutes, type EventUseCases } from "./routes/events.ts";
import { addHealthRoutes, addMetricsRoute } from "./routes/health.ts";
import { addKeyframeRoute } from "./routes/keyframe.ts";
import { addAccessKeyRoutes } from "./routes/keys.ts";
import { addLiveRoutes } from "./routes/live.ts";
import { addNodeRoutes } from "./routes/nodes.ts";
import { addPlatformRoutes } from "./routes/platforms.ts";
import { addPresetRoutes } from "./routes/presets.ts";
import { addPreviewRoute, addPreviewTokenRoute } from "./routes/preview.ts";
import { addPushRoutes, type PushUseCases } from "./routes/push.ts";
import { addRecordingRoutes } from "./routes/recordings.ts";
import { addReportRoutes } from "./routes/reports.ts";
import type { ApiPause } from "./server/api-pause.ts";
import { withoutBasePath } from "./server/base-path.ts";
import { ConnectionGuard, type CutReason } from "./server/connection-guard.ts";
import type { PlaceLimits } from "./server/connection-places.ts";
import { crossOrigin } from "./server/cross-origin.ts";
import { DashboardAssets } from "./server/dashboard-assets.ts";
import { isHeadUnknown } from "./server/head-requests.ts";
import type { Health } from "./server/health.ts";
import { type HostNames, hostCheck } from "./server/host-names.ts";
import { listenerFactory, REQUEST_TIMEOUT_MS } from "./server/listener.ts";
import type { LoginPlace, MetricsSource } from "./server/metrics-page.ts";
import { traceRequests } from "./server/request-traces.ts";

/** As long as a request line can be: an id that is too long is not found, like any other wrong id. */
const PARAM_CHARACTERS_MAX = 16_384;

const MS_PER_SECOND = 1_000;

/** A single server knows of no others. */
const NO_NODES: Nodes = { list: async () => [], drain: async () => undefined, moveChannels: async () => undefined };

const TRACE_ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TRACE_ID_LENGTH = 26;

/** What servers that share a database tell each other of access keys and sessions. */
export type KeyNews = {
  readonly tell: () => void;
  /** Call once. `take`: another server told. */
  readonly listen: (take: () => void) => void;
};

export type HttpServerOptions = {
  readonly service: Service;
  readonly dashboard: DashboardAccess;
  /** Push notifications of the dashboard. */
  readonly push: PushUseCases;
  /** Distinguishes this installation from others on the same host: they share a browser's cookies. */
  readonly instance: string;
  /** The path at which a reverse proxy serves it, such as `/fanfare`; empty: the root. */
  readonly basePath: string;
  /** Origins whose pages may send the API's headers. */
  readonly allowedOrigins: readonly string[];
  /** The source of previews and keyframes. */
  readonly runtime: Pick<Runtime, "watch" | "keyframe">;
  /** Decides who may open one. */
  readonly previewAccess: PreviewAccess;
  /** The folder of the built dashboard; may be missing. */
  readonly applicationFolder: string;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly log: Log;
  /** Called for each answer, since the ports may not be known before. */
  readonly publishAddresses: () => PublishAddresses;
  readonly publishStatusName: PublishStatusName;
  /** Call 20; its streams end when the server closes. */
  readonly live: LiveStream;
  readonly events: EventUseCases;
  /** Keeps who changed what. */
  readonly audit: { readonly store: Pick<AuditStore, "listAudit">; readonly log: AuditLog };
  /** The library of media files, and channels' sources. */
  readonly media: MediaFileUseCases;
  readonly recordings: Recordings;
  readonly limits: HttpLimits;
  /** The servers that share the database; absent: a single one. */
  readonly nodes?: Nodes;
  /** How they tell each other that access keys or sessions have ended. */
  readonly keyNews?: KeyNews;
  /** The host names it answers to. */
  readonly hosts: HostNames;
  /** Answers 503 while another process takes over. */
  readonly pause: ApiPause;
  /** Learns that the server closes as soon as it does. */
  readonly health: Health;
  /** Takes the latency of every answer. */
  readonly metrics: MetricsSource;
  /** False where `/metrics` has a server of its own. */
  readonly areMetricsHere: boolean;
  /** Called when the system returned an error instead of a connection. */
  readonly onAcceptError?: (error: Error) => void;
  /** Absent: plain HTTP. */
  readonly tls?: CertificatePair;
  /** Absent: requests are not traced. */
  readonly traces?: SpanDeps;
};

export type HttpLimits = Pick<
  ApiGuardOptions,
  "requestsPerSecond" | "failedLoginsPerMinute" | "replayProtection" | "sharedGuards"
> & {
  /** Networks of the proxies whose `X-Forwarded-For` is trusted, comma-separated; empty: none. */
  readonly trustedProxies: string;
  /** Event streams that one access key may have open. */
  readonly eventStreamsPerKey: number;
  /** The limits of connections, where they are not the defaults. */
  readonly places?: Partial<PlaceLimits>;
};

/** The HTTP side, built but not listening: the caller calls `listen()` and `close()`. */
export function buildHttpServer(options: HttpServerOptions): FastifyInstance {
  const { randomBytes, log, limits } = options;
  const newTraceId = () => randomText(TRACE_ID_LENGTH, TRACE_ID_CHARACTERS, randomBytes);
  const guard = guardOf(options);
  const server = fastify({
    logger: false,
    genReqId: newTraceId,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    trustProxy: limits.trustedProxies === "" ? false : limits.trustedProxies,
    // A request on an open connection while the server stops is answered in the contract's form, and the connection is
    // closed.
    return503OnClosing: false,
    serverFactory: listenerFactory({
      guard,
      onAcceptError: options.onAcceptError ?? (() => undefined),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      // Node would answer 417 by itself, without our headers.
      onExpectation: (response) => answerExpectation(response, newTraceId(), log),
    }),
    exposeHeadRoutes: true,
    rewriteUrl: ({ url = "" }) => withoutBasePath(url, options.basePath),
    routerOptions: { maxParamLength: PARAM_CHARACTERS_MAX },
    frameworkErrors: (_error, request, reply) => {
      logRequest(log, request, reply, 400);
      sendError(reply, { answer: unreadable(), isUnexpected: false });
    },
    clientErrorHandler: (error, socket) => answerUnreadable(error, socket, newTraceId(), log),
  });

  server.decorateRequest("caller", undefined);
  server.decorateRequest("audit", undefined);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  server.setErrorHandler((error, request, reply) => {
    const answer = answerForError(error, request.routeOptions.bodyLimit);
    if (answer.isUnexpected) logUnexpected(log, error, request);
    sendError(reply, answer);
  });
  options.pause.watch(server);
  // First of all, whatever the route.
  server.addHook("onRequest", showTrace);
  server.addHook(
    "onRequest",
    hostCheck(options.hosts, log, () => options.clock.now()),
  );
  server.addHook("onRequest", crossOrigin(options.allowedOrigins));
  const application = new DashboardAssets(options.applicationFolder, options.basePath);
  // Before any body is read: an unknown URL is reported before a body that is too large.
  server.addHook("onRequest", (request, _reply, done) =>
    done(isUrlKnown(request) || application.serves(request) ? undefined : urlNotFound()),
  );
  server.setNotFoundHandler((request, reply) => {
    if (!application.serves(request)) throw urlNotFound();
    return application.send(request, reply);
  });
  server.addHook("onResponse", (request, reply, done) => {
    logRequest(log, request, reply, reply.statusCode);
    measure(options.metrics, request, reply);
    done();
  });

  const previews = new Previews(options.runtime);
  // An open stream would keep the server from closing.
  server.addHook("preClose", (done) => {
    options.health.drain();
    options.live.close();
    previews.close();
    done();
  });

  addRoutes(server, options, { previews, guard });
  return server;
}

type Shared = { readonly previews: Previews; readonly guard: ConnectionGuard };

function addRoutes(server: FastifyInstance, options: HttpServerOptions, { previews, guard }: Shared): void {
  const { service, clock } = options;
  addHealthRoutes(server, options.health);
  addDocsRoutes(server, options.basePath);
  addPreviewRoute(server, { service, access: options.previewAccess, previews, guard });
  const cookies = new DashboardCookies(options.instance, options.basePath);
  const { keyNews } = options;
  const goneKeys = (owners: ReadonlySet<string>) =>
    service.accessKeys.goneAmong([...owners].filter((owner) => !isSessionOwner(owner)));
  const downloads = new Downloads();
  const revocations = new Revocations({
    ...{ clock, dashboard: options.dashboard, lasting: [options.live, options.previewAccess, downloads] },
    ...(keyNews === undefined ? {} : { otherNodes: { goneKeys, tell: () => keyNews.tell() } }),
  });
  revocations.start();
  keyNews?.listen(() => void revocations.look());
  server.addHook("onClose", async () => revocations.close());
  const onFailedLogin = (where: LoginPlace) => (remoteAddress: string) => {
    options.metrics.failedLogin(where);
    options.log.warn("login failed", { where, remoteAddress });
  };
  addDashboardRoutes(server, {
    ...{ access: options.dashboard, cookies, revocations, clock, guard, auditLog: options.audit.log },
    onFailedLogin: onFailedLogin("dashboard"),
    sharedGuards: options.limits.sharedGuards,
  });
  addPushRoutes(server, { push: options.push, access: options.dashboard, cookies });
  if (options.areMetricsHere) addMetricsRoute(server, options.metrics, service, clock);
  const gate = new ApiGuard({
    ...{ service, dashboard: options.dashboard, cookies, clock, guard, onFailedLogin: onFailedLogin("api") },
    basePath: options.basePath,
    ...options.limits,
  });
  addApis(server, { gate, revocations, downloads }, options);
}

function guardOf({ clock, limits: { trustedProxies, places }, metrics }: HttpServerOptions): ConnectionGuard {
  const onCut = (reason: CutReason) => metrics.connectionCut(reason);
  return new ConnectionGuard({ clock, trustedProxies, ...(places === undefined ? {} : { limits: places }), onCut });
}

type Checks = { readonly gate: ApiGuard; readonly revocations: Revocations; readonly downloads: Downloads };

/** The API under each of its prefixes. */
function addApis(server: FastifyInstance, checks: Checks, parts: HttpServerOptions): void {
  for (const { prefix, region } of API_PREFIXES) {
    server.register(
      (api, _options, done) => {
        addApi(api, region, checks, parts);
        done();
      },
      { prefix },
    );
  }
}

/** One prefix of the API. Its checks run only for its own URLs, so an unknown URL is reported before anything else. */
function addApi(
  api: FastifyInstance,
  region: RegionCode,
  { gate, revocations, downloads }: Checks,
  options: HttpServerOptions,
): void {
  const { service, publishAddresses, publishStatusName, traces } = options;
  if (traces !== undefined) traceRequests(api, traces);
  api.addHook("onRequest", async (request) => {
    request.caller = await gate.pass(request);
    const code = request.headers["x-ncp-region_code"];
    const problem = regionError(typeof code === "string" ? code : undefined, region);
    if (problem !== undefined) throw new RequestRefusedError(problem);
    // Every body is read as JSON. Fastify would refuse a content type that it cannot parse.
    delete request.raw.headers["content-type"];
  });
  // A body may take half a minute to arrive.
  api.addHook("preHandler", (request) => gate.passAgain(request));
  auditRequests(api, { log: options.audit.log, clock: options.clock });
  const { basePath } = options;
  const context: RouteContext = { service, publishAddresses, publishStatusName, basePath, revocations };
  addChannelRoutes(api, context);
  addPlatformRoutes(api, context);
  addPreviewTokenRoute(api, context, options.previewAccess);
  addKeyframeRoute(api, context, options.runtime);
  addPresetRoutes(api, context);
  addAccessKeyRoutes(api, context);
  addNodeRoutes(api, options.nodes ?? NO_NODES);
  addLiveRoutes(api, context, options);
  addEventRoutes(api, context, options.events);
  addAuditRoutes(api, options.audit.store);
  addReportRoutes(api, context, options.events);
  addRecordingRoutes(api, context, options.recordings, downloads);
  addCallbackRoutes(api, context, options.events);
  addContactRoutes(api, options.events.contacts);
  addMediaFileRoutes(api, options.media);
  addSourceRoutes(api, context, options.media);
  addScheduleRoutes(api, context, options.media);
  addSlateRoutes(api, context, options.media);
}

/** The router lets `/channels/` through as a channel with an empty id. */
function isUrlKnown(request: FastifyRequest): boolean {
  if (isHeadUnknown(request.method, request.routeOptions.url)) return false;
  return !request.is404 && !Object.values(request.params ?? {}).includes("");
}

function urlNotFound(): RequestRefusedError {
  return new RequestRefusedError(gatewayError("URL_NOT_FOUND", "URL not found."));
}

/** An event stream lasts as long as its reader stays: its duration is no latency. */
function measure(metrics: MetricsSource, request: FastifyRequest, reply: FastifyReply): void {
  if (request.routeOptions.config.isStream === true) return;
  const { method, routeOptions } = request;
  const route = routeOptions.url ?? "none";
  metrics.request({ method, route, status: reply.statusCode, seconds: reply.elapsedTime / MS_PER_SECOND });
}

/** One line for each request. It has the route's pattern, not the URL: a query may hold anything. */
function logRequest(log: Log, request: FastifyRequest, reply: FastifyReply, status: number): void {
  log.info("http-request", {
    traceId: request.id,
    method: request.method,
    route: request.routeOptions?.url ?? "none",
    status,
    durationMs: Math.round(reply.elapsedTime),
    accessKeyId: request.caller?.accessKeyId,
  });
}

function logUnexpected(log: Log, error: unknown, request: FastifyRequest): void {
  log.error("http-unexpected-error", {
    traceId: request.id,
    error: error instanceof Error ? (error.stack ?? error.message) : typeof error,
  });
}

/** The answer to bytes that never become a request. */
function unreadableAnswer(traceId: string) {
  const { status, body } = unreadable();
  const text = JSON.stringify(body);
  const headers = {
    ...answerHeaders(traceId),
    ...GATEWAY_ORIGIN_HEADER,
    "content-length": String(Buffer.byteLength(text)),
    connection: "close",
  };
  return { status, text, headers };
}

/** Only `100-continue` is supported. Whether the client sends its body anyway is not known, so the connection ends. */
function answerExpectation(response: ServerResponse, traceId: string, log: Log): void {
  const { status, text, headers } = unreadableAnswer(traceId);
  response.writeHead(status, headers).end(text);
  log.info("http-unreadable", { traceId, status, code: "EXPECTATION" });
}

/** Bytes that are not HTTP never become a request: the answer is written by hand, and the connection ends. */
function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, traceId: string, log: Log): void {
  // An error below HTTP, in TLS, cannot be answered in HTTP.
  const isBelowHttp = error.code === "ECONNRESET" || /^ERR_(SSL|TLS)_/.test(error.code ?? "");
  if (isBelowHttp || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, text, headers } = unreadableAnswer(traceId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  // Node no longer reads the socket, so its end is never seen: the guard closes it.
  socket.end(`HTTP/1.1 ${status} Bad Request\r\n${lines.join("")}\r\n${text}`);
  log.info("http-unreadable", { traceId, status, code: error.code });
}
