import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { S3Store } from "../../src/recording/upload/s3-store.ts";

/** A store at a service that answers so. */
async function storeAt(answer: RequestListener) {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const keys = { accessKey: "key", secretKey: "the-secret" };
  return new S3Store({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", bucket: "recordings", ...keys });
}

const xml = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>its words</Message></Error>`;

test.each([
  { status: 404, code: "NoSuchUpload", failure: "forgotten" },
  { status: 400, code: "InvalidPart", failure: "forgotten" },
  { status: 400, code: "InvalidPartOrder", failure: "forgotten" },
  { status: 400, code: "EntityTooSmall", failure: "forgotten" },
  { status: 200, code: "InternalError", failure: "unreachable" },
  { status: 403, code: "AccessDenied", failure: "refused" },
  { status: 404, code: "NoSuchBucket", failure: "refused" },
  { status: 503, code: "SlowDown", failure: "unreachable" },
])("the end of an upload that is answered with $status and $code is $failure", async ({ status, code, failure }) => {
  const store = await storeAt((_request, response) => response.writeHead(status).end(xml(code)));
  await expect(store.complete("a.mp4", "upload", ["tag"])).rejects.toMatchObject({ failure });
});

test.each([200, 500])("an answer without an end, with %i, is not read into memory", async (status) => {
  let sent = 0;
  const store = await storeAt((_request, response) => {
    response.writeHead(status, { "content-type": "application/xml" });
    const part = Buffer.alloc(64 * 1024, "<a>");
    const more = () => {
      do sent += part.length;
      while (response.write(part) && sent < 2 ** 30);
      if (sent < 2 ** 30) response.once("drain", more);
      else response.end();
    };
    more();
  });
  await expect(store.begin("a.mp4", "video/mp4")).rejects.toMatchObject({ failure: "unreachable" });
  // What waits in sockets comes on top of what is read.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test("what is no S3 service is told in words of its own", async () => {
  const store = await storeAt((_request, response) =>
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><p>Console"),
  );
  const error: unknown = await store.begin("a.mp4", "video/mp4").catch((reason: unknown) => reason);
  expect(error).toMatchObject({ failure: "unreachable" });
  expect(String(error)).not.toContain("the-secret");
});
