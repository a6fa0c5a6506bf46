import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SpentChallenges } from "../../src/control/access/spent-challenges.ts";
import { IngestLogins, type LoginFailure } from "../../src/ingest/rtmp/ingest-logins.ts";
import type { ChallengeBasis } from "../../src/ingest/rtmp/login-challenges.ts";
import { loginSecrets } from "../../src/node-link/link-secret.ts";
import { LoginDialogue, readLoginDemand } from "../../src/protocol/rtmp/server/publish-auth.ts";
import { readLogin } from "../../src/protocol/rtmp/server/server-login.ts";
import type { IngestUser } from "../../src/thread-protocol/admission.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const APP = "relay/login";
const ADDRESS = "192.0.2.1";
const USER: IngestUser = { channelId: "ls-1", password: "s3cr3t!" };

/** The secrets of each, and the second one's clock. */
type Servers = {
  readonly secrets?: readonly (readonly Uint8Array[])[];
  readonly skewMs?: number;
  readonly isAheadMs?: number;
};

/** Our own client against the server's side, one connection for each step. */
class Talk {
  readonly clock = new VirtualClock();
  readonly asked: string[] = [];
  readonly failures: LoginFailure[] = [];
  heldBackMs = 0;
  readonly #spent = new SpentChallenges(this.clock);
  /** Two threads or servers: each step comes to the other one. */
  readonly #threads: readonly [IngestLogins, IngestLogins];
  #steps = 0;

  /** `isOneThread`: each thread counts failures for itself. `servers`: what the second one has, where it differs. */
  constructor(isOneThread = false, servers: Servers = {}) {
    const { secrets = [[randomBytes(32)]], skewMs = 0, isAheadMs = 0 } = servers;
    const [own = [], others = own] = secrets;
    const basis = { secrets: own, now: () => this.clock.now(), skewMs };
    const first = this.#newLogins(basis);
    const other = { secrets: others, now: () => this.clock.now() + isAheadMs, skewMs };
    this.#threads = [first, isOneThread ? first : this.#newLogins(other)];
  }

  #newLogins(challenges: ChallengeBasis): IngestLogins {
    return new IngestLogins({
      clock: this.clock,
      challenges,
      randomBytes,
      findUser: async (id, challenge) => {
        this.asked.push(id);
        const isFirstUse = challenge !== undefined && this.#spent.spend(challenge);
        return id === "alice" ? { user: USER, isFirstUse } : { isFirstUse };
      },
      onFailure: (failure) => {
        this.failures.push(failure);
        return this.heldBackMs;
      },
    });
  }

  async say(query: string, app = APP, address = ADDRESS) {
    const { attempt, app: bare } = readLogin(`${app}${query}`, "");
    if (attempt === undefined) throw new Error("no login");
    let verdict: Awaited<ReturnType<IngestLogins["decide"]>> | undefined;
    this.#steps += 1;
    const done = this.#threads[this.#steps % 2 === 0 ? 0 : 1]
      .decide({ attempt, app: bare }, address)
      .then((decided) => {
        verdict = decided;
      });
    // A look-up takes no time of this clock; a refusal does not come before its second is over.
    await new Promise(setImmediate);
    const wasPrompt = verdict !== undefined;
    if (!wasPrompt) {
      this.clock.advance(999);
      await new Promise(setImmediate);
      expect(verdict).toBeUndefined();
      this.clock.advance(1);
    }
    await done;
    if (verdict === undefined) throw new Error("no verdict");
    return { ...verdict, wasPrompt };
  }

  /** The proof a client would send, after the steps before it. */
  async proof(id: string, password: string, app = APP, address = ADDRESS): Promise<string> {
    const dialogue = new LoginDialogue({ id, password }, app);
    let query = "";
    for (let step = 0; step < 2; step += 1) {
      const { decision } = await this.say(query, app, address);
      if (decision.kind !== "ask") throw new Error(`asked for nothing: ${decision.kind}`);
      const demand = readLoginDemand(decision.description);
      const next = demand === undefined ? undefined : dialogue.answer(demand, "8f1e6c20");
      if (next?.kind !== "reconnect") throw new Error("the client gave up");
      query = next.query;
    }
    return query;
  }
}

test.each(["relay/login", "login", "login-llnw", "a/login-llnw", "login?x=1"])(
  "the right password at %s",
  async (app) => {
    const talk = new Talk();
    const proof = await talk.proof("alice", USER.password, app);
    // No user is looked up before there is a proof to check, so the time shows nothing.
    expect(talk.asked).toEqual([]);
    const verdict = await talk.say(proof, app);
    expect(verdict).toEqual({
      decision: { kind: "accept" },
      login: { id: "alice", password: USER.password },
      wasPrompt: true,
    });
  },
);

