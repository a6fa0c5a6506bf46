import { backoffDelayMs } from "../../base/backoff.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { Contact, ContactResult, ContactStore, DueContact } from "../../control/contacts/contact.ts";
import type { Post } from "../http-post.ts";
import { chatMessage } from "./chat-messages.ts";
import { type Digest, digestOf, testDigest } from "./digest.ts";
import type { SendMail } from "./mail.ts";

/** At most this many messages are under way. */
const IN_FLIGHT_MAX = 8;
/** 15 s, 30 s, 1 min … 1 h. */
const RETRY = { baseMs: 15_000, capMs: 60 * 60 * 1_000 };
/** The store is asked again after this long at the latest, in milliseconds: another node may have stored an event. */
const SLEEP_MAX_MS = 60_000;
const SLEEP_MIN_MS = 1_000;

export type ContactSenderDeps = {
  readonly store: ContactStore;
  readonly post: Post;
  /** Absent where no mail server is set. */
  readonly sendMail?: SendMail;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
};

/**
 * Sends contacts what waits for them: everything of one contact in one message. A message that fails is tried again with
 * growing pauses, together with what happened meanwhile. A crash between a message and its note in the database sends it
 * twice.
 */
export class ContactSender {
  readonly #deps: ContactSenderDeps;
  readonly #failures: FailureLog;
  #closing = new AbortController();
  #looking: Promise<void> | undefined;
  #isLookDue = false;
  #timer: Timer | undefined;
  /** When the timer ends, by the clock. */
  #timerMs = 0;

  constructor(deps: ContactSenderDeps) {
    this.#deps = deps;
    this.#failures = new FailureLog({
      ...{ clock: deps.clock, log: deps.log },
      failed: "messages to contacts could not be read or noted, will retry",
      worksAgain: "messages to contacts are read again",
    });
  }

  /** Something may be due: a contact changed, or the process has started. Never waits. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    this.#isLookDue = true;
    this.#looking ??= this.#look();
  }

  /** An event was stored. Never waits; many events within a second cause one look. */
  eventStored(): void {
    const { clock } = this.#deps;
    if (this.#looking !== undefined) this.#isLookDue = true;
    else if (this.#timerMs - clock.now() > SLEEP_MIN_MS) this.#sleep(SLEEP_MIN_MS);
  }

  /** Sends a test message once, at once. Never rejects. */
  async sendTest(contact: Contact): Promise<ContactResult> {
    return (await this.#send(contact, testDigest(contact.language))) ?? { problem: "TIMEOUT" };
  }

  /**
   * Cancels what is under way, and begins nothing until `goOn`; it is tried again then, or by the next process.
   * Idempotent.
   */
  async pause(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await this.#looking;
  }

  goOn(): void {
    this.#closing = new AbortController();
    this.wake();
  }

  async #look(): Promise<void> {
    let sleepMs = SLEEP_MAX_MS;
    while (this.#isLookDue && !this.#closing.signal.aborted) {
      this.#isLookDue = false;
      sleepMs = await this.#sendDue();
    }
    this.#looking = undefined;
    this.#sleep(sleepMs);
  }

  #sleep(sleepMs: number): void {
    const { clock } = this.#deps;
    this.#timer?.cancel();
    if (this.#closing.signal.aborted) return;
    this.#timerMs = clock.now() + sleepMs;
    this.#timer = clock.startTimer(sleepMs, () => this.wake());
  }

  /** Returns after how many milliseconds to look again. */
  async #sendDue(): Promise<number> {
    const { store, clock } = this.#deps;
    try {
      const due = await store.claimDueContacts(clock.wallNow(), IN_FLIGHT_MAX);
      await Promise.all(due.map((each) => this.#deliver(each)));
      const nextTime = await store.findNextContactTime();
      this.#failures.worked();
      if (nextTime === undefined) return SLEEP_MAX_MS;
      return Math.min(SLEEP_MAX_MS, Math.max(SLEEP_MIN_MS, nextTime - clock.wallNow()));
    } catch (error) {
      this.#failures.failed(error);
      return SLEEP_MIN_MS;
    }
  }

  async #deliver(due: DueContact): Promise<void> {
    const { store, clock, random, log } = this.#deps;
    const { contact, events, droppedCount, attempts } = due;
    const result = await this.#send(contact, digestOf(events, droppedCount, contact.language));
    if (result === undefined) return store.release(due);
    const { contactId } = contact;
    if (isSuccess(result)) {
      log.debug("contact told", { contactId, eventCount: events.length });
      return store.markSent(due, clock.wallNow());
    }
    const delayMs = backoffDelayMs(attempts, random, RETRY);
    log.warn("contact not told, will retry", {
      contactId,
      kind: contact.address.kind,
      attempts: attempts + 1,
      ...result,
    });
    await store.markFailed(due, result, clock.wallNow() + delayMs);
  }

  /** Undefined where the end of the process cancelled it. */
  async #send({ address }: Contact, digest: Digest): Promise<ContactResult | undefined> {
    const { post, sendMail } = this.#deps;
    if (address.kind !== "email") return post(chatMessage(address, digest), this.#closing.signal);
    if (sendMail === undefined) return { problem: "NO_MAIL_SERVER" };
    return sendMail(address.to, digest, this.#closing.signal);
  }
}

/** Whether the other side took it. SMTP's codes for that are 2xx too. */
function isSuccess({ status, problem }: ContactResult): boolean {
  return problem === undefined && status !== undefined && status >= 200 && status <= 299;
}
