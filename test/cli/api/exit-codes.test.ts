import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { allChannels } from "../../../src/cli/api/channels.ts";
import { contentOf, contentUnlessGone } from "../../../src/cli/api/exit-codes.ts";
import { chosenProfile } from "../../../src/cli/api/profiles.ts";
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

/** A client of a server that says this to everything. */
const answering = (status: number, body: string, type = "application/json") =>
  createFanfareClient({
    ...{ server: "http://fanfare.example", secretKey: "secret" },
    fetch: async () => new Response(status === 204 ? null : body, { status, headers: { "content-type": type } }),
  });

test("a server that says 200 to everything is not taken for Fanfare, and nothing counts as done", async () => {
  const message = "what answers at this address is not Fanfare: look at the address, its path and its port.";
  const answers = [
    [200, "<html>hello</html>", "text/html"],
    ...["{}", "null", "[]", '"ok"', ""].map((body) => [200, body] as const),
    [204, ""],
  ] as const;
  const params = { params: { path: { accessKey: "A" } } };
  for (const [status, body, type] of answers) {
    const client = answering(status, body, type);
    const failure = { exitCode: 1, message };
    await expect(contentOf(client.DELETE("/access-keys/{accessKey}", params)), body).rejects.toMatchObject(failure);
    await expect(allChannels(client), body).rejects.toMatchObject(failure);
  }
  for (const body of ['{"content":{}}', '{"content":[]}'])
    await expect(allChannels(answering(200, body)), body).rejects.toMatchObject({ exitCode: 1, message });
});

test("only Fanfare's own word that something is not there counts, not the 404 of a proxy or of an older server", async () => {
  const path = { params: { path: { channelId: "ls-1" } } };
  const gone = (status: number, body: string, type?: string) =>
    contentUnlessGone(answering(status, body, type).GET("/re-stream/channels/{channelId}/schedules", path));
  const notFound = { errorCode: 250004, message: "Channel not found.", errorName: "NOT_FOUND" };
  expect(await gone(404, JSON.stringify({ error: notFound }))).toBeUndefined();
  const unknown = { errorCode: "300", message: "Not Found Exception", details: "URL not found." };
  await expect(gone(404, JSON.stringify({ error: unknown }))).rejects.toMatchObject({
    ...{ exitCode: 1, message: "Not Found Exception URL not found." },
  });
  await expect(gone(404, "default backend - 404", "text/plain")).rejects.toMatchObject({
    ...{ exitCode: 1, message: "the server answered 404" },
  });
});

test("what another server says of a failure does nothing to a terminal, and is not longer than a sentence", async () => {
  const failure = async (error: unknown) =>
    contentOf(answering(400, JSON.stringify({ error })).GET("/access-keys")).then(
      () => "",
      (problem: unknown) => (problem instanceof Error ? problem.message : ""),
    );
  expect(await failure({ message: "\u001b[31mred\n\u0007", details: "x" })).toBe("[31mred   x");
  expect(await failure({ message: { a: 1 }, details: [1] })).toBe("the server answered 400");
  expect(await failure("plain text")).toBe("the server answered 400");
  expect(await failure({ message: "x".repeat(5_000) })).toHaveLength(1_000);
});

test("a secret key that no header takes is refused without being repeated", async () => {
  const secretKey = "TOP-SECRET\nline";
  const client = createFanfareClient({ server: "http://fanfare.example", secretKey });
  await expect(client.GET("/access-keys")).rejects.toThrow("The secret key has characters that cannot be sent.");
  const environment = { FANFARE_URL: "http://fanfare.example", FANFARE_SECRET_KEY: secretKey };
  const message = "the secret key has blanks, line breaks or other characters that no key has: copy it again.";
  expect(() => chosenProfile(environment, undefined)).toThrow(message);
  // Signed requests prove any secret, and send none.
  const signing = { ...environment, FANFARE_ACCESS_KEY: "A" };
  expect(chosenProfile(signing, undefined)).toEqual({ server: "http://fanfare.example", secretKey, accessKey: "A" });
});