test("a wrong password and an unknown user are asked, answered and delayed alike", async () => {
  const talk = new Talk();
  const wrong = await talk.say(await talk.proof("alice", "wrong"));
  const unknown = await talk.say(await talk.proof("nobody", "wrong"));
  expect(wrong.decision).toEqual({
    kind: "refuse",
    description: "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed",
  });
  expect(unknown.decision).toEqual(wrong.decision);
  expect([wrong.wasPrompt, unknown.wasPrompt]).toEqual([false, false]);
  expect(talk.failures).toEqual([
    { reason: "auth-failed", address: ADDRESS, channelId: "ls-1" },
    { reason: "auth-failed", address: ADDRESS },
  ]);
  const empty = await talk.say(await talk.proof("nobody", ""));
  expect(empty.decision.kind).toBe("refuse");
});

test("a user name has one salt, also that of an unknown user, and each challenge is new", async () => {
  const talk = new Talk();
  const given = async (id: string) => {
    const { decision } = await talk.say(`?authmod=adobe&user=${id}`);
    const demand = decision.kind === "ask" ? readLoginDemand(decision.description) : undefined;
    if (demand?.kind !== "challenge" || demand.scheme !== "adobe") throw new Error("no challenge");
    return demand.challenge;
  };
  const [alice, again, unknown, unknownAgain] = [
    await given("alice"),
    await given("alice"),
    await given("nobody"),
    await given("nobody"),
  ];
  expect(again.salt).toBe(alice.salt);
  expect(unknownAgain.salt).toBe(unknown.salt);
  expect(unknown.salt).not.toBe(alice.salt);
  // librtmp has room for this much: a longer one would crash encoders.
  expect(alice.opaque).toMatch(/^[\w-]{22}$/);
  expect(new Set([alice, again, unknown, unknownAgain].map(({ opaque }) => opaque)).size).toBe(4);
});

test("a proof is good once", async () => {
  const talk = new Talk();
  const proof = await talk.proof("alice", USER.password);
  expect((await talk.say(proof)).decision.kind).toBe("accept");
  expect((await talk.say(proof)).decision.kind).toBe("refuse");
  // A wrong proof uses up its challenge, too.
  const wrong = await talk.proof("alice", "wrong");
  expect((await talk.say(wrong)).decision.kind).toBe("refuse");
});

test("a challenge expires after a minute", async () => {
  const talk = new Talk();
  const [late, inTime] = [await talk.proof("alice", USER.password), await talk.proof("alice", USER.password)];
  talk.clock.advance(59_999);
  expect((await talk.say(inTime)).decision.kind).toBe("accept");
  talk.clock.advance(1);
  expect((await talk.say(late)).decision.kind).toBe("refuse");
});

test("a challenge is good from the address that asked, for the user it was given to, and only if we made it", async () => {
  const talk = new Talk();
  const elsewhere = await talk.say(await talk.proof("alice", USER.password), APP, "192.0.2.2");
  expect(elsewhere.decision.kind).toBe("refuse");
  const others = (await talk.proof("nobody", USER.password)).replace("user=nobody", "user=alice");
  expect((await talk.say(others)).decision.kind).toBe("refuse");
  for (const token of ["", "00", "f".repeat(48), "ü".repeat(48), "b3BhcXVl"]) {
    const forged = (await talk.proof("alice", USER.password)).replace(/opaque=.*/, `opaque=${token}`);
    expect((await talk.say(forged)).decision.kind).toBe("refuse");
  }
  const foreign = await new Talk().proof("alice", USER.password);
  expect((await talk.say(foreign)).decision.kind).toBe("refuse");
});

describe("over two servers", () => {
  const [older, newer] = ["an older secret of the whole cluster", "a newer secret of the whole cluster"];
  const [first, second] = [loginSecrets(`${older}\n${newer}\n`), loginSecrets(`${newer}\n${older}\n`)];

  test.each([
    ["that have one secret", [loginSecrets(older), loginSecrets(older)]],
    ["of which the asking one changes its secret later", [first, second]],
    ["of which the asking one has the newer secret already", [second, first]],
    ["of which the other one does not know the newer secret yet", [first, loginSecrets(older)]],
  ])("%s a login begins at one and ends at the other", async (_servers, secrets) => {
    const talk = new Talk(false, { secrets, skewMs: 60_000 });
    expect((await talk.say(await talk.proof("alice", USER.password))).decision.kind).toBe("accept");
  });

  test.each([
    [-58, "accept"],
    [58, "accept"],
    [-62, "refuse"],
    [122, "refuse"],
  ])("whose clocks are %i s apart", async (aheadSeconds, expected) => {
    const talk = new Talk(false, { skewMs: 60_000, isAheadMs: aheadSeconds * 1_000 });
    talk.clock.advance(600_000);
    // The first server gives the challenge, the second one judges the proof.
    const { decision } = await talk.say(await talk.proof("alice", USER.password));
    expect(decision.kind).toBe(expected);
  });
});

