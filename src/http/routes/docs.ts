import type { FastifyInstance } from "fastify";
import { DOCS_POLICY, docsPage } from "../answers/docs-page.ts";
import { openApiDocument } from "../answers/openapi.ts";
import { sendBytes } from "../answers/reply.ts";

/**
 * The description of the API: for programs at `/openapi.json`, for people at `/docs`. Without authentication; the same
 * on every server of one version and base path.
 */
export function addDocsRoutes(server: FastifyInstance, basePath: string): void {
  // Made when first asked for: most servers are never asked.
  let document: Buffer | undefined;
  let page: Buffer | undefined;
  server.get("/openapi.json", async (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(openApiDocument(basePath)));
    reply.headers({
      "content-type": "application/json;charset=utf-8",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
    });
    return sendBytes(reply, document);
  });
  server.get("/docs", async (_request, reply) => {
    page ??= Buffer.from(docsPage());
    reply.headers({
      "content-type": "text/html;charset=utf-8",
      "content-security-policy": DOCS_POLICY,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    return sendBytes(reply, page);
  });
}
