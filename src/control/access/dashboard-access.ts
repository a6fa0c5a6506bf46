import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { type RandomBytes, randomText } from "./ids.ts";

/** A set-up link works for an hour, in milliseconds. */
const SETUP_MS = 60 * 60 * 1000;
/** A session that is not used for 30 days ends, in milliseconds. */
export const SESSION_IDLE_MS = 30 * 24 * 60 * 60 * 1000;
/** A session's last use is written at most this often, in milliseconds: otherwise every request would be a write. */
const USE_WRITE_INTERVAL_MS = 60 * 60 * 1000;
/** Browsers that can be signed in at a time. One more ends the session that was unused for longest. */
export const SESSIONS_MAX = 100;

/** 32 of these are 165 bits. */
const TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const TOKEN_LENGTH = 32;
const DEVICE_ID_LENGTH = 16;

/** A signed-in browser as stored: only the browser has the token itself. */
export type DashboardSession = { readonly tokenHash: string; readonly lastUsedTime: number };

/** How a token is stored and found. */
export type SetupToken = { readonly tokenHash: string; readonly expiresTime: number };

/** The store of the dashboard's password and sessions. Every call may reject with StoreUnavailableError. */
export interface DashboardStore {
  findPasswordHash(): Promise<string | undefined>;
  /**
   * Replaces the set-up token: there is only one at a time. On a database of several nodes a token that another node made,
   * and that is still valid `now`, stays: false.
   */
  putSetupToken(token: SetupToken, now: number): Promise<boolean>;
  /** Removes the password and all sessions, and keeps this set-up token. */
  resetPassword(token: SetupToken): Promise<void>;
  hasSetupToken(tokenHash: string, now: number): Promise<boolean>;
  /**
   * Uses the token up: sets the password, ends other sessions and begins this one. False where the token is no longer
   * valid.
   */
  completeSetup(tokenHash: string, now: number, passwordHash: string, session: DashboardSession): Promise<boolean>;
  /** Ends all sessions and begins this one. False where the present password's hash is not `oldHash`. */
  changePassword(oldHash: string, newHash: string, session: DashboardSession): Promise<boolean>;
  /** False where the present password is not the one that was checked. */
  addSession(session: DashboardSession, checkedHash: string): Promise<boolean>;
  findSession(tokenHash: string): Promise<DashboardSession | undefined>;
  listSessions(): Promise<readonly DashboardSession[]>;
  markSessionUsed(tokenHash: string, time: number): Promise<void>;
  deleteSession(tokenHash: string): Promise<void>;
}

/** Hashes passwords, slowly on purpose. */
export interface PasswordHasher {
  hash(password: string): Promise<string>;
  verify(password: string, hash: string): Promise<boolean>;
}

export type DashboardAccessOptions = {
  readonly store: DashboardStore;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
};

/** No access key's id has a colon. */
const SESSION_OWNER = "dashboard:";
const OWNER_CHARACTERS = 16;

/** The name of a session, where a key has its id. */
export function sessionOwner(tokenHash: string): string {
  return `${SESSION_OWNER}${tokenHash.slice(0, OWNER_CHARACTERS)}`;
}

/** Whether this is the name of a session, not the id of a key. */
export function isSessionOwner(owner: string): boolean {
  return owner.startsWith(SESSION_OWNER);
}

/** SHA-256 is enough for a token: unlike a password it cannot be guessed. */
function tokenHashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The password's hash holds 256 random bits that no outsider knows, so it serves as the key. */
function deviceProof(passwordHash: string, id: string): string {
  return createHmac("sha256", passwordHash).update(`device ${id}`).digest("hex");
}

/** A new set-up token: the text for the link, and how it is stored. */
export function newSetupToken(now: number, randomBytes: RandomBytes): { readonly text: string } & SetupToken {
  const text = randomText(TOKEN_LENGTH, TOKEN_CHARACTERS, randomBytes);
  return { text, tokenHash: tokenHashOf(text), expiresTime: now + SETUP_MS };
}

/**
 * Access to the dashboard: one password, set through a link that the server prints, and the browsers that are signed
 * in.
 */
export class DashboardAccess {
  readonly #options: DashboardAccessOptions;
  /**
   * When sessions were last used, and when that was last written, in monotonic milliseconds. The stored time is for
   * restarts.
   */
  readonly #uses = new Map<string, { readonly usedMs: number; readonly writtenMs: number }>();
  /** The token of the link that this process offered: valid for its hour even if the wall clock is set. */
  #offered: { readonly tokenHash: string; readonly untilMs: number; readonly expiresTime: number } | undefined;

  constructor(options: DashboardAccessOptions) {
    this.#options = options;
  }

