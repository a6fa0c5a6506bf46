import { expect, test } from "vitest";
import { isSignatureValid, sign, timestampProblem } from "../../src/api-contract/signature.ts";

const ACCESS_KEY = "TESTACCESSKEY0000001";
const SECRET_KEY = "TESTSECRETKEY000000000000000000000000001";
const TIMESTAMP = "1521787414578";

const VECTORS = [
  { line: "GET /api/v2/re-stream/channels", signature: "CFWWtEatwRD7ZduT1BnRB4xbd0eoVsttRb0jhbXJufw=" },
  {
    line: "GET /api/v2/re-stream/channels?pageNo=1&pageSizeNo=20",
    signature: "GuVSxZKOB4xJUdW3BEZ5Y6RHj2F0g1Ltd4re5f5NFE4=",
  },
  { line: "POST /api/v2/re-stream/channels", signature: "+D6ytLUYHdAHfB7m7uNdbR75UzGBowx69RQci6l31Bs=" },
  {
    line: "GET /api/v2/re-stream/channels/ls-20200324144322-qfphX/platforms",
    signature: "r6Zd9drTpgMlIHmBcQ873K74ashstT9bkiQWKG77x+Q=",
  },
  {
    line: "PUT /api/v2/re-stream/channels/ls-20200324144322-qfphX/platforms/39",
    signature: "gjZ4v8+XeKxkH5rC+FuloDOFkVpHm/XNVcMuSY1KB9g=",
  },
  {
    line: "DELETE /api/v2/re-stream/channels/ls-20200331163826-Kad0D",
    signature: "3oyCJNsy7VLrHGE2N1waEiIx/0kQunKi5y+/XwGbDyQ=",
  },
  { line: "GET /photos/puppy.jpg?query1=&query2", signature: "u+dY0JgEgmXnPrWN6VktqeBSV7jrvmy0xd8B8ARX9Y8=" },
];

function request(line: string) {
  const [method = "", requestTarget = ""] = line.split(" ");
  return { method, requestTarget, timestamp: TIMESTAMP, accessKey: ACCESS_KEY };
}

test.each(VECTORS)("$line is signed as the vector says", ({ line, signature }) => {
  expect(sign(request(line), SECRET_KEY)).toBe(signature);
  expect(isSignatureValid(request(line), SECRET_KEY, signature)).toBe(true);
});

test("signing gives the same signature as another implementation published", () => {
  const published = {
    method: "GET",
    requestTarget: "/vserver/v2/getServerInstanceList?responseFormatType=json",
    timestamp: "1234567890123",
    accessKey: "TestAccessKey",
  };
  expect(sign(published, "TestSecretKey")).toBe("FPsYYX8fuMAgi+cue3eACOW0dNtIwu1LYWfg/megA2M=");
});

test("a signature is refused where any character of it, or of anything it covers, differs", () => {
  const given = request("GET /api/v2/re-stream/channels");
  const right = sign(given, SECRET_KEY);
  for (let index = 0; index < right.length; index += 1) {
    const wrong = `${right.slice(0, index)}${right[index] === "A" ? "B" : "A"}${right.slice(index + 1)}`;
    expect(isSignatureValid(given, SECRET_KEY, wrong)).toBe(false);
  }
  for (const wrong of ["", right.slice(0, -1), `${right}=`, "ü".repeat(22)]) {
    expect(isSignatureValid(given, SECRET_KEY, wrong)).toBe(false);
  }
  expect(isSignatureValid({ ...given, method: "POST" }, SECRET_KEY, right)).toBe(false);
  expect(isSignatureValid({ ...given, requestTarget: "/api/v2/re-stream/channels?" }, SECRET_KEY, right)).toBe(false);
  expect(isSignatureValid({ ...given, timestamp: "1521787414579" }, SECRET_KEY, right)).toBe(false);
  expect(isSignatureValid({ ...given, accessKey: "TESTACCESSKEY0000002" }, SECRET_KEY, right)).toBe(false);
  expect(isSignatureValid(given, SECRET_KEY.toLowerCase(), right)).toBe(false);
});

test("a timestamp is fresh up to five minutes either side of the clock, and only as whole milliseconds", () => {
  const now = 1_700_000_000_000;
  expect(timestampProblem(String(now - 300_000), now)).toBeUndefined();
  expect(timestampProblem(String(now + 300_000), now)).toBeUndefined();
  const apart = (text: string) => `The timestamp is ${text} this server's clock; 300 s are allowed.`;
  expect(timestampProblem(String(now - 300_001), now)).toBe(apart("300.001 s behind"));
  expect(timestampProblem(String(now + 301_000), now)).toBe(apart("301 s ahead of"));
  for (const wrong of ["", " ", "NaN", `${now}.5`, `+${now}`, `${now} `, "1.7e12", "0x18bcfe56800", "9".repeat(400)]) {
    expect(timestampProblem(wrong, now)).toBe("The timestamp must be milliseconds since 1970-01-01 UTC.");
  }
});
