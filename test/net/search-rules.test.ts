import { expect, test } from "vitest";
import { parseResolvConf, searchNames } from "../../src/net/dns/search-rules.ts";

test.each([
  ["", "server", { domains: [], dotsMin: 1 }],
  ["", "server.corp.example", { domains: ["corp.example"], dotsMin: 1 }],
  [
    "nameserver 192.0.2.1\nsearch a.example B.Example.\n",
    "server",
    { domains: ["a.example", "b.example"], dotsMin: 1 },
  ],
  ["search a.example\r\n  search\tb.example  c.example \n", "x.y", { domains: ["b.example", "c.example"], dotsMin: 1 }],
  ["domain d.example more", "server", { domains: ["d.example"], dotsMin: 1 }],
  ["search a.example\ndomain d.example", "server", { domains: ["d.example"], dotsMin: 1 }],
  ["search .", "server.corp.example", { domains: [], dotsMin: 1 }],
  ["search 10.0.0.1 a..b -x- a.example", "server", { domains: ["a.example"], dotsMin: 1 }],
  ["# search a.example\n;search b.example\nsearching c.example", "server", { domains: [], dotsMin: 1 }],
  ["options edns0 ndots:5 trust-ad", "server", { domains: [], dotsMin: 5 }],
  ["options ndots:3\noptions ndots:0", "server", { domains: [], dotsMin: 0 }],
  ["options ndots:99 ndots:x ndots:-1 ndots:", "server", { domains: [], dotsMin: 15 }],
])("%j on %s is read", (text, hostname, rules) => {
  expect(parseResolvConf(text, hostname)).toStrictEqual(rules);
});

test("however long the file is, eight domains are kept and a thousand lines are read", () => {
  const domains = Array.from({ length: 50_000 }, (_, index) => `d${index}.example`);
  expect(parseResolvConf(`search ${domains.join(" ")}`, "server").domains).toStrictEqual(domains.slice(0, 8));
  const late = `${"\n".repeat(1_000)}search late.example`;
  expect(parseResolvConf(late, "server").domains).toStrictEqual([]);
});

test.each([
  ["studio", 1, ["studio.a.example", "studio.b.example", "studio"]],
  ["studio.lan", 1, ["studio.lan", "studio.lan.a.example", "studio.lan.b.example"]],
  ["live.twitch.tv", 5, ["live.twitch.tv.a.example", "live.twitch.tv.b.example", "live.twitch.tv"]],
  ["studio", 0, ["studio", "studio.a.example", "studio.b.example"]],
])("%s with ndots:%d is tried as %j", (name, dotsMin, names) => {
  expect(searchNames(name, { domains: ["a.example", "b.example"], dotsMin })).toStrictEqual(names);
});

test("a name that would be longer than allowed is not tried", () => {
  const name = "n".repeat(60);
  const domain = Array.from({ length: 4 }, () => "d".repeat(50)).join(".");
  expect(searchNames(name, { domains: [domain, "a.example"], dotsMin: 1 })).toStrictEqual([`${name}.a.example`, name]);
});
