import type { ContactAddress } from "../../api-contract/contacts/contact-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { RandomBytes } from "../access/ids.ts";
import { DomainError } from "../ports/errors.ts";
import { CONTACTS_MAX, type Contact, type ContactResult, type ContactState, type ContactStore } from "./contact.ts";

/** At most this many test messages are under way. */
const TESTS_MAX = 4;
const ID_BYTES = 9;

export type ContactsDeps = {
  readonly store: ContactStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Sends a test message once. Never rejects. */
  readonly sendTest: (contact: Contact) => Promise<ContactResult>;
  /** Contacts have changed: something may be due. */
  readonly wake: () => void;
};

type Settings = Pick<Contact, "name" | "isEnabled" | "events" | "channelIds" | "language">;
export type NewContact = Settings & { readonly address: ContactAddress };
/** Absent fields stay as they are. The kind stays. */
export type ContactChange = Partial<Settings> & {
  /** Only what its kind has is taken. */
  readonly address?: {
    readonly url?: string;
    readonly botToken?: string;
    readonly chatId?: string;
    readonly apiUrl?: string;
    readonly to?: readonly string[];
  };
};

/** The use cases of contacts: the chat rooms and mailboxes that are told what happens. */
export class Contacts {
  readonly #deps: ContactsDeps;
  #testCount = 0;

  constructor(deps: ContactsDeps) {
    this.#deps = deps;
  }

  list(): Promise<readonly ContactState[]> {
    return this.#deps.store.listContacts();
  }

  /** Throws DomainError `contact-not-found`. */
  async get(contactId: string): Promise<ContactState> {
    const contact = await this.#deps.store.findContact(contactId);
    if (contact === undefined) throw new DomainError({ kind: "contact-not-found" });
    return contact;
  }

  /** Throws DomainError `too-many-contacts`. */
  async create(created: NewContact): Promise<ContactState> {
    const { store, clock, randomBytes } = this.#deps;
    const contactId = `ct-${Buffer.from(randomBytes(ID_BYTES)).toString("base64url")}`;
    const time = clock.wallNow();
    const contact = { ...created, contactId, createdTime: time, updateTime: time };
    if (!(await store.addContact(contact))) throw new DomainError({ kind: "too-many-contacts", limit: CONTACTS_MAX });
    return { ...contact, waitingCount: 0 };
  }

  /** Throws DomainError `contact-not-found`. */
  async update(contactId: string, { address, ...settings }: ContactChange): Promise<ContactState> {
    const { store, clock, wake } = this.#deps;
    const updateTime = clock.wallNow();
    const change = (present: Contact): Contact => ({
      ...present,
      ...settings,
      address: withChange(present.address, address ?? {}),
      updateTime,
    });
    if (!(await store.changeContact(contactId, change))) throw new DomainError({ kind: "contact-not-found" });
    wake();
    return this.get(contactId);
  }

  /** Throws DomainError `contact-not-found`. */
  async delete(contactId: string): Promise<ContactState> {
    const contact = await this.get(contactId);
    if (!(await this.#deps.store.deleteContact(contactId))) throw new DomainError({ kind: "contact-not-found" });
    return contact;
  }

  /** Sends a test message now. Throws DomainError `contact-not-found` and `endpoint-tests-running`. */
  async test(contactId: string): Promise<ContactResult & { readonly durationMs: number }> {
    const { clock, sendTest } = this.#deps;
    const contact = await this.get(contactId);
    if (this.#testCount >= TESTS_MAX) throw new DomainError({ kind: "endpoint-tests-running" });
    this.#testCount += 1;
    const startMs = clock.now();
    try {
      const result = await sendTest(contact);
      return { ...result, durationMs: clock.now() - startMs };
    } finally {
      this.#testCount -= 1;
    }
  }
}

function withChange(address: ContactAddress, change: NonNullable<ContactChange["address"]>): ContactAddress {
  switch (address.kind) {
    case "telegram": {
      const { botToken = address.botToken, chatId = address.chatId, apiUrl = address.apiUrl } = change;
      return { kind: "telegram", botToken, chatId, apiUrl };
    }
    case "email":
      return { kind: "email", to: change.to ?? address.to };
    default:
      return { kind: address.kind, url: change.url ?? address.url };
  }
}
