import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { allChannels } from "../../../src/cli/api/channels.ts";
import { contentOf } from "../../../src/cli/api/exit-codes.ts";
import { createFanfareClient } from "../../../src/client/client.ts";

const named = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ channelId: `ls-${from + index}` }));

/** A client whose lists are these, one after another. */
function listing(...pages: readonly { readonly content: readonly object[]; readonly total: number }[]) {
  const left = [...pages];
  const asked: string[] = [];
  const client = createFanfareClient({
    ...{ server: "http://fanfare.example", secretKey: "secret" },
    fetch: async ({ url }) => {
      asked.push(new URL(url).searchParams.get("pageNo") ?? "");
      return Response.json(left.shift());
    },
  });
  return { client, asked };
}

test("a list is read again where a channel went between two of its pages, and has none twice where one came", async () => {
  const { client, asked } = listing(
    // One of the first page was deleted: ls-100 moved to the first page, and nobody read it.
    { content: named(0, 100), total: 102 },
    { content: named(101, 1), total: 101 },
    // One came, and one that was still to be read went.
    { content: named(0, 100), total: 102 },
    { content: named(99, 2), total: 102 },
    // One came: ls-99 is there a second time.
    { content: named(0, 100), total: 102 },
    { content: named(99, 3), total: 103 },
  );
  expect(await allChannels(client)).toEqual(named(0, 102));
  expect(asked).toEqual(["1", "2", "1", "2", "1", "2"]);
});

test("a list without a page, with a full one, and one that never stands still", async () => {
  expect(await allChannels(listing({ content: [], total: 0 }).client)).toEqual([]);
  expect(await allChannels(listing({ content: named(0, 100), total: 100 }).client)).toHaveLength(100);
  const moving = Array.from({ length: 10 }, () => ({ content: named(0, 1), total: 2 }));
  await expect(allChannels(listing(...moving).client)).rejects.toMatchObject({ exitCode: 1 });
});

test("a change that a proxy sends elsewhere is told, and no POST becomes a GET", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url?.split("?", 1)[0]}`);
    if (request.url?.startsWith("/new") === true) return response.end('{"content":[{"accessKey":"A"}],"total":1}');
    return response.writeHead(301, { location: `/new${request.url}` }).end("<html>Moved</html>");
  });
  onTestFinished(() => void server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const client = createFanfareClient({ server: origin, secretKey: "secret" });
  const body = { role: "viewer" } as const;
  const message =
    "the server answered 301 and leads to /new/api/v2/access-keys: nothing was changed. " +
    "Sign in at that address (fanfare login URL).";
  await expect(contentOf(client.POST("/access-keys", { body }))).rejects.toMatchObject({ exitCode: 1, message });
  expect(await contentOf(client.GET("/access-keys"))).toEqual([{ accessKey: "A" }]);
  expect(asked).toEqual(["POST /api/v2", "GET /api/v2", "GET /new/api/v2"].map((call) => `${call}/access-keys`));
});
