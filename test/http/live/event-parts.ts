import { randomBytes } from "node:crypto";
import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { AuditStore } from "../../../src/control/audit/audit.ts";
import { AuditLog } from "../../../src/control/audit/audit-log.ts";
import type { Contact, ContactResult } from "../../../src/control/contacts/contact.ts";
import { Contacts } from "../../../src/control/contacts/contacts.ts";
import { Callbacks, type CallbacksOptions } from "../../../src/control/events/callbacks.ts";
import { type AttemptResult, Deliveries } from "../../../src/control/events/deliveries.ts";
import { EventWriter } from "../../../src/control/events/event-writer.ts";
import type { ChannelEvent } from "../../../src/control/events/events.ts";
import { HistoryReader } from "../../../src/control/history/history-reader.ts";
import { HistoryWriter } from "../../../src/control/history/history-writer.ts";
import { RefusedEncoders } from "../../../src/control/live/refused-encoders.ts";
import { currentAudit } from "../../../src/http/auth/request-actor.ts";
import type { EventUseCases } from "../../../src/http/routes/events.ts";
import { keepAudit } from "../../../src/store/audit/audit-store.ts";
import type { Database } from "../../../src/store/database/database.ts";
import { SqlContactStore } from "../../../src/store/deliveries/contact-store.ts";
import { SqlDeliveryStore } from "../../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../../src/store/events/event-store.ts";
import { SqlRefusedEncoderStore } from "../../../src/store/events/refused-encoder-store.ts";
import { SqlHistoryStore } from "../../../src/store/history/history-store.ts";
import { SqlReportStore } from "../../../src/store/reports/report-store.ts";
import type { Message } from "../../../src/webhooks/http-post.ts";
import { WebhookTester } from "../../../src/webhooks/test-message.ts";

/** Events over a real database, with webhooks that are waiting and never sent. */
export class EventParts {
  readonly writer: EventWriter;
  readonly store: SqlDeliveryStore;
  readonly reports: SqlReportStore;
  readonly history: HistoryWriter;
  readonly refusedEncoders: RefusedEncoders;
  readonly audit: { readonly store: AuditStore; readonly log: AuditLog };
  readonly useCases: EventUseCases;
  /** Test messages, and the result of the next one. */
  readonly posted: Message[] = [];
  postResult: AttemptResult = { status: 204 };
  contactResult: ContactResult = { status: 200 };
  /** The contacts that got a test message, with their addresses in full. */
  readonly testedContacts: Contact[] = [];
  /** How often a delivery was announced as due. */
  wakeCount = 0;
  readonly #written: ChannelEvent[] = [];
  #onWritten: () => void = () => undefined;

  constructor(database: Database, clock: Clock, log: Log, publish: CallbacksOptions["publish"]) {
    const events = new SqlEventStore(database);
    this.reports = new SqlReportStore(database);
    this.store = new SqlDeliveryStore(database);
    const wake = () => {
      this.wakeCount += 1;
    };
    this.writer = new EventWriter({
      store: events,
      clock,
      log,
      onWritten: (event) => {
        this.#written.push(event);
        this.#onWritten();
      },
    });
    const history = new SqlHistoryStore(database);
    this.history = new HistoryWriter({ store: history, clock, log });
    const post = async (message: Message) => {
      this.posted.push(message);
      return this.postResult;
    };
    const tester = new WebhookTester({ store: this.store, post, clock });
    this.refusedEncoders = new RefusedEncoders({ store: new SqlRefusedEncoderStore(database), clock, log });
    const audit = keepAudit(database, currentAudit);
    this.audit = { store: audit, log: new AuditLog({ store: audit, clock, log, wake }) };
    this.useCases = {
      refusedEncoders: this.refusedEncoders,
      events,
      history: new HistoryReader(history, this.history, clock),
      reports: this.reports,
      callbacks: new Callbacks({ store: this.store, clock, randomBytes, publish, wake }),
      deliveries: new Deliveries({ store: this.store, clock, wake }),
      contacts: new Contacts({
        ...{ store: new SqlContactStore(database), clock, randomBytes, wake },
        sendTest: async (contact) => {
          this.testedContacts.push(contact);
          return this.contactResult;
        },
      }),
      sendTest: (scope, channelName) => tester.send(scope, channelName),
    };
  }

  /** Resolves once so many events are stored, over all. */
  async written(count: number): Promise<readonly ChannelEvent[]> {
    while (this.#written.length < count) {
      await new Promise<void>((resolve) => {
        this.#onWritten = resolve;
      });
    }
    return this.#written;
  }
}
