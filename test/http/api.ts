import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { PublishStatusName } from "../../src/api-contract/channel-status.ts";
import { Argon2Hasher } from "../../src/app/control-thread/password-hash.ts";
import type { LogFields } from "../../src/base/log.ts";
import { Admission } from "../../src/control/access/admission.ts";
import { DashboardAccess, SESSION_IDLE_MS } from "../../src/control/access/dashboard-access.ts";
import { PreviewAccess } from "../../src/control/access/preview-access.ts";
import { DEFAULT_PLAN_LIMITS, type PlanLimits } from "../../src/control/channels/plan.ts";
import type { AttemptResult } from "../../src/control/events/deliveries.ts";
import { FactBus } from "../../src/control/facts/fact-bus.ts";
import type { ServerFact } from "../../src/control/facts/server-fact.ts";
import { IngestChecks } from "../../src/control/ingest-check/ingest-checks.ts";
import { LiveState } from "../../src/control/live/live-state.ts";
import { ServerTroubles } from "../../src/control/live/server-troubles.ts";
import type { Nodes } from "../../src/control/ports/nodes.ts";
import type { Runtime } from "../../src/control/ports/runtime.ts";
import type { SourcePeers } from "../../src/control/ports/source-player.ts";
import type { Store } from "../../src/control/ports/store.ts";
import { Recordings } from "../../src/control/recordings/recordings.ts";
import { ScheduleRunner } from "../../src/control/schedules/schedule-runner.ts";
import { Schedules } from "../../src/control/schedules/schedules.ts";
import { Service } from "../../src/control/service.ts";
import { SharedSources } from "../../src/control/sources/shared-sources.ts";
import { Slates } from "../../src/control/sources/slates.ts";
import { Sources } from "../../src/control/sources/sources.ts";
import { withActor } from "../../src/http/auth/request-actor.ts";
import { buildHttpServer, type HttpLimits } from "../../src/http/http-server.ts";
import type { RingLimits } from "../../src/http/live/live-ring.ts";
import { LiveStream } from "../../src/http/live/live-stream.ts";
import { ApiPause } from "../../src/http/server/api-pause.ts";
import { Health } from "../../src/http/server/health.ts";
import { HostNames } from "../../src/http/server/host-names.ts";
import { SqlDashboardStore } from "../../src/store/access/dashboard-store.ts";
import { SqlPushStore } from "../../src/store/access/push-store.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import type { Database } from "../../src/store/database/database.ts";
import { SqlScheduleStore } from "../../src/store/sources/schedule-store.ts";
import { SqlSourceStore } from "../../src/store/sources/source-store.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { CertificatePair } from "../../src/thread-protocol/certificate.ts";
import type { Sampling, TraceSpan } from "../../src/thread-protocol/traces/traces.ts";
import type { Message } from "../../src/webhooks/http-post.ts";
import { arePushKeys } from "../../src/webhooks/push/push-encryption.ts";
import { PushSender } from "../../src/webhooks/push/push-sender.ts";
import { FakeRuntime } from "../control/fake-runtime.ts";
import { FakeMediaFiles, FakeSourcePlayer } from "../control/fake-sources.ts";
import { ManualClock } from "../control/manual-clock.ts";
import { InProcessRecorder, ROOMY } from "../support/recordings/in-process-recorder.ts";
import { openEmptyDatabase } from "../support/stages/made-database.ts";
import { checkPublished } from "./contract/published-answers.ts";
import { EventParts } from "./live/event-parts.ts";

export const MANAGER = { accessKeyId: "MANAGER0000000000001", secretKey: "manager-secret-000000000000000000000001" };
export const VIEWER = { accessKeyId: "VIEWER00000000000001", secretKey: "viewer-secret-0000000000000000000000001" };

/** A hash at the server's own cost takes 0.2 s of processor time; the end-to-end tests sign in at that. */
const LOW_COST = { memory: 64, passes: 1, parallelism: 1 };

export const CHANNELS = "/api/v2/re-stream/channels";

export const PLATFORM = { targetName: "YOUTUBE", rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKey: "abcd-efgh" };
export const CHANNEL = { channelName: "channel001", planType: "STANDARD", restream: [PLATFORM] };

export type Method = "GET" | "POST" | "PUT" | "DELETE";

