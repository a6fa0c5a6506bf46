import { describe, expect, test } from "vitest";
import { readLoginDemand } from "../../../src/protocol/rtmp/server/publish-auth.ts";
import { isProven, loginTexts, readLogin } from "../../../src/protocol/rtmp/server/server-login.ts";

const NAME = { kind: "name", scheme: "adobe", id: "U" } as const;

describe("the login in an encoder's connect", () => {
  test.each([
    ["an ordinary application", "relay", "", "relay", undefined],
    ["a key in the application", "logins", "rtmp://h/logins", "logins", undefined],
    ["an application that demands it", "relay/login", "", "relay/login", { kind: "nothing", scheme: "adobe" }],
    [
      "the same with what encoders add",
      "login/_definst_/",
      "",
      "login/_definst_/",
      { kind: "nothing", scheme: "adobe" },
    ],
    ["and with a query", "relay/login?x=1", "", "relay/login?x=1", { kind: "nothing", scheme: "adobe" }],
    ["Limelight's", "relay/login-llnw", "", "relay/login-llnw", { kind: "nothing", scheme: "llnw" }],
    ["a name", "relay?authmod=adobe&user=U", "", "relay", NAME],
    ["after an ampersand, as librtmp has it", "relay?x=1&authmod=adobe&user=U", "", "relay?x=1", NAME],
    ["after a second question mark, as FFmpeg has it", "relay?x=1?authmod=adobe&user=U", "", "relay?x=1", NAME],
    ["in tcUrl alone", "relay", "rtmp://h/relay?authmod=adobe&user=U", "relay", NAME],
    ["no name", "relay?authmod=adobe", "", "relay", { kind: "nothing", scheme: "adobe" }],
  ])("%s: %s", (_what, app, tcUrl, bare, attempt) => {
    expect(readLogin(app, tcUrl)).toEqual(attempt === undefined ? { app: bare } : { app: bare, attempt });
  });

  test("a proof has raw values: no plus is a blank, no percent sign is decoded", () => {
    const query = "authmod=adobe&user=a%41+b&challenge=8f1e6c20&response=ilk+AHMolGVc8wAsZQCdyw==&opaque=b3Bh==";
    expect(readLogin(`login?${query}`, "").attempt).toEqual({
      kind: "proof",
      scheme: "adobe",
      id: "a%41+b",
      token: "b3Bh==",
      clientChallenge: "8f1e6c20",
      response: "ilk+AHMolGVc8wAsZQCdyw==",
    });
  });
});

describe("a proof is as in the reference", () => {
  const adobe = (id: string, token: string, clientChallenge: string, response: string) =>
    ({ kind: "proof", scheme: "adobe", id, token, clientChallenge, response }) as const;
  test.each([
    ["alice", "s3cr3t!", "c2FsdHNhbHQ=", "b3BhcXVldmFsdWU=", "8f1e6c20", "ilk+AHMolGVc8wAsZQCdyw=="],
    ["한글", "비밀", "c2FsdHNhbHQ=", "b3BhcXVldmFsdWU=", "8f1e6c20", "YhWY/0YlRzYjdaY5hMeUHg=="],
    ["myuser", "mypass", "c2FsdA==", "b3BhcXVl", "57e518d1", "tUukwHhWKCxMh7f+zGh68Q=="],
  ])("Adobe's of %s", (id, password, salt, token, clientChallenge, response) => {
    const proof = adobe(id, token, clientChallenge, response);
    const given = { app: "login", salt };
    expect(isProven(proof, password, given)).toBe(true);
    expect(isProven(proof, `${password}x`, given)).toBe(false);
    expect(isProven({ ...proof, response: "" }, password, given)).toBe(false);
    expect(isProven({ ...proof, token: `${token}=` }, password, given)).toBe(false);
  });

  test.each([
    ["alice", "s3cr3t!", "a1b2c3d4", "0000abcd", "live", "931ed95b37430b0ae39ac8a9b33258f8"],
    ["alice", "s3cr3t!", "a1b2c3d4", "0000abcd", "live/inst", "7229cdf95224a4f518a75ede38d3502f"],
    ["myuser", "mypass", "Nonce123", "b6fc385a", "live", "087d74b55093cbdee45c244111ba5258"],
  ])("Limelight's of %s", (id, password, token, clientChallenge, app, response) => {
    const proof = { kind: "proof", scheme: "llnw", id, token, clientChallenge, response } as const;
    expect(isProven(proof, password, { app, salt: "" })).toBe(true);
    expect(isProven(proof, password, { app: `${app}x`, salt: "" })).toBe(false);
  });
});

test("our own client reads every text", () => {
  expect(readLoginDemand(loginTexts.demand("adobe"))).toEqual({ kind: "name-wanted", scheme: "adobe" });
  expect(readLoginDemand(loginTexts.demand("llnw"))).toEqual({ kind: "name-wanted", scheme: "llnw" });
  expect(readLoginDemand(loginTexts.challenge("adobe", "U", "salt", "tok"))).toEqual({
    kind: "challenge",
    scheme: "adobe",
    challenge: { salt: "salt", challenge: "tok", opaque: "tok" },
  });
  expect(readLoginDemand(loginTexts.challenge("llnw", "U", "", "tok"))).toMatchObject({ scheme: "llnw", nonce: "tok" });
  for (const scheme of ["adobe", "llnw"] as const) {
    expect(readLoginDemand(loginTexts.failure(scheme))).toEqual({ kind: "refused" });
  }
});
