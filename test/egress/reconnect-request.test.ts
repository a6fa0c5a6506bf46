import { expect, test } from "vitest";
import { parseCidrList } from "../../src/net/cidr-list.ts";
import { resolveTargetUrl } from "../../src/protocol/rtmp/url.ts";
import { ALLOWED, dial, kitTarget } from "../support/dialling.ts";

test.each([
  ["rtmp://h/live", "rtmp://other/app", "rtmp://other/app"],
  ["rtmp://h:1936/live/a?b=1", "x", "rtmp://h:1936/live/x"],
  ["rtmp://h/live", "/app", "rtmp://h/app"],
  ["rtmps://h/live", "//other:443/app", "rtmps://other:443/app"],
  ["rtmp://h/live?a=1", "?a=2", "rtmp://h/live?a=2"],
  ["rtmp://h/live", "rtmps://h/live", "rtmps://h/live"],
  ["rtmps://h/live", "rtmp://h/live", undefined],
  ["rtmp://h/live", "http://h/live", undefined],
  ["rtmp://h/live", `rtmp://h/${"x".repeat(2_000)}`, undefined],
])("from %s a target may send us by %s to %s", (present, reference, url) => {
  expect(resolveTargetUrl(present, reference)).toBe(url);
});

test.each([
  { name: "to an absolute address", tcUrl: "rtmp://127.0.0.2:19350/app", url: "rtmp://127.0.0.2:19350/app" },
  { name: "to a relative one", tcUrl: "/app", url: /^rtmp:\/\/127\.0\.0\.1:\d+\/app$/ },
])("a target sends us $name", async ({ tcUrl, url }) => {
  const target = await kitTarget({ reconnect: { afterMs: 0, tcUrl } });
  const wanted = await new Promise<string | undefined>((resolve) => {
    dial(target.url, { onReconnectWanted: resolve });
  });
  if (typeof url === "string") expect(wanted).toBe(url);
  else expect(wanted).toMatch(url);
});

test("a target wants us at the same address again", async () => {
  const target = await kitTarget({ reconnect: { afterMs: 0 } });
  const wanted = new Promise<string | undefined>((resolve) => {
    dial(target.url, { onReconnectWanted: resolve });
  });
  expect(await wanted).toBe(undefined);
});

test.each([
  ["a private address", "rtmp://10.0.0.1/app"],
  ["the address where clouds keep their secrets", "rtmp://169.254.169.254/app"],
  ["another protocol", "http://127.0.0.1/app"],
])("a target that sends us to %s is stayed with", async (_, tcUrl) => {
  const target = await kitTarget({ reconnect: { afterMs: 0, tcUrl } });
  const wanted: unknown[] = [];
  const policy = { ...ALLOWED, allowed: parseCidrList("127.0.0.1/32") };
  const { link, outcome, dialer } = dial(target.url, { policy, onReconnectWanted: (url) => wanted.push(url) });
  expect((await outcome).publishing).toBe(1);
  // The request came before what the target answers here: its connection ends after it was read.
  target.connections[0]?.end();
  await dialer.idle();
  expect(wanted).toEqual([]);
  link.close("abort");
});