type Key = { readonly accessKeyId: string; readonly secretKey: string };
type Call = {
  readonly method: Method;
  readonly url: string;
  /** A value is sent as JSON, text and bytes unchanged. */
  readonly body?: unknown;
  readonly key?: Key;
  /** Set, or with undefined removed, after signing. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The text that is signed, where that is not what is sent. */
  readonly signed?: { readonly method?: string; readonly url?: string; readonly timestamp?: string };
};

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: ReturnType<typeof JSON.parse>;
  readonly text: string;
};

export type LogLine = { readonly event: string; readonly fields: LogFields };

export type ApiOptions = {
  readonly planLimits?: PlanLimits;
  readonly publishStatusName?: PublishStatusName;
  readonly securePublishUrl?: string;
  readonly srtUrl?: string;
  readonly over?: (store: Store) => Store;
  readonly ringLimits?: RingLimits;
  readonly limits?: Partial<HttpLimits>;
  readonly areMetricsHere?: boolean;
  readonly applicationFolder?: string;
  readonly hosts?: readonly string[];
  readonly instance?: string;
  readonly basePath?: string;
  readonly allowedOrigins?: readonly string[];
  readonly tls?: CertificatePair;
  readonly nodes?: Nodes;
  /** Where several nodes share the database: the channels of all, over this one's. */
  readonly cluster?: (own: FakeRuntime) => { readonly runtime: Runtime; readonly sourcePeers: SourcePeers };
  /** Takes the spans of requests; absent: nothing is traced. */
  readonly onSpan?: (span: TraceSpan) => void;
  /** Absent: all traces whose callers record them. */
  readonly sampling?: Sampling;
};

/** The whole HTTP side over a real database, with a media thread that does what the test says. */
export class Api {
  readonly server: FastifyInstance;
  readonly live: LiveStream;
  readonly dashboard: DashboardAccess;
  readonly clock = new ManualClock();
  readonly view = new LiveState(this.clock);
  readonly runtime = new FakeRuntime(this.view);
  readonly lines: LogLine[] = [];
  readonly pause = new ApiPause();
  readonly metrics = new Metrics((channelId) => this.service.liveHealth(channelId).state);
  readonly troubles = new ServerTroubles({ clock: this.clock, publish: (fact) => this.facts.publish(fact) });
  readonly health = new Health({
    clock: this.clock,
    probe: () => this.probe(),
    troubles: () => this.troubles.current,
  });
  /** Stands for a write to the database. */
  probe: () => Promise<void> = () => Promise.resolve();
  readonly store: Store;
  readonly database: Database;
  readonly events: EventParts;
  readonly push: PushSender;
  /** Push messages, and what the push service says to the next one. */
  readonly pushed: Message[] = [];
  pushResult: AttemptResult = { status: 201 };
  readonly facts: FactBus<ServerFact>;
  /** Asks as the media thread does who may publish. */
  readonly admission: Admission;
  readonly ingestChecks: IngestChecks;
  readonly service: Service;
  readonly files = new FakeMediaFiles();
  readonly player = new FakeSourcePlayer();
  /** What FFmpeg makes of a slate. */
  slateMade: { readonly flv: Buffer } | { readonly reason: string } = { flv: Buffer.from("slate") };
  readonly slates: Slates;
  readonly sources: Sources;
  readonly scheduleRunner: ScheduleRunner;
  readonly schedules: Schedules;
  isOverloaded = false;
  readonly recorder: InProcessRecorder;
  readonly recordings: Recordings;
  readonly #folder: string;

