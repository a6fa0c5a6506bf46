import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import type { RandomBytes } from "../../control/access/ids.ts";
import { Callbacks } from "../../control/events/callbacks.ts";
import { Deliveries } from "../../control/events/deliveries.ts";
import { EventRetention } from "../../control/events/event-retention.ts";
import { EventWriter } from "../../control/events/event-writer.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import type { ChannelChanged } from "../../control/facts/server-fact.ts";
import { HistoryReader } from "../../control/history/history-reader.ts";
import { HistoryWriter } from "../../control/history/history-writer.ts";
import { RefusedEncoders } from "../../control/live/refused-encoders.ts";
import { ReportWriter } from "../../control/reports/report-writer.ts";
import type { EventUseCases } from "../../http/routes/events.ts";
import type { AddressPolicy } from "../../net/address-check.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import type { Database } from "../../store/database/database.ts";
import { SqlDeliveryStore } from "../../store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../store/events/event-store.ts";
import { SqlHistoryStore } from "../../store/history/history-store.ts";
import { SqlReportStore } from "../../store/reports/report-store.ts";
import { Deliverer } from "../../webhooks/deliverer.ts";
import { createHttpPost } from "../../webhooks/http-post.ts";
import { WebhookTester } from "../../webhooks/test-message.ts";

export type NotificationsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly random: () => number;
  readonly log: Log;
  /** Networks that webhooks and targets may be in although they are private: comma-separated CIDRs, … */
  readonly targetAllow: string;
  /** … and the names and ports of this server, where no webhook may go. */
  readonly ownHosts: readonly string[];
  readonly ownPorts: readonly number[];
  /** Called with changed callback endpoints. Must not throw. */
  readonly publish: (fact: ChannelChanged) => void;
  /** Called with every event once it is stored. Must not throw. */
  readonly onEvent: (event: ChannelEvent) => void;
  /** Called when a webhook could not be sent because of this machine. */
  readonly onTrouble: (trouble: MachineTrouble) => void;
};

/** Events, webhooks, reports and history, built over one database. */
export class Notifications {
  /** For the API's routes. */
  readonly useCases: EventUseCases;
  readonly events: EventWriter;
  readonly reports: ReportWriter;
  readonly history: HistoryWriter;
  readonly refusedEncoders: RefusedEncoders;
  readonly deliverer: Deliverer;
  readonly #retention: EventRetention;
  readonly #ownPorts: number[];

  constructor(options: NotificationsOptions) {
    const { database, clock, randomBytes, random, log, publish, onEvent, onTrouble } = options;
    this.#ownPorts = [...options.ownPorts];
    const policy: AddressPolicy = {
      allowed: parseCidrList(options.targetAllow),
      ownHosts: options.ownHosts,
      ownPorts: this.#ownPorts,
    };
    const events = new SqlEventStore(database);
    const store = new SqlDeliveryStore(database);
    const post = createHttpPost({ clock, resolver: createResolver(), policy, onTrouble });
    this.deliverer = new Deliverer({ store, post, clock, random, log });
    const wake = () => this.deliverer.wake();
    this.events = new EventWriter({ store: events, clock, log, onWritten: onEvent });
    const reports = new SqlReportStore(database);
    this.reports = new ReportWriter({ store: reports, subjects: events, clock, log });
    this.#retention = new EventRetention({ store: events, clock, log });
    const history = new SqlHistoryStore(database);
    this.history = new HistoryWriter({ store: history, clock, log });
    const tester = new WebhookTester({ store, post, clock });
    this.refusedEncoders = new RefusedEncoders(clock);
    this.useCases = {
      refusedEncoders: this.refusedEncoders,
      events,
      reports,
      history: new HistoryReader(history, this.history, clock),
      callbacks: new Callbacks({ store, clock, randomBytes, publish, wake }),
      deliveries: new Deliveries({ store, clock, wake }),
      sendTest: (scope, channelName) => tester.send(scope, channelName),
    };
  }

  /** Adds a port of this server: no webhook may lead back to it. */
  addOwnPort(port: number): void {
    this.#ownPorts.push(port);
  }

  /** Starts deliveries, retention and reports, also of what the last process left. */
  start(): void {
    this.deliverer.wake();
    this.#retention.start();
    this.reports.start();
    this.history.start();
  }

  /** Writes the last events and reports. Cancels deliveries that run: the next process tries them again. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.events.close(), this.reports.close(), this.history.close()]);
    await Promise.all([this.deliverer.close(), this.#retention.close()]);
  }
}
