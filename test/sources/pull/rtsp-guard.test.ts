import { expect, test } from "vitest";
import { RtspGuard, RtspRefusedError } from "../../../src/sources/pull-links/rtsp-guard.ts";

const OK = "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n";
const DESCRIBED = "RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\n";
/** A frame whose content looks like a redirect. */
const FRAME = `$\x00\x00\x14RTSP/1.0 302 Moved\r\n`;

function outcome(text: string, piece = text.length): string {
  const guard = new RtspGuard();
  const bytes = Buffer.from(text, "latin1");
  let passed = "";
  try {
    for (let at = 0; at < bytes.length; at += piece)
      passed += guard.push(bytes.subarray(at, at + piece)).toString("latin1");
    return passed;
  } catch (error) {
    return error instanceof RtspRefusedError ? error.why : String(error);
  }
}

test.each([1, 3, 1_000])("responses, bodies and frames pass unchanged in pieces of %i bytes", (piece) => {
  const all = OK + DESCRIBED + FRAME + OK + FRAME;
  expect(outcome(all, piece)).toBe(all);
});

test("an unfinished response waits", () => {
  expect(outcome("RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1/")).toBe("");
});

test.each([
  { name: "a redirect", text: "RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1:22/\r\n\r\n", why: "redirect" },
  { name: "a redirect behind other messages", text: `${OK}${FRAME}RTSP/1.0 301 X\r\n\r\n`, why: "redirect" },
  { name: "one without carriage returns", text: "RTSP/1.0 302 X\nLocation: rtsp://127.0.0.1/\n\n", why: "redirect" },
  { name: "one behind empty lines", text: "\r\n\r\nRTSP/1.0 303 X\r\n\r\n", why: "redirect" },
  { name: "a request to go elsewhere", text: "REDIRECT * RTSP/1.0\r\nLocation: rtsp://a/\r\n\r\n", why: "malformed" },
  { name: "a status of many digits", text: "RTSP/1.0 0302 X\r\n\r\n", why: "malformed" },
  { name: "a status behind two blanks", text: "RTSP/1.0  302 X\r\n\r\n", why: "malformed" },
  { name: "another version", text: "RTSP/2.0 302 X\r\n\r\n", why: "malformed" },
  { name: "a frame hidden in a header", text: "RTSP/1.0 200 OK\r\n$\x00\x00\x02\r\n\r\n\r\n", why: "malformed" },
  { name: "a carriage return in a line", text: "RTSP/1.0 200 OK\r\nA: \rb\r\n\r\n", why: "malformed" },
  { name: "two lengths", text: "RTSP/1.0 200 OK\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n", why: "malformed" },
  { name: "a length with a sign", text: "RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", why: "malformed" },
  { name: "a length behind a blank", text: "RTSP/1.0 200 OK\r\n Content-Length: 40\r\n\r\n", why: "malformed" },
  { name: "a body too long", text: "RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n", why: "malformed" },
  { name: "a header without an end", text: `RTSP/1.0 200 OK\r\nA: ${"a".repeat(20_000)}`, why: "malformed" },
  { name: "something else", text: "HTTP/1.1 200 OK\r\n\r\n", why: "malformed" },
])("$name ends the connection", ({ text, why }) => {
  expect(outcome(text)).toBe(why);
  expect(outcome(text, text.length > 1_000 ? 1_000 : 1)).toBe(why);
});
