import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { SpentChallenges } from "../../src/control/access/spent-challenges.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { hangUpAfter, type LoginAnswer, loginProof, sayLogin } from "../support/encoders/login-client.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const DEADLINE_MS = 10_000;
/** Far shorter than any deadline of a connection, long compared to the second that a refusal takes, in milliseconds. */
const STEP_MS = 250;
const CREDENTIALS = { id: "alice", password: "s3cr3t" };

/** A listener on virtual time where one user may log in, and no key is known. */
async function listen() {
  const clock = new VirtualClock();
  const facts: Fact[] = [];
  const proven: (string | undefined)[] = [];
  const spent = new SpentChallenges(clock);
  const listener = new RtmpListener({
    ...{ clock, randomBytes, flush: () => undefined, onFact: (fact) => void facts.push(fact) },
    ...{ challenges: { secrets: [randomBytes(32)], now: () => clock.now(), skewMs: 0 } },
    findUser: async (id, challenge) => {
      const isFirstUse = challenge !== undefined && spent.spend(challenge);
      const user = { channelId: "ls-1", password: CREDENTIALS.password };
      return id === CREDENTIALS.id ? { user, isFirstUse } : { isFirstUse };
    },
    admit: async (_key, login) => {
      proven.push(login?.id);
      return "refused";
    },
    permitPlayer: async () => "refuse",
  });
  onTestFinished(() => listener.close());
  const { port } = await listener.listen({ host: "127.0.0.1", port: 0 });
  return { clock, facts, proven, port };
}

const failedLogins = (facts: readonly Fact[]) =>
  facts.filter((fact) => fact.kind === "ingest-refused" && fact.reason === "auth-failed");

/** The reply, while time passes: a refusal comes a second late. */
async function afterAWhile(clock: VirtualClock, answer: Promise<LoginAnswer>): Promise<LoginAnswer> {
  let come: LoginAnswer | undefined;
  void answer.then((given) => {
    come = given;
  });
  return await waitFor("an answer", DEADLINE_MS, () => {
    clock.advance(STEP_MS);
    return come;
  });
}

const REFUSED = { kind: "login-demanded", demand: { kind: "refused" } };

test.each(["relay/login", "relay/login-llnw"])(
  "at %s a proof that is overheard and repeated is a failed login",
  async (app) => {
    const { clock, facts, proven, port } = await listen();
    const attempt = { port, app, streamKey: "a-key", credentials: CREDENTIALS };
    const proof = await loginProof(attempt);
    expect(await sayLogin(attempt, proof)).toMatchObject({ kind: "publish-rejected" });
    expect(proven).toEqual(["alice"]);
    expect(failedLogins(facts)).toEqual([]);

    expect(await afterAWhile(clock, sayLogin(attempt, proof))).toMatchObject(REFUSED);
    expect(proven).toHaveLength(1);
    await waitFor("the fact", DEADLINE_MS, () => failedLogins(facts)[0]);
    expect(failedLogins(facts)).toMatchObject([{ channelId: "ls-1", remoteAddress: "127.0.0.1", count: 1 }]);
  },
);

test.each(["relay/login", "relay/login-llnw"])(
  "at %s a challenge that is answered after its minute is a failed login",
  async (app) => {
    const { clock, facts, proven, port } = await listen();
    const attempt = { port, app, streamKey: "a-key", credentials: CREDENTIALS };
    const proof = await loginProof(attempt);
    clock.advance(60_000);
    expect(await afterAWhile(clock, sayLogin(attempt, proof))).toMatchObject(REFUSED);
    expect(proven).toEqual([]);
    await waitFor("the fact", DEADLINE_MS, () => failedLogins(facts)[0]);
    expect(failedLogins(facts)).toMatchObject([{ channelId: "ls-1" }]);
  },
);

test("an encoder that hangs up before its refusal is counted and reported, and not checked any more", async () => {
  const { clock, facts, proven, port } = await listen();
  const right = { port, app: "relay/login", streamKey: "a-key", credentials: CREDENTIALS };
  const wrong = { ...right, credentials: { ...CREDENTIALS, password: "wrong" } };
  const proofs = [];
  for (let count = 0; count < 30; count += 1) proofs.push(await loginProof(wrong));
  const goodProof = await loginProof(right);
  const counts = (reason: string) =>
    facts
      .filter((fact) => fact.kind === "ingest-refused" && fact.reason === reason)
      .reduce((sum, fact) => sum + (fact.kind === "ingest-refused" ? fact.count : 0), 0);
  const ends = proofs.map((proof) => hangUpAfter(right, proof));
  // No refusal is due yet: the first is reported at the verdict, a second later the rest of the same reason.
  await waitFor("the first fact", DEADLINE_MS, () => counts("auth-failed") > 0 || undefined);
  for (const end of await Promise.all(ends)) end();
  await waitFor("all facts", DEADLINE_MS, () => {
    clock.advance(STEP_MS);
    return counts("auth-failed") + counts("too-many-guesses") >= 30 || undefined;
  });
  expect([counts("auth-failed"), counts("too-many-guesses")]).toEqual([10, 20]);
  const answer = await afterAWhile(clock, sayLogin(right, goodProof));
  expect([answer, proven]).toEqual(["hung-up", []]);
});