  async needsSetup(): Promise<boolean> {
    return (await this.#options.store.findPasswordHash()) === undefined;
  }

  /**
   * While there is no password: returns a new token for the link, valid for an hour. It replaces the one before. Undefined
   * also where another node has offered one that is still valid.
   */
  async offerSetup(): Promise<string | undefined> {
    const { store, clock, randomBytes } = this.#options;
    if (!(await this.needsSetup())) return undefined;
    const now = clock.wallNow();
    const token = newSetupToken(now, randomBytes);
    if (!(await store.putSetupToken(token, now))) return undefined;
    const { tokenHash, expiresTime } = token;
    this.#offered = { tokenHash, expiresTime, untilMs: clock.now() + SETUP_MS };
    return token.text;
  }

  /** Sets the password. Returns a session's token, or undefined where the set-up token is not valid. */
  async setUp(setupToken: string, password: string): Promise<string | undefined> {
    const { store, hasher } = this.#options;
    const setupHash = tokenHashOf(setupToken);
    // Hashing is expensive: only a valid token makes us do it.
    if (!(await store.hasSetupToken(setupHash, this.#timeFor(setupHash)))) return undefined;
    const passwordHash = await hasher.hash(password);
    const { token, session } = this.#newSession();
    const isDone = await store.completeSetup(setupHash, this.#timeFor(setupHash), passwordHash, session);
    return isDone ? token : undefined;
  }

  /** Returns a session's token, or undefined where the password is wrong. */
  async signIn(password: string): Promise<string | undefined> {
    const { store, hasher } = this.#options;
    const hash = await store.findPasswordHash();
    if (hash === undefined || !(await hasher.verify(password, hash))) return undefined;
    const { token, session } = this.#newSession();
    // The password may have changed while this one was being checked.
    return (await store.addSession(session, hash)) ? token : undefined;
  }

  /** Returns the hash of the session's token; undefined where there is no such session or it has ended. */
  async sessionOf(token: string): Promise<string | undefined> {
    const tokenHash = tokenHashOf(token);
    const session = await this.#options.store.findSession(tokenHash);
    if (session === undefined) this.#uses.delete(tokenHash);
    return session !== undefined && this.#isAlive(session) ? tokenHash : undefined;
  }

  /** Returns which of these sessions have ended. The others have something open, so this counts as a use of them. */
  async goneAmong(owners: ReadonlySet<string>): Promise<readonly string[]> {
    const names = [...owners].filter(isSessionOwner);
    if (names.length === 0) return [];
    const sessions = await this.#options.store.listSessions();
    const used = sessions.filter(({ tokenHash }) => owners.has(sessionOwner(tokenHash)));
    const alive = new Set(
      used.filter((session) => this.#isAlive(session)).map(({ tokenHash }) => sessionOwner(tokenHash)),
    );
    return names.filter((name) => !alive.has(name));
  }

  /** Counts as a use. */
  #isAlive({ tokenHash, lastUsedTime }: DashboardSession): boolean {
    const { store, clock } = this.#options;
    const [nowMs, now] = [clock.now(), clock.wallNow()];
    const use = this.#uses.get(tokenHash);
    const idleMs = use === undefined ? now - lastUsedTime : nowMs - use.usedMs;
    if (idleMs > SESSION_IDLE_MS) {
      this.#uses.delete(tokenHash);
      return false;
    }
    const unwrittenMs = use === undefined ? Math.abs(now - lastUsedTime) : nowMs - use.writtenMs;
    const isWriteDue = unwrittenMs > USE_WRITE_INTERVAL_MS;
    this.#used(tokenHash, isWriteDue || use === undefined ? nowMs : use.writtenMs);
    // No caller waits for it: a write that fails costs an hour's precision.
    if (isWriteDue) store.markSessionUsed(tokenHash, now).catch(() => undefined);
    return true;
  }

  #used(tokenHash: string, writtenMs: number): void {
    this.#uses.delete(tokenHash);
    this.#uses.set(tokenHash, { usedMs: this.#options.clock.now(), writtenMs });
    const [oldest] = this.#uses.keys();
    if (this.#uses.size > SESSIONS_MAX && oldest !== undefined) this.#uses.delete(oldest);
  }

  /** The time that the wall clock would show if it had not been set since this link was offered. */
  #timeFor(setupHash: string): number {
    const { clock } = this.#options;
    const offered = this.#offered;
    if (offered?.tokenHash !== setupHash) return clock.wallNow();
    return Math.round(offered.expiresTime - offered.untilMs + clock.now());
  }

  /**
   * Returns a text for a browser that has just signed in, by which it is recognised the next time. It does not sign in.
   * Valid until the password changes. Undefined where there is no password.
   */
  async newDevice(): Promise<string | undefined> {
    const hash = await this.#options.store.findPasswordHash();
    if (hash === undefined) return undefined;
    const id = randomText(DEVICE_ID_LENGTH, TOKEN_CHARACTERS, this.#options.randomBytes);
    return `${id}.${deviceProof(hash, id)}`;
  }

  /** Returns the browser's id, if `newDevice` made this text for the present password. */
  async deviceOf(text: string): Promise<string | undefined> {
    const hash = await this.#options.store.findPasswordHash();
    if (hash === undefined) return undefined;
    const id = text.slice(0, DEVICE_ID_LENGTH);
    const [given, right] = [Buffer.from(text), Buffer.from(`${id}.${deviceProof(hash, id)}`)];
    return given.length === right.length && timingSafeEqual(given, right) ? id : undefined;
  }

  signOut(tokenHash: string): Promise<void> {
    return this.#options.store.deleteSession(tokenHash);
  }

  /** Ends all sessions. Returns a new token for the browser that asks; undefined where the old password is wrong. */
  async changePassword(oldPassword: string, newPassword: string): Promise<string | undefined> {
    const { store, hasher } = this.#options;
    const oldHash = await store.findPasswordHash();
    if (oldHash === undefined || !(await hasher.verify(oldPassword, oldHash))) return undefined;
    const newHash = await hasher.hash(newPassword);
    const { token, session } = this.#newSession();
    return (await store.changePassword(oldHash, newHash, session)) ? token : undefined;
  }

  #newSession(): { readonly token: string; readonly session: DashboardSession } {
    const { clock, randomBytes } = this.#options;
    const token = randomText(TOKEN_LENGTH, TOKEN_CHARACTERS, randomBytes);
    const tokenHash = tokenHashOf(token);
    this.#used(tokenHash, clock.now());
    return { token, session: { tokenHash, lastUsedTime: clock.wallNow() } };
  }
}
