import fc from "fast-check";
import { expect, test } from "vitest";
import { isRtmpAddress, type Removal, tidyAddress, tidyKey } from "../../src/base/pasted-text.ts";
import { threadMs } from "../support/processes/thread-time.ts";

const SERVER = "rtmp://h.example:1935/live2/inst?backup=1";

const keys: readonly (readonly [given: string, text: string, removed: readonly Removal[]])[] = [
  ["live_1_abc", "live_1_abc", []],
  ["?streamname=live_1&key=0&x=a%2Fb/", "?streamname=live_1&key=0&x=a%2Fb/", []],
  ["123?s_bl=1&a=x%2Fy mp4:", "123?s_bl=1&a=x%2Fy mp4:", []],
  ["live:key", "live:key", []],
  ["a b", "a b", []],
  ["한글", "한글", []],
  [" \t key\r\n", "key", ["invisible"]],
  ["\u00a0key\u00a0", "key", ["invisible"]],
  ["\u200bk\u200be\u200cy\u2060", "key", ["invisible"]],
  ["\ufeffkey\u200e", "key", ["invisible"]],
  ["\u2028\u3000key\u0085", "key", ["invisible"]],
  ["mp4:key", "key", ["prefix"]],
  ["FLV:key?x=1", "key?x=1", ["prefix"]],
  ["\u200bmp4:\u00a0key", "key", ["invisible", "prefix"]],
  ["%2Fkey%2f", "key", ["slashes"]],
  ["/key/", "key", ["slashes"]],
  ["a%2Fb", "a/b", ["slashes"]],
  ["/key/?a=%2F/", "key?a=%2F/", ["slashes"]],
  ["rtmp://h.example:1935/live2/inst/key", "key", ["address"]],
  ["rtmp://h.example/live2/inst/mp4:k/x?a=1", "k/x?a=1", ["address", "prefix"]],
  ["RTMPS://other.example/app/inst/key?a=1/2", "key?a=1/2", ["address"]],
  ["rtmp%3A%2F%2Fh.example%2Flive2%2Finst%2Fkey", "key", ["address"]],
  ["rtmp://h.example/live2/inst", "rtmp://h.example/live2/inst", []],
  [" rtmp://h.example/live2/inst/", "rtmp://h.example/live2/inst/", ["invisible"]],
  ["rtmp://h.example/live2", "rtmp://h.example/live2", []],
  ["rtmp://h.example", "rtmp://h.example", []],
  ["", "", []],
  ["\u200b \ufeff", "", ["invisible"]],
  ["mp4:", "", ["prefix"]],
  ["%2F", "", ["slashes"]],
];
test.each(keys)("the pasted key %j is %j, without %j", (given, text, removed) => {
  expect(tidyKey(given, SERVER)).toStrictEqual({ text, removed });
});

test.each([
  ["rtmp://h/relay/key", "key"],
  ["rtmp://h/relay/inst/key?x", "key?x"],
  ["rtmp://h/relay", "rtmp://h/relay"],
])("without a known server %s is %s", (given, text) => {
  expect(tidyKey(given, "").text).toBe(text);
});

test("an address loses invisible characters, and nothing else", () => {
  const url = "rtmp://h.example/live2?backup=1/";
  expect(tidyAddress(url)).toStrictEqual({ text: url, removed: [] });
  expect(tidyAddress(`\u00a0${url}\u200b\n`)).toStrictEqual({ text: url, removed: ["invisible"] });
  expect(tidyAddress("rtmp://\u200bh.example/\u00adlive")).toStrictEqual({
    text: "rtmp://h.example/live",
    removed: ["invisible"],
  });
});

test("NUL is left for the later check to refuse", () => {
  expect(tidyKey("\0key\0", "").text).toBe("\0key\0");
});

test("clean text stays unchanged", () => {
  const pieces = fc.constantFrom(
    "k",
    "?",
    "/",
    "%2F",
    "mp4:",
    "\u200b",
    " ",
    "rtmp://h/a/",
    "rtmp%3A%2F%2Fh%2Fa%2F",
    "&=",
    "\ufeff",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (given) => {
      const once = tidyKey(given.join(""), SERVER).text;
      if (once.startsWith("mp4:") || isRtmpAddress(once) || /^rtmps?%3A/i.test(once)) return;
      expect(tidyKey(once, SERVER)).toStrictEqual({ text: once, removed: [] });
    }),
  );
});

test("the worst texts of a permitted length take a moment", () => {
  const worst = ["\u200b", " ", "\u00a0k", "/", "%2F", "mp4:", "rtmp://h/", "?", "a/"];
  const costMs = threadMs(() => {
    for (const piece of worst) {
      for (let round = 0; round < 20; round += 1)
        tidyKey(`${piece.repeat(4_096 / piece.length)}k`, `rtmp://h/${"a/".repeat(500)}`);
    }
  });
  // 180 texts: 20 ms here.
  expect(costMs).toBeLessThan(1_000);
});
