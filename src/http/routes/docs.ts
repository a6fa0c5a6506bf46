import type { FastifyInstance } from "fastify";
import { DOCS_POLICY, docsPage } from "../docs-page.ts";
import { openApiDocument } from "../openapi.ts";

/** The API described: for programs at `/openapi.json`, for people at `/docs`. Unsigned; the same on every server of a version. */
export function addDocsRoutes(server: FastifyInstance): void {
  // Made when first asked for: most servers never are.
  let document: string | undefined;
  let page: string | undefined;
  server.get("/openapi.json", async (_request, reply) => {
    document ??= JSON.stringify(openApiDocument());
    return reply
      .headers({
        "content-type": "application/json;charset=utf-8",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
      })
      .send(document);
  });
  server.get("/docs", async (_request, reply) => {
    page ??= docsPage();
    return reply
      .headers({
        "content-type": "text/html;charset=utf-8",
        "content-security-policy": DOCS_POLICY,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
      })
      .send(page);
  });
}
