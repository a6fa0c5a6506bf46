import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import type { RandomBytes } from "../../control/access/ids.ts";
import type { ChannelNotice } from "../../control/channels/channel-notice.ts";
import { Callbacks } from "../../control/events/callbacks.ts";
import { Deliveries } from "../../control/events/deliveries.ts";
import type { ChannelEvent } from "../../control/events/events.ts";
import { EventRetention } from "../../control/events/events-retention.ts";
import type { Occurrence } from "../../control/events/events-tracker.ts";
import { EventWriter } from "../../control/events/events-writer.ts";
import { ReportWriter } from "../../control/reports/report-writer.ts";
import type { EventUseCases } from "../../http/routes/events.ts";
import type { AddressPolicy } from "../../net/address-check.ts";
import { parseCidrList } from "../../net/cidr-list.ts";
import { createResolver } from "../../net/dns/resolver.ts";
import type { Database } from "../../store/database.ts";
import { SqlDeliveryStore } from "../../store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../store/events/event-store.ts";
import { SqlReportStore } from "../../store/reports/report-store.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import { Deliverer } from "../../webhooks/deliverer.ts";
import { createHttpPost } from "../../webhooks/http-post.ts";

export type NotificationsOptions = {
  readonly database: Database;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly random: () => number;
  readonly log: Log;
  /** Where webhooks may go, as targets may: the networks that are allowed although they are private, … */
  readonly targetAllow: string;
  /** … and where we ourselves listen and are found. */
  readonly ownHosts: readonly string[];
  readonly ownPorts: readonly number[];
  /** Told of changed callback endpoints, as of every change; has to hand the notice on to `notice`. */
  readonly onNotice: (notice: ChannelNotice) => void;
  /** Told of every event once it is stored. */
  readonly onEvent: (event: ChannelEvent) => void;
  /** Told when a webhook could not be sent because of this machine. */
  readonly onTrouble: (trouble: MachineTrouble) => void;
};

/** Events, webhooks and reports, put together: facts, samples and notices go in, what is stored and delivered comes out. */
export class Notifications {
  /** What the API's routes work with. */
  readonly useCases: EventUseCases;
  readonly #writer: EventWriter;
  readonly #reports: ReportWriter;
  readonly #deliverer: Deliverer;
  readonly #retention: EventRetention;
  readonly #ownPorts: number[];

  constructor(options: NotificationsOptions) {
    const { database, clock, randomBytes, random, log, onNotice, onEvent, onTrouble } = options;
    this.#ownPorts = [...options.ownPorts];
    const policy: AddressPolicy = {
      allowed: parseCidrList(options.targetAllow),
      ownHosts: options.ownHosts,
      ownPorts: this.#ownPorts,
    };
    const events = new SqlEventStore(database);
    const store = new SqlDeliveryStore(database);
    const post = createHttpPost({ clock, resolver: createResolver(), policy, onTrouble });
    this.#deliverer = new Deliverer({ store, post, clock, random, log });
    const wake = () => this.#deliverer.wake();
    this.#writer = new EventWriter({
      store: events,
      clock,
      log,
      onWritten: (written) => {
        wake();
        for (const event of written) onEvent(event);
      },
    });
    const reports = new SqlReportStore(database);
    this.#reports = new ReportWriter({ store: reports, subjects: events, clock, log });
    this.#retention = new EventRetention({ store: events, clock, log });
    this.useCases = {
      events,
      reports,
      callbacks: new Callbacks({ store, clock, randomBytes, onNotice, wake }),
      deliveries: new Deliveries({ store, clock, wake }),
    };
  }

  /** Another port of ours is known now: no webhook may lead back to it. */
  addOwnPort(port: number): void {
    this.#ownPorts.push(port);
  }

  fact(fact: Fact): void {
    this.#writer.fact(fact);
    this.#reports.fact(fact);
  }

  /** What was measured, and what of it is worth an event. */
  samples(samples: readonly ChannelSample[], occurrences: readonly Occurrence[]): void {
    this.#reports.samples(samples);
    for (const occurrence of occurrences) this.#writer.occurred(occurrence);
  }

  notice(notice: ChannelNotice): void {
    this.#writer.notice(notice);
    this.#reports.notice(notice);
  }

  /** Goes on with what the last process left. */
  start(): void {
    this.#deliverer.wake();
    this.#retention.start();
    this.#reports.start();
  }

  /** Writes the last events and reports; deliveries under way are broken off and tried again after the next start. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#writer.close(), this.#reports.close()]);
    await Promise.all([this.#deliverer.close(), this.#retention.close()]);
  }
}
