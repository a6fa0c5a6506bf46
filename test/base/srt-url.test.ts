import { expect, test } from "vitest";
import { rtmpUrlProblem } from "../../src/api-contract/rtmp-url.ts";
import { parseSrtUrl } from "../../src/base/srt-url.ts";

const DEFAULTS = { passphrase: undefined, keyLength: 16, latencyMs: 300 };

test.each([
  ["srt://Live.example.com:9000", { host: "live.example.com", port: 9_000, ...DEFAULTS }],
  ["SRT://192.0.2.1:1/?mode=caller", { host: "192.0.2.1", port: 1, ...DEFAULTS }],
  [
    "srt://[2001:db8::1]:65535?passphrase=correct%20horse&pbkeylen=32&latency=2000",
    { host: "[2001:db8::1]", port: 65_535, passphrase: "correct horse", keyLength: 32, latencyMs: 2_000 },
  ],
  ["srt://host:9000?passphrase=aB+c/9d+Ef==", { host: "host", port: 9_000, ...DEFAULTS, passphrase: "aB+c/9d+Ef==" }],
])("%s", (url, address) => {
  expect(parseSrtUrl(url)).toEqual(address);
  expect(rtmpUrlProblem(url)).toBeUndefined();
});

test.each([
  ["srt://host", "host:port"],
  ["srt://host:0", "port"],
  ["srt://host:70000", "port"],
  ["srt://host:9000/app", "host:port"],
  ["srt://host:9000?passphrase=short", "passphrase of 10 to 79"],
  ["srt://host:9000?pbkeylen=20", "pbkeylen"],
  ["srt://host:9000?latency=200000", "milliseconds"],
  ["srt://host:9000?mode=listener", "caller"],
  ["srt://host:9000?streamid=abc", "stream key"],
  ["srt://host:9000?maxbw=0", "no options but"],
  ["srt://user@host:9000", "without user and password"],
  ["srt://127.1:9000", "four decimal numbers"],
])("%s is refused: %s", (url, says) => {
  expect(rtmpUrlProblem(url)).toContain(says);
});