  private constructor(folder: string, database: Database, options: ApiOptions) {
    this.#folder = folder;
    this.database = database;
    const store = new SqlStore(database);
    this.store = store;
    const write = (event: string, fields: LogFields = {}) => void this.lines.push({ event, fields });
    const log = { debug: write, info: write, warn: write, error: write };
    this.facts = new FactBus(log);
    const publish = (fact: ServerFact) => this.facts.publish(fact.kind === "channel-changed" ? withActor(fact) : fact);
    const over = options.over?.(store) ?? store;
    this.ingestChecks = new IngestChecks({
      clock: this.clock,
      readTargets: async (channelId) => (await over.findChannel(channelId))?.targets,
      publish,
    });
    this.admission = new Admission(over);
    const cluster = options.cluster?.(this.runtime);
    const all = cluster?.runtime ?? this.runtime;
    const service = new Service({
      store: over,
      runtime: all,
      view: this.view,
      clock: this.clock,
      randomBytes,
      planLimits: options.planLimits ?? DEFAULT_PLAN_LIMITS,
      ingestChecks: this.ingestChecks,
      sourceOf: (channelId) => this.sources.status(channelId),
      slateOf: (channelId) => this.slates.trouble(channelId),
      publish,
    });
    this.service = service;
    const publishAddresses = () => ({
      publishUrl: "rtmp://live.example.com:1935/relay",
      ...(options.securePublishUrl === undefined ? {} : { securePublishUrl: options.securePublishUrl }),
      ...(options.srtUrl === undefined ? {} : { srtUrl: options.srtUrl }),
    });
    const publishStatusName = options.publishStatusName ?? "PUBLISHING";
    this.slates = new Slates({
      ...{ runtime: this.runtime, clock: this.clock, log, publish },
      maker: { make: async () => this.slateMade },
    });
    const sources = new Sources({
      ...{
        store: over,
        runtime: this.runtime,
        clock: this.clock,
        log,
        files: this.files,
        player: this.player,
        publish,
      },
      sourceStore: new SqlSourceStore(database),
      isOverloaded: () => this.isOverloaded,
      isScheduled: (fileId) => this.scheduleRunner.plays(fileId),
      slates: this.slates,
      until: async () => undefined,
    });
    this.player.onStatus = (channelId, status) => sources.changed(channelId, status);
    this.sources = sources;
    const until = async () => undefined;
    const shared =
      cluster === undefined
        ? sources
        : new SharedSources({ own: sources, peers: cluster.sourcePeers, runtime: all, until, refresh: until, log });
    const scheduleStore = new SqlScheduleStore(database);
    const around = { clock: this.clock, files: this.files, publish };
    this.scheduleRunner = new ScheduleRunner({ ...around, store: scheduleStore, sources, log });
    const runner = this.scheduleRunner;
    this.schedules = new Schedules({ ...around, store: over, scheduleStore, runner, randomBytes });
    this.events = new EventParts(database, this.clock, log, publish);
    this.live = new LiveStream({
      service,
      ingestChecks: this.ingestChecks,
      clock: this.clock,
      log,
      epoch: "epoch1",
      troubles: () => this.troubles.current,
      answerContext: (isViewer) => ({ ...publishAddresses(), publishStatusName, isViewer }),
      ...(options.ringLimits === undefined ? {} : { ringLimits: options.ringLimits }),
    });
    this.facts.subscribe("live state", (fact) => this.view.fact(fact));
    this.facts.subscribe("ingest check", (fact) => this.ingestChecks.fact(fact));
    this.facts.subscribe("live stream", (fact) => this.live.fact(fact));
    this.facts.subscribe("events", (fact) => this.events.writer.fact(fact));
    this.dashboard = new DashboardAccess({
      store: new SqlDashboardStore(database),
      hasher: new Argon2Hasher(LOW_COST),
      clock: this.clock,
      randomBytes,
    });
    const push = new PushSender({
      ...{ clock: this.clock, randomBytes, log, sessionIdleMs: SESSION_IDLE_MS },
      store: new SqlPushStore(database),
      post: async (message) => {
        this.pushed.push(message);
        return this.pushResult;
      },
      readChannel: (channelId) => service.getChannel(channelId),
    });
    this.push = push;
    this.recorder = new InProcessRecorder({ ...ROOMY, folder: join(folder, "recordings") }, this.clock);
    this.recordings = new Recordings({
      ...{ recorder: this.recorder, clock: this.clock, onDeleted: publish },
      readName: async (channelId) => (await over.findChannel(channelId))?.name,
    });
    this.recorder.onNews = (message) => {
      if (message.kind === "file" || message.kind === "file-gone" || message.kind === "files")
        this.recordings.take(message);
    };
    this.server = buildHttpServer({
      pause: this.pause,
      service,
      dashboard: this.dashboard,
      push: {
        areKeys: arePushKeys,
        publicKey: () => push.publicKey(),
        subscribe: (subscription, sessionHash) => push.subscribe(subscription, sessionHash),
        unsubscribe: (endpoint) => push.unsubscribe(endpoint),
        sendTest: (endpoint) => push.sendTest(endpoint),
      },
      instance: options.instance ?? "test",
      basePath: options.basePath ?? "",
      allowedOrigins: options.allowedOrigins ?? [],
      runtime: all,
      previewAccess: new PreviewAccess({ clock: this.clock, randomBytes }),
      applicationFolder: options.applicationFolder ?? join(folder, "not-built"),
      clock: this.clock,
      randomBytes,
      log,
      publishAddresses,
      publishStatusName,
      live: this.live,
      events: this.events.useCases,
      audit: this.events.audit,
      recordings: this.recordings,
      // Tests of errors fail to authenticate as often as they like.
      limits: {
        requestsPerSecond: 1_000_000,
        failedLoginsPerMinute: 1_000_000,
        trustedProxies: "",
        eventStreamsPerKey: 1_000,
        ...options.limits,
      },
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      ...(options.nodes === undefined ? {} : { nodes: options.nodes }),
      ...(options.onSpan === undefined
        ? {}
        : {
            traces: {
              ...{ clock: this.clock, randomBytes, onSpan: options.onSpan },
              sampling: options.sampling ?? { share: 1, followsParent: true },
            },
          }),
      media: { files: this.files, sources: shared, schedules: this.schedules },
      hosts: new HostNames(options.hosts ?? ["fanfare.example"]),
      health: this.health,
      metrics: this.metrics,
      areMetricsHere: options.areMetricsHere ?? true,
    });
  }

