import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { SpentChallenges } from "../../src/control/spent-challenges.ts";
import type { IngestUser } from "../../src/exchange/admission.ts";
import { IngestLogins } from "../../src/ingest/ingest-logins.ts";
import { LoginDialogue, readLoginDemand } from "../../src/protocol/rtmp/publish-auth.ts";
import { readLogin } from "../../src/protocol/rtmp/server-login.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const APP = "relay/login";
const ADDRESS = "192.0.2.1";
const USER: IngestUser = { channelId: "ls-1", password: "s3cr3t!" };

/** Our own client against the server's side, one connection for each step. */
class Talk {
  readonly clock = new VirtualClock();
  readonly asked: string[] = [];
  readonly #spent = new SpentChallenges(this.clock);
  readonly #secret = randomBytes(32);
  /** Two threads' worth: each step comes to the other one. */
  readonly #threads = [this.#newLogins(), this.#newLogins()] as const;
  #steps = 0;

  #newLogins(): IngestLogins {
    return new IngestLogins({
      clock: this.clock,
      processNow: () => this.clock.now(),
      challengeSecret: this.#secret,
      randomBytes,
      findUser: async (id, challenge) => {
        this.asked.push(id);
        const isFirstUse = challenge !== undefined && this.#spent.spend(challenge);
        return id === "alice" ? { user: USER, isFirstUse } : { isFirstUse };
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
    // What a look-up takes passes without any clock; a refusal does not come before its second is over.
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
  async proof(id: string, password: string, app = APP): Promise<string> {
    const dialogue = new LoginDialogue({ id, password }, app);
    let query = "";
    for (let step = 0; step < 2; step += 1) {
      const { decision } = await this.say(query, app);
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
    // Nobody is looked up before there is something to check: so it cannot be heard who exists.
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
  expect([wrong.channelId, unknown.channelId]).toEqual(["ls-1", undefined]);
  const empty = await talk.say(await talk.proof("nobody", ""));
  expect(empty.decision.kind).toBe("refuse");
});

test("a salt stays a user's own, also of one who is not there; a challenge is another each time", async () => {
  const talk = new Talk();
  const given = async (id: string) => {
    const { decision } = await talk.say(`?authmod=adobe&user=${id}`);
    const demand = decision.kind === "ask" ? readLoginDemand(decision.description) : undefined;
    if (demand?.kind !== "challenge" || demand.scheme !== "adobe") throw new Error("no challenge");
    return demand.challenge;
  };
  const [alice, again, nobody, nobodyAgain] = [
    await given("alice"),
    await given("alice"),
    await given("nobody"),
    await given("nobody"),
  ];
  expect(again.salt).toBe(alice.salt);
  expect(nobodyAgain.salt).toBe(nobody.salt);
  expect(nobody.salt).not.toBe(alice.salt);
  // What librtmp has room for: a longer one would break encoders.
  expect(alice.opaque).toMatch(/^[\w-]{22}$/);
  expect(new Set([alice, again, nobody, nobodyAgain].map(({ opaque }) => opaque)).size).toBe(4);
});

test("a proof is good once", async () => {
  const talk = new Talk();
  const proof = await talk.proof("alice", USER.password);
  expect((await talk.say(proof)).decision.kind).toBe("accept");
  expect((await talk.say(proof)).decision.kind).toBe("refuse");
  // A wrong one uses its challenge up as well.
  const wrong = await talk.proof("alice", "wrong");
  expect((await talk.say(wrong)).decision.kind).toBe("refuse");
});

test("a challenge is over after a minute", async () => {
  const talk = new Talk();
  const [late, inTime] = [await talk.proof("alice", USER.password), await talk.proof("alice", USER.password)];
  talk.clock.advance(59_999);
  expect((await talk.say(inTime)).decision.kind).toBe("accept");
  talk.clock.advance(1);
  expect((await talk.say(late)).decision.kind).toBe("refuse");
});

test("a challenge is good from the address that asked, for the user it was given to, and made by us alone", async () => {
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

test("where nobody answers who it is, the encoder is sent away to try again", async () => {
  const clock = new VirtualClock();
  const findUser = async () => "unavailable" as const;
  const logins = new IngestLogins({
    ...{ clock, randomBytes, findUser },
    ...{ processNow: () => clock.now(), challengeSecret: Buffer.alloc(32) },
  });
  const attempt = { kind: "proof", scheme: "adobe", id: "a", token: "", clientChallenge: "", response: "" } as const;
  expect(await logins.decide({ attempt, app: APP }, ADDRESS)).toEqual({ decision: { kind: "unavailable" } });
});
