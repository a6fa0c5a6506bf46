import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from "node:crypto";
import type { PasswordHasher } from "../../control/access/dashboard-access.ts";

/** What one hash costs: memory in KiB, passes over it, and lanes. */
type HashCost = Pick<Argon2Parameters, "memory" | "passes" | "parallelism">;

/** RFC 9106's second recommendation (64 MiB, 3 passes), with one lane: about 0.15 s on one core. */
const COST: HashCost = { memory: 65_536, passes: 3, parallelism: 1 };
const NONCE_BYTES = 16;
const TAG_BYTES = 32;

/** Hashes at a time. Each takes 64 MiB and a thread of Node's pool, which the database's files need too. */
const AT_A_TIME_MAX = 2;

/** The parameters are part of the stored text, so that a later version can choose others. */
const FORM = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/;

function derive(password: string, parameters: Omit<Argon2Parameters, "message">): Promise<Buffer> {
  // A password has several forms in Unicode, and the keyboard decides which one is sent.
  const message = password.normalize("NFKC");
  return new Promise((resolve, reject) => {
    argon2("argon2id", { ...parameters, message }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

const unpadded = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

/** argon2id in the usual text form (`$argon2id$v=19$m=…`), off the main thread, two at a time. */
export class Argon2Hasher implements PasswordHasher {
  readonly #cost: HashCost;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `cost`: of new hashes. Tests take a low one. */
  constructor(cost = COST) {
    this.#cost = cost;
  }

  async hash(password: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const { memory, passes, parallelism } = this.#cost;
    const key = await this.#inTurn(() => derive(password, { ...this.#cost, nonce, tagLength: TAG_BYTES }));
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(nonce)}$${unpadded(key)}`;
  }

  async verify(password: string, hash: string): Promise<boolean> {
    const [, memory, passes, parallelism, nonce = "", key = ""] = FORM.exec(hash) ?? [];
    if (memory === undefined) throw new Error("the database holds a password hash that is not argon2id");
    const expected = Buffer.from(key, "base64");
    const given = await this.#inTurn(() =>
      derive(password, {
        memory: Number(memory),
        passes: Number(passes),
        parallelism: Number(parallelism),
        nonce: Buffer.from(nonce, "base64"),
        tagLength: expected.length,
      }),
    );
    return timingSafeEqual(given, expected);
  }

  /** The caller bounds how many wait: sign-in attempts at a time are limited. */
  async #inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
    if (this.#running >= AT_A_TIME_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      // The place goes to the next in the queue and is never free in between.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
