import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTargetUrl, publishKey, streamName } from "../../../src/protocol/rtmp/url.ts";

const split = [
  {
    url: "rtmp://live.twitch.tv/app",
    address: { scheme: "rtmp", host: "live.twitch.tv", port: 1935, app: "app", tcUrl: "rtmp://live.twitch.tv/app" },
  },
  {
    url: "rtmps://a.rtmps.youtube.com:443/live2",
    address: {
      scheme: "rtmps",
      host: "a.rtmps.youtube.com",
      port: 443,
      explicitPort: 443,
      app: "live2",
      tcUrl: "rtmps://a.rtmps.youtube.com:443/live2",
    },
  },
  {
    url: "rtmp://b.rtmp.youtube.com/live2?backup=1",
    address: {
      scheme: "rtmp",
      host: "b.rtmp.youtube.com",
      port: 1935,
      app: "live2?backup=1",
      tcUrl: "rtmp://b.rtmp.youtube.com/live2?backup=1",
    },
  },
  {
    url: "rtmps://live-api-s.facebook.com:443/rtmp/",
    address: {
      scheme: "rtmps",
      host: "live-api-s.facebook.com",
      port: 443,
      explicitPort: 443,
      app: "rtmp",
      tcUrl: "rtmps://live-api-s.facebook.com:443/rtmp",
    },
  },
  {
    url: "rtmps://fa7.global-contribute.live-video.net/app/",
    address: {
      scheme: "rtmps",
      host: "fa7.global-contribute.live-video.net",
      port: 443,
      app: "app",
      tcUrl: "rtmps://fa7.global-contribute.live-video.net/app",
    },
  },
  {
    url: "rtmp://h/app//",
    address: { scheme: "rtmp", host: "h", port: 1935, app: "app/", tcUrl: "rtmp://h/app/" },
  },
  {
    url: "rtmp://h/a/b/c",
    address: { scheme: "rtmp", host: "h", port: 1935, app: "a/b/c", tcUrl: "rtmp://h/a/b/c" },
  },
  {
    url: "RTMP://Host.Example/App?A=b/c#part",
    address: {
      scheme: "rtmp",
      host: "host.example",
      port: 1935,
      app: "App?A=b/c",
      tcUrl: "rtmp://host.example/App?A=b/c",
    },
  },
  {
    url: "rtmp://notworking-just-testcase.only",
    address: {
      scheme: "rtmp",
      host: "notworking-just-testcase.only",
      port: 1935,
      app: "",
      tcUrl: "rtmp://notworking-just-testcase.only/",
    },
  },
  { url: "rtmp://h/", address: { scheme: "rtmp", host: "h", port: 1935, app: "", tcUrl: "rtmp://h/" } },
  { url: "rtmp://h?x=1", address: { scheme: "rtmp", host: "h", port: 1935, app: "?x=1", tcUrl: "rtmp://h/?x=1" } },
  {
    url: "rtmp://[2001:DB8::1]:1936/live",
    address: {
      scheme: "rtmp",
      host: "[2001:db8::1]",
      port: 1936,
      explicitPort: 1936,
      app: "live",
      tcUrl: "rtmp://[2001:db8::1]:1936/live",
    },
  },
  {
    url: "rtmp://[::1]/live",
    address: { scheme: "rtmp", host: "[::1]", port: 1935, app: "live", tcUrl: "rtmp://[::1]/live" },
  },
  {
    url: "rtmp://h/방송/%EB%B0%A9/../x",
    address: {
      scheme: "rtmp",
      host: "h",
      port: 1935,
      app: "방송/%EB%B0%A9/../x",
      tcUrl: "rtmp://h/방송/%EB%B0%A9/../x",
    },
  },
];

test.each(split)("a target URL is split as OBS splits its server field: $url", ({ url, address }) => {
  expect(parseTargetUrl(url)).toStrictEqual(address);
});

