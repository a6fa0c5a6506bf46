import { expect, test } from "vitest";
import { maskPullUrl, parsePullUrl } from "../../../src/base/pull/pull-url.ts";

test.each([
  {
    url: "rtmp://Media.Example.com/live/key?a=b",
    address: {
      kind: "rtmp",
      isTls: false,
      host: "media.example.com",
      port: 1_935,
      userInfo: "",
      path: "/live/key?a=b",
    },
  },
  {
    url: "rtmps://example.com:8443/live/key",
    address: { kind: "rtmp", isTls: true, host: "example.com", port: 8_443, userInfo: "", path: "/live/key" },
  },
  {
    url: "rtsp://admin:pa%20ss@[2001:db8::1]/stream1#part",
    address: {
      kind: "rtsp",
      isTls: false,
      host: "[2001:db8::1]",
      port: 554,
      userInfo: "admin:pa%20ss",
      path: "/stream1",
    },
  },
  {
    url: "srt://192.0.2.7:9000?passphrase=0123456789",
    address: {
      kind: "srt",
      isTls: false,
      host: "192.0.2.7",
      port: 9_000,
      userInfo: "",
      path: "?passphrase=0123456789",
    },
  },
  {
    url: "srt://192.0.2.7:9000?streamid=#!::r=live/key,m=request&latency=200",
    address: {
      kind: "srt",
      isTls: false,
      host: "192.0.2.7",
      port: 9_000,
      userInfo: "",
      path: "?streamid=%23!::r=live/key,m=request&latency=200",
    },
  },
  {
    url: "HTTPS://example.com/live.m3u8",
    address: { kind: "hls", isTls: true, host: "example.com", port: 443, userInfo: "", path: "/live.m3u8" },
  },
])("$url is an address", ({ url, address }) => {
  expect(parsePullUrl(url)).toEqual(address);
});

test.each([
  { url: "file:///etc/passwd", what: "begins with rtmp://" },
  { url: "concat:rtmp://a/b", what: "begins with rtmp://" },
  { url: "rtmp://a b/live", what: "without blanks" },
  { url: "rtmp://a/live\nfile 'x'", what: "without blanks" },
  { url: "rtmp://a/li\\ve", what: "without blanks" },
  { url: "http://a@b@c/", what: "begins with rtmp://" },
  { url: "srt://example.com", what: "a port from 1" },
  { url: "srt://example.com:9000?mode=listener", what: "with mode=caller" },
  { url: "srt://example.com:9000?latency=200&mode=rendezvous", what: "with mode=caller" },
  { url: "rtmp://example.com:70000/live", what: "a port from 1" },
  { url: "rtmp://example.com/live?token=****", what: "not with asterisks" },
  { url: `rtmp://example.com/${"a".repeat(2_048)}`, what: "at most 2048" },
])("$url is none", ({ url, what }) => {
  expect(parsePullUrl(url)).toContain(what);
});

test.each([
  { url: "rtsp://admin:secret@camera.example/1", shown: "rtsp://admin:****@camera.example/1" },
  { url: "rtsp://admin@camera.example/1", shown: "rtsp://admin@camera.example/1" },
  {
    url: "srt://a.example:9000?passphrase=0123456789&latency=200&streamid=key&flag",
    shown: "srt://a.example:9000?passphrase=****&latency=200&streamid=****&****",
  },
  { url: "https://a.example/live.m3u8?token=a=b", shown: "https://a.example/live.m3u8?token=****" },
  { url: "rtmp://a.example/live/key", shown: "rtmp://a.example/live/key" },
  { url: "no address at all: secret", shown: "****" },
])("$url is shown without its secrets", ({ url, shown }) => {
  expect(maskPullUrl(url)).toBe(shown);
});
