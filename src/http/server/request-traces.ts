import type { FastifyInstance, FastifyRequest } from "fastify";
import { runWithin } from "../../thread-protocol/traces/current-trace.ts";
import { OpenSpan, type SpanDeps } from "../../thread-protocol/traces/open-span.ts";
import { parseTraceParent } from "../../thread-protocol/traces/trace-parent.ts";
import type { SpanAttributes } from "../../thread-protocol/traces/traces.ts";

/** Makes a span of each request to these routes, inside the caller's trace where it has one. Event streams have none. */
export function traceRequests(routes: FastifyInstance, deps: SpanDeps): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  routes.addHook("onRequest", (request, _reply, done) => {
    const span = begin(request, deps);
    if (span !== undefined) spans.set(request, span);
    done();
  });
  // After the body was read: what reads it does not keep the storage.
  routes.addHook("preHandler", (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else runWithin(span, done);
  });
  routes.addHook("onResponse", (request, { statusCode }, done) => {
    const error = statusCode >= 500 ? `${statusCode}` : undefined;
    spans.get(request)?.end({ "http.response.status_code": statusCode }, error);
    done();
  });
}

function begin(request: FastifyRequest, deps: SpanDeps): OpenSpan | undefined {
  const { method, routeOptions, headers } = request;
  if (routeOptions.config.isStream === true) return undefined;
  const parent = parseTraceParent(headers["traceparent"]);
  const route = routeOptions.url ?? "none";
  return new OpenSpan(deps, {
    ...{ name: `${method} ${route}`, kind: "server", parent },
    attributes: { "http.request.method": method, "http.route": route, ...idsOf(request) },
  });
}

/** Ids only: the rest of the address may hold anything. */
function idsOf({ id, params }: FastifyRequest): SpanAttributes {
  const { channelId, platformId } = params as Readonly<Record<string, string | undefined>>;
  return {
    "fanfare.trace_id": id,
    ...(channelId === undefined ? {} : { "fanfare.channel_id": channelId }),
    ...(platformId === undefined || !/^\d{1,15}$/.test(platformId)
      ? {}
      : { "fanfare.platform_id": Number(platformId) }),
  };
}
