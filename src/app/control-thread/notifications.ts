import type { ToldTrouble } from "../../api-contract/alerts/alert-tracker.ts";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import { SESSION_IDLE_MS } from "../../control/access/dashboard-access.ts";
import type { RandomBytes } from "../../control/access/ids.ts";
import { AlertWatch } from "../../control/alerts/alert-watch.ts";
import type { AuditStore } from "../../control/audit/audit.ts";
import { type AuditCounts, AuditLog } from "../../control/audit/audit-log.ts";
import { Contacts } from "../../control/contacts/contacts.ts";
import { Callbacks } from "../../control/events/callbacks.ts";
import { Deliveries } from "../../control/events/deliveries.ts";
import { EVENTS_KEPT_MS, EventRetention } from "../../control/events/event-retention.ts";
import { EventWriter } from "../../control/events/event-writer.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { RefusedEncoder } from "../../control/facts/refusal-list.ts";
import type { RunningBroadcast } from "../../control/facts/running-broadcasts.ts";
import type { BroadcastLost, ChannelChanged } from "../../control/facts/server-fact.ts";
import type { ChannelHealth } from "../../control/health/channel-health.ts";
import { type AskElsewhere, HistoryReader } from "../../control/history/history-reader.ts";
import { HistoryWriter } from "../../control/history/history-writer.ts";
import { RefusedEncoders } from "../../control/live/refused-encoders.ts";
import { ReportWriter } from "../../control/reports/report-writer.ts";
import type { BroadcastReport } from "../../control/reports/reports.ts";
import { agingClock } from "../../control/schedules/shared-clock.ts";
import { currentAudit } from "../../http/auth/request-actor.ts";
import type { EventUseCases } from "../../http/routes/events.ts";
import type { PushUseCases } from "../../http/routes/push.ts";
import type { AddressPolicy } from "../../net/address-check.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import { SqlPushStore } from "../../store/access/push-store.ts";
import { keepAudit } from "../../store/audit/audit-store.ts";
import type { Database } from "../../store/database/database.ts";
import { SqlContactStore } from "../../store/deliveries/contact-store.ts";
import { SqlDeliveryStore } from "../../store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../store/events/event-store.ts";
import { SqlRefusedEncoderStore } from "../../store/events/refused-encoder-store.ts";
import { SqlHistoryStore } from "../../store/history/history-store.ts";
import { SqlReportStore } from "../../store/reports/report-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { ContactSender } from "../../webhooks/contacts/contact-sender.ts";
import { createMailer, type MailServer } from "../../webhooks/contacts/mail.ts";
import { Deliverer } from "../../webhooks/deliverer.ts";
import { createHttpPost } from "../../webhooks/http-post.ts";
import { arePushKeys } from "../../webhooks/push/push-encryption.ts";
import { PushSender, type PushSenderOptions } from "../../webhooks/push/push-sender.ts";
import { WebhookTester } from "../../webhooks/test-message.ts";
import type { Unstored } from "../upgrade/process-messages.ts";

/** Records that the audit keeps at most; the oldest go first. */
const AUDIT_RECORDS_MAX = 100_000;

export type NotificationsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  /** The clock of the database where servers share it. */
  readonly sharedClock: Clock;
  readonly randomBytes: RandomBytes;
  readonly random: () => number;
  readonly log: Log;
  /** Private networks in which webhooks and targets are allowed: comma-separated CIDRs, … */
  readonly targetAllow: string;
  /** The server that sends mail; absent: none. */
  readonly mail?: MailServer;
  /** … and the names and ports of this server, where no webhook may go. */
  readonly ownHosts: readonly string[];
  readonly ownPorts: readonly number[];
  /** How long the audit keeps a record, in milliseconds. */
  readonly auditKeptMs: number;
  readonly auditCounts: AuditCounts;
  /** Called with changed callback endpoints. Must not throw. */
  readonly publish: (fact: ChannelChanged | BroadcastLost) => void;
  /** Where several nodes share the database: the ownership in which this process tells of a channel. */
  readonly epochOf?: (channelId: ChannelId) => number | undefined;
  /** … and the end of a former owner's broadcast that is being stored; undefined where none is. */
  readonly finishing?: (channelId: ChannelId) => Promise<void> | undefined;
  /** Called with every event once it is stored. Must not throw. */
  readonly onEvent: (event: ChannelEvent) => void;
  /** … and tells other nodes which encoders this one rejected. */
  readonly tellRefusals?: (attempts: readonly RefusedEncoder[]) => void;
  /** … and asks them for the history that they have not stored yet. */
  readonly historyElsewhere?: AskElsewhere;
  /** Called when a webhook could not be sent because of this machine. */
  readonly onTrouble: (trouble: MachineTrouble) => void;
  /** The verdict on a channel, and the channel itself: what alerts are about. */
  readonly healthOf: (channelId: ChannelId) => ChannelHealth;
  readonly readChannel: PushSenderOptions["readChannel"];
};

