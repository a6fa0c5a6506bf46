import { writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { certificate } from "../stages/certificates.ts";
import type { Stage } from "../stages/stage.ts";

const HOST = "127.0.0.1";

type Pushed = { readonly path: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer };

/**
 * A push service over HTTPS on the loopback, which answers with `service.status`. `authority`: the file that servers need
 * in `NODE_EXTRA_CA_CERTS`.
 */
export async function openPushService(stage: Stage) {
  const pair = certificate(HOST);
  const authority = join(stage.folder, "push-service.pem");
  await writeFile(authority, pair.cert);
  const pushed: Pushed[] = [];
  const service = { status: 201 };
  const server = createServer(pair, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      pushed.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(service.status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  stage.onClose(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { authority, pushed, service, origin: `https://${HOST}:${port}` };
}
