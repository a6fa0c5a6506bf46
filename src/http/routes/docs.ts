import type { FastifyInstance } from "fastify";
import { sendBytes } from "../answers/reply.ts";

type DocsPage = { readonly bytes: Buffer; readonly policy: string };

/**
 * The description of the API: for programs at `/openapi.json`, for people at `/docs`. Without authentication; the same
 * on every server of one version and base path.
 */
export function addDocsRoutes(server: FastifyInstance, basePath: string): void {
  // Loaded and made when first asked for: most servers are never asked, and the schemas of all answers take memory.
  let document: Buffer | undefined;
  let page: DocsPage | undefined;
  server.get("/openapi.json", async (_request, reply) => {
    document ??= await openApi(basePath);
    reply.headers({
      "content-type": "application/json;charset=utf-8",
      "access-control-allow-origin": "*",
      "x-content-type-options": "nosniff",
    });
    return sendBytes(reply, document);
  });
  server.get("/docs", async (_request, reply) => {
    page ??= await docsPage();
    reply.headers({
      "content-type": "text/html;charset=utf-8",
      "content-security-policy": page.policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    return sendBytes(reply, page.bytes);
  });
}

async function openApi(basePath: string): Promise<Buffer> {
  const { openApiDocument } = await import("../answers/openapi.ts");
  return Buffer.from(JSON.stringify(openApiDocument(basePath)));
}

async function docsPage(): Promise<DocsPage> {
  const page = await import("../answers/docs-page.ts");
  return { bytes: Buffer.from(page.docsPage()), policy: page.DOCS_POLICY };
}