/** Events, webhooks, reports and history, built over one database. */
export class Notifications {
  /** For the API's routes. */
  readonly useCases: EventUseCases;
  readonly events: EventWriter;
  readonly reports: ReportWriter;
  readonly history: HistoryWriter;
  readonly refusedEncoders: RefusedEncoders;
  /** Who changed what. */
  readonly audit: { readonly store: AuditStore; readonly log: AuditLog };
  readonly deliverer: Deliverer;
  readonly alerts: AlertWatch;
  /** For the dashboard's routes. */
  readonly pushUseCases: PushUseCases;
  readonly #push: PushSender;
  readonly #contacts: ContactSender;
  readonly #retention: EventRetention;
  readonly #ownPorts: number[];

  constructor(options: NotificationsOptions) {
    const { database, clock, sharedClock, randomBytes, random, log, publish, onEvent, onTrouble } = options;
    const agedBy = agingClock(clock, sharedClock);
    this.#ownPorts = [...options.ownPorts];
    const policy: AddressPolicy = {
      allowed: parseCidrList(options.targetAllow),
      ownHosts: options.ownHosts,
      ownPorts: this.#ownPorts,
    };
    const events = new SqlEventStore(database);
    const store = new SqlDeliveryStore(database);
    const post = createHttpPost({ clock, resolver: createResolver(), policy, onTrouble });
    this.deliverer = new Deliverer({ store, post, clock, dueBy: sharedClock, random, log });
    const contactStore = new SqlContactStore(database);
    this.#contacts = new ContactSender({
      ...{ store: contactStore, post, clock: sharedClock, random, log },
      ...(options.mail === undefined ? {} : { sendMail: createMailer(options.mail) }),
    });
    const wake = () => this.deliverer.wake();
    const epochs = options.epochOf === undefined ? {} : { epochOf: options.epochOf };
    const { finishing } = options;
    this.events = new EventWriter({
      ...{ store: events, clock, log, onWritten: onEvent, ...epochs },
      ...(finishing === undefined ? {} : { finishing }),
    });
    const reports = new SqlReportStore(database);
    this.reports = new ReportWriter({ store: reports, subjects: events, clock, log, publish, ...epochs });
    const audit = keepAudit(database, currentAudit);
    this.audit = { store: audit, log: new AuditLog({ store: audit, clock, log, wake, counts: options.auditCounts }) };
    this.#retention = new EventRetention({
      ...{ clock, agedBy, log },
      rows: [
        { keptMs: EVENTS_KEPT_MS, prune: (time, limit) => events.pruneEvents(time, limit) },
        { keptMs: options.auditKeptMs, prune: (time, limit) => audit.pruneAudit(time, AUDIT_RECORDS_MAX, limit) },
      ],
    });
    const history = new SqlHistoryStore(database);
    this.history = new HistoryWriter({ store: history, clock, agedBy, log });
    const tester = new WebhookTester({ store, post, clock });
    this.refusedEncoders = new RefusedEncoders({
      ...{ store: new SqlRefusedEncoderStore(database), clock, agedBy, log },
      ...(options.tellRefusals === undefined ? {} : { tell: options.tellRefusals }),
    });
    const { healthOf, readChannel } = options;
    const pushes = new SqlPushStore(database);
    const push = new PushSender({
      ...{ store: pushes, post, clock, randomBytes, log, readChannel },
      sessionIdleMs: SESSION_IDLE_MS,
    });
    this.#push = push;
    this.alerts = new AlertWatch({
      ...{ clock, healthOf, hasReaders: () => push.hasReaders },
      onAlert: (alert) => push.alert(alert),
    });
    this.pushUseCases = {
      areKeys: arePushKeys,
      publicKey: () => push.publicKey(),
      subscribe: (subscription, sessionHash) => push.subscribe(subscription, sessionHash),
      unsubscribe: (endpoint) => push.unsubscribe(endpoint),
      sendTest: (endpoint) => push.sendTest(endpoint),
    };
    this.useCases = {
      refusedEncoders: this.refusedEncoders,
      events,
      reports,
      history: new HistoryReader(history, this.history, clock, options.historyElsewhere),
      callbacks: new Callbacks({ store, clock: sharedClock, randomBytes, publish, wake }),
      deliveries: new Deliveries({ store, clock: sharedClock, wake }),
      contacts: new Contacts({
        ...{ store: contactStore, clock: sharedClock, randomBytes },
        sendTest: (contact) => this.#contacts.sendTest(contact),
        wake: () => this.#contacts.wake(),
      }),
      sendTest: (scope, channelName) => tester.send(scope, channelName),
    };
  }

  /** An event was stored: contacts may have to be told of it. */
  eventStored(): void {
    this.#contacts.eventStored();
  }

  /** Adds a port of this server: no webhook may lead back to it. */
  addOwnPort(port: number): void {
    this.#ownPorts.push(port);
  }

  /**
   * Goes on with broadcasts that another process began: as `ReportWriter.resume`. `told`: what that one told people of them.
   * `unstored`: what it could not store, which is not stored before `start`.
   */
  resume(
    broadcasts: readonly RunningBroadcast[],
    reports: readonly BroadcastReport[],
    told: readonly (readonly [ChannelId, ToldTrouble])[],
    unstored?: Unstored,
  ): void {
    this.events.resume(broadcasts, unstored?.events);
    this.reports.resume(reports, broadcasts, unstored?.reports);
    this.history.resume(broadcasts, unstored?.history);
    this.refusedEncoders.resume(unstored?.refused ?? []);
    this.audit.log.resume(unstored?.audit ?? []);
    for (const [channelId, each] of told) this.alerts.resume(channelId, each);
  }

  /** Starts deliveries, retention and reports, including those that the last process left. */
  start(): void {
    this.deliverer.wake();
    this.#contacts.wake();
    void this.refusedEncoders.load();
    this.#retention.start();
    this.events.goOn();
    this.reports.goOn();
    this.history.start();
    this.refusedEncoders.goOn();
    this.audit.log.goOn();
    this.#push.start();
  }

  /** What `pause` could not store: another process of this server is to. */
  get unstored(): Unstored {
    return {
      events: this.events.unstored,
      reports: this.reports.unstored,
      history: this.history.allUnstored,
      refused: this.refusedEncoders.unstored,
      audit: this.audit.log.unstored,
    };
  }

  /**
   * Stores what is known, and nothing more until `goOn`: another process is to have the database. Cancels running
   * deliveries. Facts are still taken.
   */
  async pause(): Promise<void> {
    await Promise.all([this.events.pause(), this.reports.pause(), this.history.pause()]);
    await Promise.all([this.deliverer.pause(), this.#contacts.pause()]);
    await Promise.all([this.refusedEncoders.pause(), this.audit.log.pause()]);
  }

  /** Stores and delivers again after `pause`. */
  goOn(): void {
    this.events.goOn();
    this.reports.goOn();
    this.history.start();
    this.deliverer.goOn();
    this.#contacts.goOn();
    this.refusedEncoders.goOn();
    this.audit.log.goOn();
  }

  /** Stores nothing more: another process of this server does. Call `close` then. */
  abandon(): void {
    for (const writer of [this.events, this.reports, this.history, this.refusedEncoders, this.audit.log])
      writer.abandon();
  }

  /** Ends. Unless it is paused, first stores what is known. Idempotent. */
  async close(): Promise<void> {
    this.alerts.close();
    this.#push.close();
    await Promise.all([this.events.close(), this.reports.pause(), this.history.pause()]);
    await Promise.all([this.deliverer.pause(), this.#contacts.pause(), this.refusedEncoders.pause()]);
    await this.#retention.close();
    await this.audit.log.close();
  }
}