test.each([
  ["", "not-a-url"],
  ["live.twitch.tv/app", "not-a-url"],
  ["rtmp:/h/app", "not-a-url"],
  [" rtmp://h/app", "not-a-url"],
  ["http://h/app", "unsupported-scheme"],
  ["rtmpt://h/app", "unsupported-scheme"],
  ["rtmpe://h/app", "unsupported-scheme"],
  ["srt://h:9000", "unsupported-scheme"],
  ["rtmp://h\\@evil/app", "bad-character"],
  ["rtmp://h/a b", "bad-character"],
  ["rtmp://h/app\r\nSET x 1", "bad-character"],
  ["rtmp://h/app\u0000", "bad-character"],
  ["rtmp://h\u3000/app", "bad-character"],
  ["rtmp://user:secret@h/app", "has-user-info"],
  ["rtmp://h@127.0.0.1/app", "has-user-info"],
  ["rtmp:///app", "no-host"],
  ["rtmp://:1935/app", "no-host"],
  ["rtmp://", "no-host"],
  ["rtmp://?x", "no-host"],
  ["rtmp://#h", "no-host"],
  ["rtmp://h:/app", "bad-port"],
  ["rtmp://h:0/app", "bad-port"],
  ["rtmp://h:01935/app", "bad-port"],
  ["rtmp://h:65536/app", "bad-port"],
  ["rtmp://h:port/app", "bad-port"],
  ["rtmp://h:1935:1936/app", "bad-port"],
  ["rtmp://::1/app", "no-host"],
  ["rtmp://2001:db8::1/app", "bad-port"],
  ["rtmp://[::1]x:1935/app", "bad-port"],
])("%j is refused as %s", (url, problem) => {
  expect(parseTargetUrl(url)).toBe(problem);
});

test("an address with an unclosed bracket is passed on whole, and the host check refuses it", () => {
  expect(parseTargetUrl("rtmp://[::1/app")).toMatchObject({ host: "[::1", port: 1935 });
});

test("any application comes back byte for byte, less one trailing slash", () => {
  const segment = fc.string({ unit: fc.constantFrom(..."aZ9-_.~?&=:@%+,;!$'()*/한") });
  fc.assert(
    fc.property(segment, (app) => {
      const url = `rtmp://host.example:1936/${app}`;
      const expected = app.endsWith("/") ? app.slice(0, -1) : app;
      expect(parseTargetUrl(url)).toMatchObject({ app: expected, tcUrl: `rtmp://host.example:1936/${expected}` });
    }),
  );
});

test("no text makes the splitter throw", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `rtmp://${text}`),
      ),
      (text) => {
        const result = parseTargetUrl(text);
        if (typeof result !== "string") expect(result.tcUrl).toContain(result.host);
      },
    ),
  );
});

test.each([
  ["live_1_abc", "live_1_abc"],
  [" \tkey\r\n", "key"],
  ["123?s_bl=1&a=x%2Fy", "123?s_bl=1&a=x%2Fy"],
  ["?streamname=live_1&key=0&schedule=rtmp", "?streamname=live_1&key=0&schedule=rtmp"],
  ["clip.mp4", "clip.mp4"],
  ["a b", "a b"],
  ["\u00a0key", "\u00a0key"],
  [`${"k".repeat(300)}:x`, `${"k".repeat(300)}:x`],
])("stream key %j is published as %j", (key, name) => {
  expect(streamName(key)).toBe(name);
});

test.each([
  { name: "OBS", app: "relay", publish: "k1", key: "k1" },
  { name: "a query on the name", app: "relay", publish: "k1?token=a/b", key: "k1" },
  { name: "a query on the application", app: "relay?x=1/", publish: "k1", key: "k1" },
  { name: "a query on the application and no name", app: "relay/k1?x=1/2", publish: "", key: "k1" },
  { name: "a name that is only a query", app: "relay/k1", publish: "?clientConfigId=1", key: "k1" },
  { name: "FFmpeg without an application", app: "k1", publish: "", key: "k1" },
  { name: "FFmpeg with a doubled slash", app: "relay/", publish: "k1", key: "k1" },
  { name: "one URL field", app: "relay/k1", publish: "", key: "k1" },
  { name: "one URL field with a trailing slash", app: "relay/k1/", publish: "", key: "k1" },
  { name: "the default instance", app: "relay/_definst_", publish: "k1", key: "k1" },
  { name: "the default instance after the key", app: "relay/k1/_definst_/", publish: "", key: "k1" },
  { name: "a name with slashes around it", app: "relay", publish: "/k1/", key: "k1" },
  { name: "a pasted line break", app: "relay", publish: "k1\r\n", key: "k1" },
  { name: "nothing at all", app: "", publish: "", key: "" },
])("an encoder's key is found: $name", ({ app, publish, key }) => {
  expect(publishKey(app, publish)).toBe(key);
});