test("without a reply to the look-up the encoder is closed, to try again", async () => {
  const clock = new VirtualClock();
  const findUser = async () => "unavailable" as const;
  const logins = new IngestLogins({
    ...{ clock, randomBytes, findUser, onFailure: () => 0 },
    challenges: { secrets: [Buffer.alloc(32)], now: () => clock.now(), skewMs: 0 },
  });
  const attempt = { kind: "proof", scheme: "adobe", id: "a", token: "", clientChallenge: "", response: "" } as const;
  expect(await logins.decide({ attempt, app: APP }, ADDRESS)).toEqual({ decision: { kind: "unavailable" } });
});

describe("guesses", () => {
  /** As many failed logins as a machine may have in a minute. */
  const FREE = 10;
  const guess = async (talk: Talk, address: string, password = "wrong", id = "alice") =>
    (await talk.say(await talk.proof(id, password, APP, address), APP, address)).decision.kind;
  const guesses = async (talk: Talk, count: number, address: (index: number) => string) => {
    for (let index = 0; index < count; index += 1) expect(await guess(talk, address(index))).toBe("refuse");
  };
  /** A proof that is judged to the end, whether or not its encoder waits. */
  const sent = async (talk: Talk, address: string, password: string) => {
    const proof = await talk.proof("alice", password, APP, address);
    return () => void talk.say(proof, APP, address).catch(() => undefined);
  };

  test("are counted and reported at the verdict, not when the answer is read", async () => {
    const talk = new Talk(true);
    const proofs = [];
    for (let index = 0; index < FREE * 3; index += 1) proofs.push(await sent(talk, ADDRESS, `wrong ${index}`));
    const right = await talk.proof("alice", USER.password);
    // All at once, over many connections that hang up without waiting; no time passes.
    for (const send of proofs) send();
    await new Promise(setImmediate);
    const reasons = talk.failures.map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === "auth-failed")).toHaveLength(FREE);
    expect(reasons.filter((reason) => reason === "too-many-guesses")).toHaveLength(FREE * 2);
    // Not checked, so the reply reveals nothing about the password.
    expect((await talk.say(right)).decision).toEqual({ kind: "unavailable" });
  });

  test("of one network leave others alone, and are forgotten a minute after the first", async () => {
    const talk = new Talk(true);
    const beganMs = talk.clock.now();
    await guesses(talk, FREE, () => ADDRESS);
    expect(await guess(talk, ADDRESS, USER.password)).toBe("unavailable");
    expect(await guess(talk, "198.51.100.1", USER.password)).toBe("accept");
    talk.clock.advance(beganMs + 61_000 - talk.clock.now());
    expect(await guess(talk, ADDRESS, USER.password)).toBe("accept");
  });

  test.each([
    ["/56", (index: number) => `2001:db8:0:${index.toString(16)}::1`, 40],
    ["/24", (index: number) => `192.0.2.${index}`, 40],
  ])("from ever new addresses of a %s run into its bound", async (_what, address, count) => {
    const talk = new Talk(true);
    const refused = [];
    for (let index = 0; index < count; index += 1) refused.push(await sent(talk, address(index), "wrong"));
    const right = await talk.proof("alice", USER.password, APP, address(200));
    for (const send of refused) send();
    await new Promise(setImmediate);
    expect(talk.failures.map(({ reason }) => reason)).toEqual(Array.from({ length: count }, () => "auth-failed"));
    expect((await talk.say(right, APP, address(200))).decision.kind).toBe("unavailable");
  });

  test("do not shut out a user where it logged in before", async () => {
    const talk = new Talk(true);
    expect(await guess(talk, ADDRESS, USER.password)).toBe("accept");
    await guesses(talk, FREE, (index) => `192.0.2.${100 + (index % 2)}`);
    for (let index = 0; index < FREE; index += 1) expect(await guess(talk, ADDRESS, "wrong", "nobody")).toBe("refuse");
    expect(await guess(talk, ADDRESS, "wrong", "nobody")).toBe("unavailable");
    expect(await guess(talk, ADDRESS, USER.password)).toBe("accept");
    // But guesses there are bounded, too.
    for (let index = 0; index < FREE; index += 1) expect(await guess(talk, ADDRESS)).toBe("refuse");
    expect(await guess(talk, ADDRESS, USER.password)).toBe("unavailable");
  });

  test("are held back for as long as refused keys are", async () => {
    const talk = new Talk(true);
    talk.heldBackMs = 4_000;
    let verdict: string | undefined;
    const proof = await talk.proof("alice", "wrong");
    void talk.say(proof).then(({ decision }) => {
      verdict = decision.kind;
    });
    for (const [byMs, expected] of [
      [4_999 - 1_000, undefined],
      [1, "refuse"],
    ] as const) {
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      talk.clock.advance(byMs);
      await new Promise(setImmediate);
      expect(verdict).toBe(expected);
    }
  });
});
