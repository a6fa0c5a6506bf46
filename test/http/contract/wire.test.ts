import { once } from "node:events";
import { request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Api, CHANNEL, CHANNELS, MANAGER } from "../api.ts";

let api: Api;
let port = 0;
beforeEach(async () => {
  api = await Api.open();
  await api.server.listen({ host: "127.0.0.1", port: 0 });
  const address = api.server.server.address() as AddressInfo;
  port = address.port;
});
afterEach(() => api.close());

/** Sends the target as it is given: no client library between. */
async function send(method: string, path: string, headers: Record<string, string>, chunks: readonly Buffer[] = []) {
  const outgoing = request({ host: "127.0.0.1", port, method, path, headers });
  const answered = once(outgoing, "response");
  for (const chunk of chunks) outgoing.write(chunk);
  outgoing.end();
  const [response] = await answered;
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
}

/** Everything the server sends for these bytes, until it closes. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    text += part;
  });
  socket.write(bytes);
  await once(socket, "close");
  return text;
}

test.each([
  "?pageNo=1&pageSizeNo=20",
  "?pageSizeNo=20&pageNo=1",
  "?channelName=%ea%B0%80",
  "?channelName=a+b%20c",
  "?x=1&x=2&&=&y",
  "?",
  "?channelName=%7E~",
  "?a=b?c=/d//e/../f",
])("the target %s is signed as it stands on the request line", async (query) => {
  const target = `${CHANNELS}${query}`;
  expect((await send("GET", target, api.signedHeaders("GET", target))).status).toBe(200);
  const other = target.includes("%") ? decodeURIComponent(target) : `${target}&`;
  expect((await send("GET", target, api.signedHeaders("GET", other))).status).toBe(401);
});

test("a channel's id may be escaped, as long as that is what is signed", async () => {
  const { channelId } = await api.create();
  const escaped = `${CHANNELS}/${channelId.replaceAll("-", "%2D")}/platforms`;
  expect((await send("GET", escaped, api.signedHeaders("GET", escaped))).status).toBe(200);
  expect((await send("GET", escaped, api.signedHeaders("GET", decodeURIComponent(escaped)))).status).toBe(401);
});

test("a body that comes in chunks is read, and cut off over 1 MiB", async () => {
  const bytes = Buffer.from(JSON.stringify(CHANNEL));
  const parts = [bytes.subarray(0, 20), bytes.subarray(20)];
  expect((await send("POST", CHANNELS, api.signedHeaders("POST", CHANNELS), parts)).status).toBe(200);
  const large = Array.from({ length: 17 }, () => Buffer.alloc(65_536, " "));
  const refused = await send("POST", CHANNELS, api.signedHeaders("POST", CHANNELS), large);
  expect(refused.status).toBe(413);
  expect(refused.body.error).toMatchObject({ errorCode: "430" });
});

test("a request whose key is deleted while its body is on the way is refused when the body is there", async () => {
  const body = JSON.stringify(CHANNEL);
  const made = await api.post("/api/v2/access-keys", { role: "manager" });
  const { accessKey: accessKeyId, secretKey } = made.body.content;
  const headers = api.signedHeaders("POST", CHANNELS, { accessKeyId, secretKey });
  const lookUp = vi.spyOn(api.store, "findAccessKey");
  const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: CHANNELS, headers });
  const answered = once(outgoing, "response");
  outgoing.write(body.slice(0, 10));
  await expect.poll(() => lookUp.mock.calls.length).toBe(1);
  await api.delete(`/api/v2/access-keys/${accessKeyId}`);
  api.clock.advance(1_000);
  outgoing.end(body.slice(10));
  const [response] = await answered;
  expect(response.statusCode).toBe(401);
  expect((await api.get(CHANNELS)).body.total).toBe(0);
});

test.each([
  { what: "signs out", signsOut: true, status: 401, total: 0 },
  { what: "stays signed in", signsOut: false, status: 200, total: 1 },
])("a request whose browser $what while its body is on the way gets $status", async ({ signsOut, status, total }) => {
  const body = JSON.stringify(CHANNEL);
  const token = (await api.dashboard.setUp((await api.dashboard.offerSetup()) ?? "", "correct horse")) ?? "";
  const cookie = `fanfare_session_test=${token}`;
  const headers = { host: "127.0.0.1", origin: "http://127.0.0.1", "content-type": "application/json", cookie };
  const lookUp = vi.spyOn(api.dashboard, "sessionOf");
  const outgoing = request({ host: "127.0.0.1", port, method: "POST", path: CHANNELS, headers });
  const answered = once(outgoing, "response");
  outgoing.write(body.slice(0, 10));
  await expect.poll(() => lookUp.mock.calls.length).toBe(1);
  if (signsOut) await api.dashboard.signOut((await api.dashboard.sessionOf(token)) ?? "");
  api.clock.advance(1_000);
  outgoing.end(body.slice(10));
  const [response] = await answered;
  expect(response.statusCode).toBe(status);
  expect((await api.get(CHANNELS)).body.total).toBe(total);
});

test("a browser's session sends a body in chunks only as JSON or bytes, as it does one with a length", async () => {
  const token = (await api.dashboard.setUp((await api.dashboard.offerSetup()) ?? "", "correct horse")) ?? "";
  const own = { host: "127.0.0.1", origin: "http://127.0.0.1", cookie: `fanfare_session_test=${token}` };
  const bytes = Buffer.from(JSON.stringify(CHANNEL));
  const post = (type: string) =>
    send("POST", CHANNELS, { ...own, "content-type": type }, [bytes.subarray(0, 9), bytes.subarray(9)]);
  const refused = await post("text/plain");
  expect([refused.status, refused.body.error.errorCode]).toEqual([401, "210"]);
  expect((await post("application/json")).status).toBe(200);
});

test("/dashboard accepts bodies of 4 KiB, with a length or in chunks, and refuses others before they are there", async () => {
  const headers = { host: "127.0.0.1", origin: "http://127.0.0.1", "content-type": "application/json" };
  const password = (bytes: number) => Buffer.from(JSON.stringify({ password: "x".repeat(bytes) }));
  for (const path of ["/dashboard/session", "/dashboard/setup"]) {
    const announced = { ...headers, "content-length": "4097" };
    const answer = await send("POST", path, announced, [Buffer.alloc(4_097)]);
    expect([answer.status, answer.body.error.details]).toEqual([413, "The body of a request may have 4 KiB."]);
    const chunked = await send("POST", path, headers, [Buffer.alloc(3_000), Buffer.alloc(3_000)]);
    expect([chunked.status, chunked.body.error.details]).toEqual([413, "The body of a request may have 4 KiB."]);
  }
  expect((await send("POST", "/dashboard/session", headers, [password(4_000)])).status).not.toBe(413);
  // Nothing of this body ever comes: the answer does not wait for it.
  const text = `POST /dashboard/session HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`;
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

test("a client that has to wait before its next sign-in is refused before the body is there", async () => {
  const headers = { host: "127.0.0.1", origin: "http://127.0.0.1", "content-type": "application/json" };
  await api.dashboard.setUp((await api.dashboard.offerSetup()) ?? "", "correct horse");
  const attempt = () => send("POST", "/dashboard/session", headers, [Buffer.from('{"password":"wrong password"}')]);
  for (let count = 0; count < 10; count += 1) expect((await attempt()).status).toBe(401);
  const lines = Object.entries({ ...headers, "content-length": "100" }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST /dashboard/session HTTP/1.1\r\n${lines.join("")}\r\n`);
  const [answer] = await once(socket, "data");
  expect(String(answer)).toMatch(/^HTTP\/1\.1 429 /);
  socket.destroy();
});

test("a body of exactly 1 MiB is read", async () => {
  const body = Buffer.alloc(1024 * 1024, " ");
  body.write(JSON.stringify(CHANNEL));
  const headers = { ...api.signedHeaders("POST", CHANNELS), "content-length": String(body.length) };
  expect((await send("POST", CHANNELS, headers, [body])).status).toBe(200);
});

test.each(["/livez", "/readyz", "/metrics", "/stat", "/docs", "/openapi.json"])(
  "%s is no call of the API, and has the trace id of its log line too",
  async (url) => {
    const { statusCode, headers } = await api.server.inject({ method: "GET", url });
    const traceId = headers["x-ncp-trace-id"];
    expect([statusCode, traceId]).toEqual([200, expect.stringMatching(/^[a-z0-9]{26}$/)]);
    expect(api.lines.filter(({ fields }) => fields["traceId"] === traceId)).toHaveLength(1);
  },
);

test("a target that cannot be decoded is 100", async () => {
  const target = `${CHANNELS}/%zz`;
  const answer = await send("GET", target, api.signedHeaders("GET", target));
  expect(answer.status).toBe(400);
  expect(answer.body).toEqual({
    error: { errorCode: "100", message: "Bad Request Exception", details: "The request could not be read." },
  });
  expect(answer.headers["x-ncp-apigw-response-origin"]).toBe("APIGW");
  const traceId = answer.headers["x-ncp-trace-id"];
  expect(traceId).toMatch(/^[a-z0-9]{26}$/);
  expect(api.lines.filter(({ fields }) => fields["traceId"] === traceId)).toHaveLength(1);
});

test.each([
  ["no HTTP at all", "hello\r\n\r\n"],
  ["a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
  ["two lengths", `POST ${CHANNELS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ["headers without end", `GET ${CHANNELS} HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`],
])("an unreadable request (%s) is 100, with the headers of every answer", async (_name, bytes) => {
  const text = await sendRaw(bytes);
  const [head = "", body = ""] = text.split("\r\n\r\n");
  expect(head.split("\r\n")[0]).toBe("HTTP/1.1 400 Bad Request");
  expect(head).toContain("\r\ncontent-type: application/json;charset=utf-8\r\n");
  expect(head).toContain("\r\naccess-control-allow-origin: *\r\n");
  expect(head).toContain("\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n");
  expect(head).toContain("\r\nx-ncp-apigw-response-origin: APIGW\r\n");
  const traceId = /x-ncp-trace-id: ([a-z0-9]{26})\r\n/.exec(head)?.[1];
  expect(api.lines.map(({ event, fields }) => [event, fields["traceId"]])).toEqual([["http-unreadable", traceId]]);
  expect(JSON.parse(body)).toMatchObject({ error: { errorCode: "100", message: "Bad Request Exception" } });
});

test("an unknown expectation is answered like a request that cannot be read", async () => {
  const headers = { ...api.signedHeaders("POST", CHANNELS), expect: "foo", "content-length": "0" };
  const answer = await send("POST", CHANNELS, headers);
  expect(answer.status).toBe(400);
  expect(answer.headers).toMatchObject({
    "content-type": "application/json;charset=utf-8",
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-ncp-apigw-response-origin": "APIGW",
    connection: "close",
  });
  expect(answer.body).toMatchObject({ error: { errorCode: "100", message: "Bad Request Exception" } });
  const traceId = answer.headers["x-ncp-trace-id"];
  expect(traceId).toMatch(/^[a-z0-9]{26}$/);
  expect(api.lines.map(({ event, fields }) => [event, fields["traceId"]])).toEqual([["http-unreadable", traceId]]);
});

test("a body announced with Expect: 100-continue is read", async () => {
  const body = Buffer.from(JSON.stringify(CHANNEL));
  const headers = {
    ...api.signedHeaders("POST", CHANNELS),
    expect: "100-continue",
    "content-length": `${body.length}`,
  };
  expect((await send("POST", CHANNELS, headers, [body])).status).toBe(200);
});

test("a request without Host is answered like any other", async () => {
  const headers = Object.entries(api.signedHeaders("GET", CHANNELS, MANAGER)).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const text = await sendRaw(`GET ${CHANNELS} HTTP/1.1\r\nConnection: close\r\n${headers.join("")}\r\n`);
  expect(text.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
});

test("headers are bounded in size", async () => {
  const filler = (bytes: number) => ({ ...api.signedHeaders("GET", CHANNELS), "x-filler": "x".repeat(bytes) });
  expect((await send("GET", CHANNELS, filler(14_000))).status).toBe(200);
  expect((await send("GET", CHANNELS, filler(17_000))).status).toBe(400);
});

test("a request on an open connection is answered in the contract's form while the server closes", async () => {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    text += part;
  });
  const lines = Object.entries(api.signedHeaders("GET", CHANNELS)).map(([name, value]) => `${name}: ${value}\r\n`);
  const whole = `GET ${CHANNELS} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`;
  // The first half of a request keeps the connection from being idle when the server begins to close.
  socket.write(whole.slice(0, 30));
  await expect
    .poll(() => new Promise((resolve) => api.server.server.getConnections((_, count) => resolve(count))))
    .toBe(1);
  const closing = api.server.close();
  socket.write(whole.slice(30));
  await once(socket, "close");
  await closing;
  expect(text.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
  expect(text).toContain('{"content":[],"total":0}');
});

test("a client that is slow with its request has bounded time", () => {
  const { headersTimeout, requestTimeout } = api.server.server;
  expect([headersTimeout, requestTimeout]).toEqual([10_000, 30_000]);
});
