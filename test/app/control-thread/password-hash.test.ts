import { expect, test } from "vitest";
import { Argon2Hasher } from "../../../src/app/control-thread/password-hash.ts";

test("a hash costs what RFC 9106 recommends, and only its own password fits, in any form of its letters", async () => {
  const hasher = new Argon2Hasher();
  const hash = await hasher.hash("caf\u00e9 \u00c5");
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await hasher.verify("cafe\u0301 \u212b", hash)).toBe(true);
  expect(await hasher.verify("cafe A", hash)).toBe(false);
});

test("a hash keeps its own cost, whatever the cost of new ones is", async () => {
  const hash = await new Argon2Hasher({ memory: 64, passes: 1, parallelism: 2 }).hash("secret");
  expect(hash).toContain("$m=64,t=1,p=2$");
  expect(await new Argon2Hasher().verify("secret", hash)).toBe(true);
  await expect(new Argon2Hasher().verify("secret", "$2b$10$another")).rejects.toThrow("not argon2id");
});
