import { expect, test } from "vitest";
import {
  adobeResponse,
  type Credentials,
  LoginDialogue,
  limelightResponse,
  readLoginDemand,
  readQuery,
} from "../../../src/protocol/rtmp/server/publish-auth.ts";

const ALICE: Credentials = { id: "alice", password: "s3cr3t!" };
const FFMPEG: Credentials = { id: "myuser", password: "mypass" };
const SALT = "c2FsdHNhbHQ=";
const CHALLENGE = "Y2hhbGxlbmdl";
const OPAQUE = "b3BhcXVldmFsdWU=";

const adobe: readonly { name: string; user: Credentials; given: [string, string, string]; own: string; is: string }[] =
  [
    {
      name: "an opaque value",
      user: ALICE,
      given: [SALT, CHALLENGE, OPAQUE],
      own: "8f1e6c20",
      is: "ilk+AHMolGVc8wAsZQCdyw==",
    },
    {
      name: "no opaque value, or an empty one",
      user: ALICE,
      given: [SALT, CHALLENGE, ""],
      own: "8f1e6c20",
      is: "vRVHJdh2IwFKLeCXvpbucg==",
    },
    {
      name: "a name and a password of Hangul",
      user: { id: "한글", password: "비밀" },
      given: [SALT, CHALLENGE, OPAQUE],
      own: "8f1e6c20",
      is: "YhWY/0YlRzYjdaY5hMeUHg==",
    },
    {
      name: "what FFmpeg 5.1 was given, with an opaque value",
      user: FFMPEG,
      given: ["c2FsdA==", "", "b3BhcXVl"],
      own: "57e518d1",
      is: "tUukwHhWKCxMh7f+zGh68Q==",
    },
    {
      name: "what FFmpeg 5.1 was given, without one",
      user: FFMPEG,
      given: ["c2FsdA==", "Y2hhbA==", ""],
      own: "16f6ea46",
      is: "pES4Vf/4ayb7kRZ/svvmXQ==",
    },
  ];
test.each(adobe)("Adobe's response to $name", ({ user, given: [salt, challenge, opaque], own, is }) => {
  expect(adobeResponse(user, { salt, challenge, opaque }, own)).toBe(is);
});

test.each([
  { user: ALICE, app: "live", nonce: "a1b2c3d4", own: "0000abcd", is: "931ed95b37430b0ae39ac8a9b33258f8" },
  { user: ALICE, app: "live/inst", nonce: "a1b2c3d4", own: "0000abcd", is: "7229cdf95224a4f518a75ede38d3502f" },
  { user: FFMPEG, app: "live", nonce: "Nonce123", own: "b6fc385a", is: "087d74b55093cbdee45c244111ba5258" },
])("Limelight's response of $user.id for $app", ({ user, app, nonce, own, is }) => {
  expect(limelightResponse(user, app, nonce, own)).toBe(is);
});

const adobeChallenge = (challenge: string, opaque: string) =>
  ({ kind: "challenge", scheme: "adobe", challenge: { salt: "c2FsdA==", challenge, opaque } }) as const;

const demands: readonly { name: string; says: string; means: object | undefined }[] = [
  {
    name: "Adobe's first question",
    says: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
    means: { kind: "name-wanted", scheme: "adobe" },
  },
  {
    name: "Limelight's",
    says: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : ",
    means: { kind: "name-wanted", scheme: "llnw" },
  },
  {
    name: "the question of a server that leaves the frame out",
    says: "code=403 need auth; authmod=adobe",
    means: { kind: "name-wanted", scheme: "adobe" },
  },
  {
    name: "Adobe's challenge, its values with + / = as they are",
    says: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=a&salt=c2FsdA==&challenge=+/a=&opaque=b+/%3D==",
    means: adobeChallenge("+/a=", "b+/%3D=="),
  },
  {
    name: "one without an opaque value",
    says: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=a&salt=c2FsdA==&challenge=Y2hhbA==",
    means: adobeChallenge("Y2hhbA==", ""),
  },
  {
    name: "one with an empty opaque value, in another order and with a blank after it",
    says: "authmod=adobe :?reason=needauth&opaque=&challenge=Y2hhbA==&salt=c2FsdA==&authmod=adobe ",
    means: adobeChallenge("Y2hhbA==", ""),
  },
  {
    name: "Limelight's challenge",
    says: "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=a&nonce=Nonce123",
    means: { kind: "challenge", scheme: "llnw", nonce: "Nonce123" },
  },
  {
    name: "a wrong password",
    says: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque=b3BhcXVl",
    means: { kind: "refused" },
  },
  {
    name: "a wrong password, by Limelight's scheme",
    says: "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=authfail",
    means: { kind: "refused" },
  },
  {
    name: "an unknown user",
    says: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=nosuchuser&opaque=b3BhcXVl",
    means: { kind: "refused" },
  },
  {
    name: "an unknown scheme",
    says: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe2 ] : ",
    means: { kind: "unreadable" },
  },
  {
    name: "another refusal of the AccessManager's",
    says: "[ AccessManager.Reject ] : [ code=403 access denied ] : ",
    means: undefined,
  },
  {
    name: "a redirection of the AccessManager's",
    says: "[ AccessManager.Reject ] : [ code=302 ] : ",
    means: undefined,
  },
  {
    name: "a demand without a scheme",
    says: "[ AccessManager.Reject ] : [ code=403 need auth ] : ",
    means: { kind: "unreadable" },
  },
  {
    name: "a challenge without anything to answer",
    says: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=a&salt=c2FsdA==",
    means: { kind: "unreadable" },
  },
  {
    name: "a challenge of Limelight's without a nonce",
    says: "[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=a&salt=c2FsdA==",
    means: { kind: "unreadable" },
  },
  {
    name: "a text without end",
    says: `[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&nonce=${"n".repeat(1_024)}`,
    means: { kind: "unreadable" },
  },
  { name: "a refusal that is about something else", says: "Connection refused.", means: undefined },
  { name: "nothing", says: "", means: undefined },
];
test.each(demands)("$name is read", ({ says, means }) => {
  expect(readLoginDemand(says)).toEqual(means);
});

