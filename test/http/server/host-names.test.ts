import { afterEach, expect, test } from "vitest";
import { HostNames, parseHostNames } from "../../../src/http/server/host-names.ts";
import { Api, CHANNELS, gateway } from "../api.ts";

let api: Api | undefined;
afterEach(() => api?.close());

const KNOWN = new HostNames(["live.example.com", "*.stream.example", "192.0.2.7"]);

test.each([
  ["", true],
  ["localhost", true],
  ["LOCALHOST:8080", true],
  ["fanfare.localhost", true],
  ["127.0.0.1:8080", true],
  ["203.0.113.9", true],
  ["[::1]:8080", true],
  ["[2001:db8::1]", true],
  ["live.example.com", true],
  ["Live.Example.com.:443", true],
  ["a.stream.example", true],
  ["a.b.stream.example:1", true],
  ["stream.example", false],
  ["xstream.example", false],
  ["evil.example", false],
  ["live.example.com.evil.example", false],
  ["localhost.evil.example", false],
  ["127.0.0.1.evil.example", false],
  ["2130706433", false],
  ["127.1", false],
  ["live.example.com:8080:8080", false],
  ["live.example.com/evil", false],
  [`${"a".repeat(16_000)}.example`, false],
])("Host %s is known: %s", (header, isKnown) => {
  expect(KNOWN.know(header)).toBe(isKnown);
});

test("a setting is a list of names and patterns, or refused whole", () => {
  expect(parseHostNames(" Fanfare.LAN, *.example.com ,b\u00fccher.example")).toEqual([
    "fanfare.lan",
    "*.example.com",
    "xn--bcher-kva.example",
  ]);
  expect(parseHostNames("")).toEqual([]);
  expect(new HostNames(parseHostNames("*") ?? []).know("anything.example:1")).toBe(true);
  for (const wrong of ["a b", "http://a.example", "a.example:8080", "*.*", "a.*", "10.0.0.1"]) {
    expect([wrong, parseHostNames(wrong)]).toEqual([wrong, undefined]);
  }
});

const REFUSED = gateway(
  "100",
  "Bad Request Exception",
  "This server does not have the name nas.lan. If the name is right, start the server with FANFARE_ALLOWED_HOSTS=nas.lan " +
    "(or FANFARE_PUBLIC_HOST); a reverse proxy in front must forward the Host that the browser asked for.",
);

test("an unknown name is refused on every route, before any other check, with the setting to change", async () => {
  const here = await Api.open({ hosts: [] });
  api = here;
  const headers = { ...here.signedHeaders("GET", CHANNELS), host: "NAS.lan:8080" };
  const routes = [CHANNELS, `${CHANNELS.replace("channels", "events/stream")}`, "/metrics", "/livez", "/readyz"];
  const others = [
    "/openapi.json",
    "/docs",
    "/dashboard/session",
    "/preview/x.flv?token=x",
    "/",
    "/assets/x.js",
    "/none",
  ];
  for (const url of [...routes, ...others]) {
    for (const method of ["GET", "POST", "HEAD", "OPTIONS"] as const) {
      const answer = await here.server.inject({ method, url, headers });
      expect([method, url, answer.statusCode]).toEqual([method, url, 400]);
      if (method !== "HEAD") expect(answer.json()).toEqual(REFUSED);
    }
  }
  const named = await Api.open({ hosts: ["nas.lan"] });
  expect((await named.server.inject({ url: CHANNELS, headers: { ...headers } })).statusCode).toBe(200);
  await named.close();
});

test("a person's browser gets plain words, and only the name is repeated", async () => {
  const here = await Api.open({ hosts: [] });
  api = here;
  const page = (host: string) => here.server.inject({ url: "/", headers: { accept: "text/html", host } });
  const answer = await page("nas.lan");
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([400, "text/plain;charset=utf-8"]);
  expect(answer.body).toBe(`${REFUSED.error.details}\n`);
  expect((await page("<script>")).body).toBe("The Host of the request is not a host name.\n");
  here.clock.advance(59_000);
  await page("another.lan");
  expect(here.lines.filter(({ event }) => event === "http-unknown-host")).toHaveLength(1);
});

test("both names of a trusted proxy count, and anybody else's X-Forwarded-Host is ignored", async () => {
  const status = async (trustedProxies: string, host: string, forwarded: string) => {
    const here = await Api.open({ hosts: ["live.example.com"], limits: { trustedProxies } });
    const headers = { host, "x-forwarded-host": forwarded };
    const { statusCode } = await here.server.inject({ url: "/livez", headers });
    await here.close();
    return statusCode;
  };
  expect(await status("127.0.0.1", "127.0.0.1:8080", "live.example.com")).toBe(200);
  expect(await status("127.0.0.1", "127.0.0.1:8080", "evil.example")).toBe(400);
  expect(await status("127.0.0.1", "evil.example", "live.example.com")).toBe(400);
  expect(await status("", "evil.example", "live.example.com")).toBe(400);
  expect(await status("", "live.example.com", "evil.example")).toBe(200);
});
