import { createServer, type Server } from "node:http";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { freePort } from "./free-port.ts";

const value = z.object({ stringValue: z.string().optional(), intValue: z.int().optional() });
const attributes = z.array(z.object({ key: z.string(), value }));
const span = z.object({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z.string().optional(),
  name: z.string(),
  startTimeUnixNano: z.string().regex(/^\d{19}$/),
  endTimeUnixNano: z.string().regex(/^\d{19}$/),
  attributes,
  status: z.object({ code: z.int(), message: z.string().optional() }),
});
const exported = z.object({
  resourceSpans: z.array(
    z.object({ resource: z.object({ attributes }), scopeSpans: z.array(z.object({ spans: z.array(span) })) }),
  ),
});

/** A span as it arrived, with what it comes from. */
export type ReceivedSpan = z.infer<typeof span> & { readonly resource: Readonly<Record<string, unknown>> };

/** The attributes of a span or a resource by their names. */
export const valuesOf = (list: z.infer<typeof attributes>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(list.map((each) => [each.key, each.value.stringValue ?? each.value.intValue]));

/** Takes traces as an OpenTelemetry collector does, over HTTP, until the test is over. */
export class OtlpReceiver {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly bodies: readonly string[];
  /** The method, path, type and login of each request. */
  readonly heads: readonly string[];

  private constructor(endpoint: string, bodies: readonly string[], heads: readonly string[]) {
    this.endpoint = endpoint;
    this.bodies = bodies;
    this.heads = heads;
  }

  static async start(finished: (run: () => void) => void = onTestFinished): Promise<OtlpReceiver> {
    const bodies: string[] = [];
    const heads: string[] = [];
    const server: Server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        heads.push(`${request.method} ${request.url} ${request.headers["content-type"]} ${request.headers["x-login"]}`);
        bodies.push(Buffer.concat(chunks).toString());
        response.end("{}");
      });
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    finished(() => void server.close().closeAllConnections());
    return new OtlpReceiver(`http://127.0.0.1:${port}`, bodies, heads);
  }

  /** Everything that came so far. */
  spans(): readonly ReceivedSpan[] {
    const batches = this.bodies.flatMap((body) => exported.parse(JSON.parse(body)).resourceSpans);
    return batches.flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((each) => ({ ...each, resource: valuesOf(resource.attributes) }))),
    );
  }

  /** The span of this trace whose name begins so, once it is there. */
  named(traceId: string, name: string): ReceivedSpan | undefined {
    return this.spans().find((each) => each.traceId === traceId && each.name.startsWith(name));
  }
}