  static async open(options: ApiOptions = {}): Promise<Api> {
    const folder = mkdtempSync(join(tmpdir(), "fanfare-http-"));
    const database = await openEmptyDatabase(join(folder, "fanfare.db"));
    const store = new SqlStore(database);
    await store.putAccessKey({ ...MANAGER, role: "manager", name: "m", createdTime: 1 });
    await store.putAccessKey({ ...VIEWER, role: "viewer", name: "v", createdTime: 1 });
    return new Api(folder, database, options);
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.events.writer.close();
    await this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get(url: string, key: Key = MANAGER): Promise<Answer> {
    return this.call({ method: "GET", url, key });
  }

  post(url: string, body?: unknown, key: Key = MANAGER): Promise<Answer> {
    return this.call({ method: "POST", url, body, key });
  }

  put(url: string, body?: unknown, key: Key = MANAGER): Promise<Answer> {
    return this.call({ method: "PUT", url, body, key });
  }

  delete(url: string, key: Key = MANAGER): Promise<Answer> {
    return this.call({ method: "DELETE", url, key });
  }

  /** The `content` of an answer; throws where it is not 200. */
  async content(method: Method, url: string, body?: unknown) {
    const answer = await this.call({ method, url, body });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return answer.body.content;
  }

  /** A channel's `content`. */
  async channel(channelId: string, key: Key = MANAGER) {
    return (await this.get(`${CHANNELS}/${channelId}`, key)).body.content;
  }

  /** A channel's platforms. */
  async platforms(channelId: string) {
    return (await this.get(`${CHANNELS}/${channelId}/platforms`)).body.content;
  }

  async call({ method, url, body, key = MANAGER, headers = {}, signed = {} }: Call): Promise<Answer> {
    const all = {
      ...this.signedHeaders(signed.method ?? method, signed.url ?? url, key, signed.timestamp),
      ...headers,
    };
    const answer = await this.server.inject({
      method,
      url,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      ...(body === undefined
        ? {}
        : { payload: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body) }),
    });
    const parsed = JSON.parse(answer.body);
    if (answer.headers["cache-control"] !== "no-store" || answer.headers["x-content-type-options"] !== "nosniff") {
      throw new Error(`${method} ${url} may be kept by a cache: ${JSON.stringify(answer.headers)}`);
    }
    checkPublished(method, url, answer.statusCode, parsed);
    return { status: answer.statusCode, headers: answer.headers, body: parsed, text: answer.body };
  }

  /** Written apart from the server's own code: the signature as a client makes it. */
  signedHeaders(
    method: string,
    url: string,
    key: Key = MANAGER,
    timestamp = String(this.clock.wallMs),
  ): Record<string, string> {
    const text = `${method} ${url}\n${timestamp}\n${key.accessKeyId}`;
    return {
      "content-type": "application/json",
      "x-ncp-apigw-timestamp": timestamp,
      "x-ncp-iam-access-key": key.accessKeyId,
      "x-ncp-apigw-signature-v2": createHmac("sha256", key.secretKey).update(text).digest("base64"),
      "x-ncp-region_code": url.startsWith("/api/fin-v2") ? "FKR" : "KR",
    };
  }

  /** A new channel's `content`. */
  async create(change: object = {}): Promise<Answer["body"]> {
    const { status, body } = await this.call({ method: "POST", url: CHANNELS, body: { ...CHANNEL, ...change } });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.content;
  }
}

/** A gateway error's body. */
export function gateway(errorCode: string, message: string, details: string) {
  return { error: { errorCode, message, details } };
}

/** A service error's body; `details` are for people and not compared. */
export function service(errorCode: number, errorName: string, message: string) {
  return { error: { errorCode, errorName, message } };
}
