import path from "node:path";
import { expect, test } from "vitest";
import { patternsIn, type SourcePattern } from "./support/checks/source-patterns.ts";
import { threadMs } from "./support/processes/thread-time.ts";

/** More than a publish name, a header or a field of the API may have. */
const FOREIGN_CHARACTERS_MAX = 16_384;
/** A pattern whose time grows with the square of the length takes a quarter of a second, one that grows with the length itself a tenth of this. */
const BOUND_MS = 40;

/**
 * Patterns that never read what an unauthenticated peer, a platform, an encoder or a browser sends; and what they read
 * instead.
 */
const OWN_TEXT: Readonly<Record<string, string>> = {
  "app/config/": "the operator's settings, this machine's addresses",
  "app/commands/restore.ts": "a time of our own",
  "app/control-thread/server-options.ts": "the operator's settings",
  "app/control-thread/password-hash.ts": "what this program has hashed and stored",
  "cli/": "the operator's command line",
  "client/": "the address of a server, from its own caller",
  "control/access/ids.ts": "a time of our own",
  "control/channels/plan.ts": "the operator's settings",
  "thread-protocol/targets/target-errors.ts": "our own sentences",
  "http/answers/docs-page.ts": "our own descriptions",
  "http/answers/openapi.ts": "our own paths",
  "net/dns/hosts-file.ts": "the operator's hosts file",
  "net/cidr-list.ts": "the operator's settings",
  "store/secrets/key-file.ts": "our own key file",
  "testkit/": "a test's own text",
};

/** Patterns that read shorter text: a bound before them cuts it. */
const SHORTER: Readonly<Record<string, number>> = { "telemetry/logger.ts": 8_000 };

/** Built when the program runs, each of closed words. */
const PUT_TOGETHER = ["protocol/rtmp/server/publish-auth.ts"];

/** What a hostile text repeats, between what leads a pattern astray and what then fails to match. */
const PUMPS = [
  ..." \t\na0A_-/=?&.:;,#@%[]<>`\"'{}\\\u00a0\u200b\uac00",
  "a.",
  "a-",
  "0.",
  "1=",
  "?a",
  "?a=",
  "&a=b",
  "rtmp://",
  "a://",
  "//",
  "\r\n",
  "Bearer ",
  "authmod=",
  "push a ",
  "-----BEGIN CERTIFICATE-----",
  "-----BEGIN CERTIFICATE-----A",
  "in us",
  "?reason=needauth",
  "NetStream.",
] as const;
const HEADS = [
  "",
  "x",
  "rtmp://a/",
  "[",
  "push ",
  "Bearer",
  "NetStream.",
  "-----BEGIN CERTIFICATE-----",
  "1A=",
] as const;
const TAILS = ["!", "\n!", "/"] as const;

const isOwn = ({ file }: SourcePattern) => Object.keys(OWN_TEXT).some((name) => file.startsWith(name));

/** What the text costs a pattern in its use: every match replaced, or one looked for. */
function costMs(pattern: RegExp, text: string): number {
  return threadMs(() => {
    if (pattern.global) text.replace(pattern, "");
    else pattern.test(text);
  });
}

type Hostile = { readonly text: string; readonly name: string };

/** All hostile texts of a length. They are kept: to make them takes longer than most patterns do. */
function hostileTexts(length: number): readonly Hostile[] {
  const known = textsByLength.get(length);
  if (known !== undefined) return known;
  const made = PUMPS.flatMap((pump) =>
    HEADS.flatMap((head) =>
      TAILS.map((tail) => ({
        text: head + pump.repeat(Math.floor((length - head.length - tail.length) / pump.length)) + tail,
        name: `${head}(${pump})*${tail}`,
      })),
    ),
  );
  textsByLength.set(length, made);
  return made;
}
const textsByLength = new Map<number, readonly Hostile[]>();

/** The worst of all hostile texts of a length, each in its best of three runs. */
function worst(pattern: RegExp, length: number): { readonly costMs: number; readonly text: string } {
  let found = { costMs: 0, text: "" };
  for (const { text, name } of hostileTexts(length)) {
    let cost = costMs(pattern, text);
    for (let go = 1; go < 3 && cost > found.costMs; go += 1) cost = Math.min(cost, costMs(pattern, text));
    if (cost > found.costMs) found = { costMs: cost, text: name };
    if (cost > 2 * BOUND_MS) return found;
  }
  return found;
}

const all = patternsIn(path.join(import.meta.dirname, "../src"));
const foreign = all.filter((each) => !isOwn(each));

test("every pattern is found, and every rule about a file is about one that has patterns", () => {
  expect(all.length).toBeGreaterThan(60);
  const withoutAny = Object.keys(OWN_TEXT).filter((name) => !all.some(({ file }) => file.startsWith(name)));
  expect(withoutAny).toEqual([]);
  expect(all.filter(({ pattern }) => pattern === undefined).map(({ file }) => file)).toEqual(PUT_TOGETHER);
});

test("the hostile texts slow down every pattern that can be slowed, as a trim by pattern shows", () => {
  expect(worst(/^[\t\n\v\f\r ]+|[\t\n\v\f\r ]+$/g, 20_000).costMs).toBeGreaterThan(BOUND_MS);
  expect(worst(/[^/]*$/, 20_000).costMs).toBeGreaterThan(BOUND_MS);
});

test.each(foreign.flatMap(({ file, pattern }) => (pattern === undefined ? [] : [{ file, pattern }])))(
  "$file: $pattern takes a time that grows with the text it reads, and no more",
  ({ file, pattern }) => {
    const { costMs: cost, text } = worst(pattern, SHORTER[file] ?? FOREIGN_CHARACTERS_MAX);
    expect(cost, `for ${JSON.stringify(text)}`).toBeLessThan(BOUND_MS);
  },
);