test("a query's parts end at &, their names at the first =, and nothing is decoded", () => {
  expect([...readQuery("a=b=c&d&e=&f=%2B+&=g")]).toEqual([
    ["a", "b=c"],
    ["d", ""],
    ["e", ""],
    ["f", "%2B+"],
    ["", "g"],
  ]);
});

const demand = (says: string) => readLoginDemand(says) ?? { kind: "unreadable" as const };
const NAME_WANTED = demand("[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ");
const challengedBy = (values: string) =>
  demand(`[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=alice&${values}`);
const ADOBE_CHALLENGE = challengedBy(`salt=${SALT}&challenge=${CHALLENGE}&opaque=${OPAQUE}`);

test("a login by Adobe's scheme sends the name, then the proof of the password", () => {
  const login = new LoginDialogue(ALICE, "live");
  expect(login.answer(NAME_WANTED, "00000000")).toEqual({ kind: "reconnect", query: "?authmod=adobe&user=alice" });
  expect(login.answer(ADOBE_CHALLENGE, "8f1e6c20")).toEqual({
    kind: "reconnect",
    query: "?authmod=adobe&user=alice&challenge=8f1e6c20&response=ilk+AHMolGVc8wAsZQCdyw==&opaque=b3BhcXVldmFsdWU=",
  });
});

test("without an opaque value there is none in the proof", () => {
  const login = new LoginDialogue(ALICE, "live");
  expect(login.answer(challengedBy(`salt=${SALT}&challenge=${CHALLENGE}&opaque=`), "8f1e6c20")).toEqual({
    kind: "reconnect",
    query: "?authmod=adobe&user=alice&challenge=8f1e6c20&response=vRVHJdh2IwFKLeCXvpbucg==",
  });
});

test("a login by Limelight's scheme does the same in its own form", () => {
  const login = new LoginDialogue(ALICE, "live");
  const wanted = demand("[ AccessManager.Reject ] : [ code=403 need auth; authmod=llnw ] : ");
  expect(login.answer(wanted, "00000000")).toEqual({ kind: "reconnect", query: "?authmod=llnw&user=alice" });
  const challenge = demand("[ AccessManager.Reject ] : [ authmod=llnw ] : ?reason=needauth&user=alice&nonce=a1b2c3d4");
  expect(login.answer(challenge, "0000abcd")).toEqual({
    kind: "reconnect",
    query:
      "?authmod=llnw&user=alice&nonce=a1b2c3d4&cnonce=0000abcd&nc=00000001&response=931ed95b37430b0ae39ac8a9b33258f8",
  });
});

test.each([
  { name: "asks for the name again", says: [NAME_WANTED, NAME_WANTED] },
  { name: "asks for the name again after the proof", says: [NAME_WANTED, ADOBE_CHALLENGE, NAME_WANTED] },
  { name: "challenges again and again", says: [NAME_WANTED, ADOBE_CHALLENGE, ADOBE_CHALLENGE] },
  { name: "does not know the user", says: [NAME_WANTED, demand("authmod=adobe : ?reason=nosuchuser")] },
  { name: "does not take the proof", says: [ADOBE_CHALLENGE, demand("authmod=adobe : ?reason=authfailed")] },
  { name: "refuses in other words", says: [ADOBE_CHALLENGE, demand("[ AccessManager.Reject ] : no")] },
])("a server that $name has refused us", ({ says }) => {
  const login = new LoginDialogue(ALICE, "live");
  const steps = says.map((said) => login.answer(said, "8f1e6c20").kind);
  expect(steps).toEqual([...says.slice(1).map(() => "reconnect"), "refused"]);
});

test("an unknown kind of login demand gets no reply", () => {
  const login = new LoginDialogue(ALICE, "live");
  expect(login.answer(demand("authmod=kerberos"), "8f1e6c20")).toEqual({ kind: "unsupported" });
});
