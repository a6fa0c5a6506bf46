import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { followEvents } from "../../../src/cli/api/events.ts";
import { liveMessages } from "../../../src/cli/api/live-events.ts";
import { createFanfareClient } from "../../../src/client/client.ts";

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

test("what happened in a gap of the stream is read from the list, each event once, and nothing from before", async () => {
  const lists = [[5, 4], [9, 8, 7, 6, 5], []].map((ids) => ids.map((id) => ({ id })));
  const client = createFanfareClient({
    ...{ server: "http://fanfare.example", secretKey: "secret" },
    fetch: async () => Response.json({ content: lists.shift(), total: 9 }),
  });
  async function* messages() {
    yield { event: "snapshot", data: {} };
    for (const id of [6, 7]) yield { event: "event", data: { id } };
    yield { event: "lost", data: undefined };
    yield { event: "snapshot", data: {} };
    for (const id of [9, 10]) yield { event: "event", data: { id } };
    yield { event: "snapshot", data: {} };
  }
  const ids: number[] = [];
  for await (const { id } of followEvents(client, messages())) ids.push(id);
  expect(ids).toEqual([6, 7, 8, 9, 10]);
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

test("a page in place of the live stream is a failure, not a stream that is opened for ever", async () => {
  const server = await served((_request, response) => void response.end("<html>hello</html>"));
  const messages = liveMessages({ server, secretKey: "secret" }, 0);
  await expect(messages.next()).rejects.toMatchObject({
    exitCode: 1,
    message: "what answers at this address is not Fanfare: look at the address, its path and its port.",
  });
});
