import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { liveMessages } from "../../../src/cli/api/live-events.ts";

const message = (id: number): string => `id: ${id}\nevent: event\ndata: {"number":${id}}\n\n`;

/** A server that treats its connections one after another like this; its address. */
async function served(...treatments: readonly RequestListener[]): Promise<string> {
  const left = [...treatments];
  const server = createServer((request, response) => left.shift()?.(request, response));
  onTestFinished(() => void server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

test("a stream that breaks off is opened again where it was, also while a proxy says that the server is away", async () => {
  const asked: unknown[] = [];
  const server = await served(
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(message(1), () => response.destroy());
    },
    (_request, response) => response.writeHead(502).end("<html>Bad Gateway</html>"),
    (request, response) => {
      asked.push(request.headers["last-event-id"]);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(message(2));
    },
  );
  const messages = liveMessages({ server, secretKey: "secret" }, 0);
  expect((await messages.next()).value).toEqual({ event: "event", data: { number: 1 } });
  for (let tries = 0; tries < 2; tries += 1) expect((await messages.next()).value).toMatchObject({ event: "lost" });
  expect((await messages.next()).value).toEqual({ event: "event", data: { number: 2 } });
  expect(asked).toEqual(["1"]);
  await messages.return(undefined);
});

test("a key that is refused ends it, and so does a server that never answered", async () => {
  const refused = await served(
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(message(1));
    },
    (_request, response) => response.writeHead(401).end("{}"),
  );
  const messages = liveMessages({ server: refused, secretKey: "secret" }, 0);
  await messages.next();
  await messages.next();
  await expect(messages.next()).rejects.toMatchObject({ exitCode: 3 });
  const away = await served((_request, response) => response.writeHead(502).end());
  await expect(liveMessages({ server: away, secretKey: "secret" }, 0).next()).rejects.toMatchObject({ exitCode: 1 });
});
