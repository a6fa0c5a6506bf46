import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readConfig } from "../../../src/app/config/config.ts";
import { ConfigError } from "../../../src/app/config/config-error.ts";
import { helpText } from "../../../src/app/config/help-text.ts";

function config(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const commandLine = readConfig(args, env);
  if ("show" in commandLine) throw new Error("asked for help");
  return commandLine.config;
}

function refusal(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    readConfig(args, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "nothing refused";
}

test("every setting has its default", () => {
  expect(config([])).toEqual({
    allowedHosts: [],
    basePath: "",
    corsOrigins: [],
    delayMb: 20_000,
    auditDays: 365,
    dataDir: "./data",
    newDatabase: "no",
    nodeId: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    nodeListen: { host: "0.0.0.0", port: 7400 },
    ownerSilentMs: 1000,
    hostSilentMs: 350,
    isolated: "keep",
    connectionsMax: 4_096,
    mediaThreads: Math.max(1, availableParallelism() - 1),
    rtmpsPort: 1_936,
    strangersPerAddressMax: 64,
    httpPort: 8080,
    rtmpPort: 1935,
    targetAllow: "",
    planLimits: { STANDARD: 3, PROFESSIONAL: 5, UNLIMITED: 0 },
    rateLimit: 1_000,
    ...{ recordingFileMb: 4_000, recordingFileMinutes: 60, recordingKeepDays: 0, recordingKeepFreeMb: 2_000 },
    ...{ recordingKeepMb: 0, recordingQuotaMb: 0, s3Prefix: "", s3Region: "us-east-1" },
    eventStreamsPerKey: 20,
    retriesPerSecond: 20,
    loadMaxPercent: 95,
    directSockets: "on",
    replayProtection: "off",
    trustedProxies: "",
    publishStatusName: "PUBLISHING",
    shutdown: "cut",
    smtpFrom: "fanfare@localhost",
    srtLatencyMs: 300,
    mediaQuotaMb: 20_480,
    takeOver: "no",
    proxyProtocolFrom: "",
    drainSeconds: 600,
    upgradeDrainSeconds: 14_400,
    ...{
      tracesDisabled: false,
      traceServiceName: "fanfare",
      traceSampler: "parentbased_always_on",
      traceSamplerArg: 1,
    },
    logLevel: "info",
  });
});

test("a flag wins over the environment, the environment over the default, and an empty variable is not set", () => {
  const env = { FANFARE_HTTP_PORT: "81", FANFARE_RTMP_PORT: "1936", FANFARE_LOG_LEVEL: "" };
  expect(config(["--http-port", "82"], env)).toMatchObject({ httpPort: 82, rtmpPort: 1936, logLevel: "info" });
  expect(config(["--http-port=83"], env)).toMatchObject({ httpPort: 83 });
});

test("every setting can be set", () => {
  const env = {
    FANFARE_DATA_DIR: "/srv/fanfare",
    FANFARE_NEW_DATABASE: "yes",
    FANFARE_ENCRYPTION_KEY_FILE: "/run/secrets/fanfare.key",
    FANFARE_DATABASE_URL: "postgres://fanfare:pw@db:5432/fanfare?sslmode=require",
    FANFARE_NATS_URL: "nats://a:4222,nats://b:4222",
    FANFARE_NODE_ID: "berlin-1",
    FANFARE_NODE_LISTEN: "[::1]:7500",
    FANFARE_NODE_ADVERTISE: "10.0.0.5:7500",
    FANFARE_CLUSTER_SECRET_FILE: "/run/secrets/cluster.secret",
    FANFARE_OWNER_SILENT_MS: "500",
    FANFARE_HOST_SILENT_MS: "300",
    FANFARE_ISOLATED: "stop",
    FANFARE_HTTP_HOST: "::1",
    FANFARE_RTMP_HOST: "0.0.0.0",
    FANFARE_PUBLIC_HOST: "live.example.com",
    FANFARE_ALLOWED_HOSTS: "fanfare.lan, *.example.org",
    FANFARE_BASE_PATH: "/fanfare/",
    FANFARE_CORS_ORIGINS: "https://panel.example.com",
    FANFARE_PUBLISH_URL: "rtmp://live.example.com:41935/relay",
    FANFARE_SECURE_PUBLISH_URL: "rtmps://live.example.com:41936/relay",
    FANFARE_ACCESS_KEY: "KEY1",
    FANFARE_SECRET_KEY: "0123456789abcdef",
    FANFARE_MEDIA_THREADS: "3",
    FANFARE_TARGET_ALLOW: "10.0.0.0/8,fd00::/8",
    FANFARE_PLAN_LIMITS: "STANDARD=4",
    FANFARE_RATE_LIMIT: "20",
    FANFARE_RECORDING_FOLDER: "/srv/recordings",
    FANFARE_RECORDING_FILE_MINUTES: "30",
    FANFARE_RECORDING_FILE_MB: "100",
    FANFARE_RECORDING_KEEP_FREE_MB: "0",
    FANFARE_RECORDING_QUOTA_MB: "50000",
    FANFARE_RECORDING_KEEP_DAYS: "14",
    FANFARE_RECORDING_KEEP_MB: "1000000",
    FANFARE_S3_URL: "https://s3.example.com",
    FANFARE_S3_BUCKET: "recordings",
    FANFARE_S3_REGION: "eu-1",
    FANFARE_S3_PREFIX: "fanfare/",
    FANFARE_S3_ACCESS_KEY: "AKIA",
    FANFARE_S3_SECRET_KEY: "bucket-secret",
    FANFARE_EVENT_STREAMS_PER_KEY: "5",
    FANFARE_RETRIES_PER_SECOND: "1000",
    FANFARE_LOAD_MAX: "100",
    FANFARE_DIRECT_SOCKETS: "off",
    FANFARE_REPLAY_PROTECTION: "writes",
    FANFARE_METRICS_LISTEN: "[::1]:9464",
    FANFARE_TRUSTED_PROXIES: "10.0.0.1, fd00::/8",
    FANFARE_PUBLISH_STATUS_NAME: "PUBLISH",
    FANFARE_SHUTDOWN: "end",
    FANFARE_AUDIT_DAYS: "30",
    FANFARE_TAKE_OVER: "yes",
    FANFARE_PROXY_PROTOCOL_FROM: "10.9.0.0/16",
    FANFARE_MEDIA_QUOTA_MB: "7",
    FANFARE_UPGRADE_DRAIN_SECONDS: "0",
    FANFARE_RTMPS_PORT: "19360",
    FANFARE_TLS_CERT: "/etc/tls/cert.pem",
    FANFARE_TLS_KEY: "/etc/tls/key.pem",
    FANFARE_TLS_EXTRA_CA: "/etc/tls/ours.pem",
    FANFARE_INGEST_CONNECTIONS: "100",
    FANFARE_INGEST_CONNECTIONS_PER_ADDRESS: "5",
    FANFARE_LOG_LEVEL: "debug",
    FANFARE_SRT_PORT: "8890",
    FANFARE_SRT_PASSPHRASE: "correct-horse",
    FANFARE_SRT_LATENCY: "1000",
    FANFARE_SRT_URL: "srt://live.example.com:48890",
    FANFARE_SMTP_URL: "smtps://fan:secret@mail.example.com",
    FANFARE_SMTP_FROM: "tv@example.com",
    FANFARE_DELAY_MB: "1500",
    OTEL_EXPORTER_OTLP_ENDPOINT: "https://otlp.example.com/v1x",
    OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20Zm9vOmJhcg==, x-scope = tv news%2C radio",
    OTEL_SDK_DISABLED: "True",
    OTEL_SERVICE_NAME: "fanfare Seoul",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
  };
  expect(config([], env)).toEqual({
    auditDays: 30,
    dataDir: "/srv/fanfare",
    delayMb: 1_500,
    newDatabase: "yes",
    takeOver: "yes",
    proxyProtocolFrom: "10.9.0.0/16",
    mediaQuotaMb: 7,
    drainSeconds: 600,
    upgradeDrainSeconds: 0,
    databaseUrl: "postgres://fanfare:pw@db:5432/fanfare?sslmode=require",
    natsUrl: "nats://a:4222,nats://b:4222",
    nodeId: "berlin-1",
    nodeListen: { host: "::1", port: 7500 },
    nodeAdvertise: { host: "10.0.0.5", port: 7500 },
    clusterSecretFile: "/run/secrets/cluster.secret",
    ownerSilentMs: 500,
    hostSilentMs: 300,
    isolated: "stop",
    mediaThreads: 3,
    rtmpsPort: 19_360,
    tlsCert: "/etc/tls/cert.pem",
    tlsKey: "/etc/tls/key.pem",
    tlsExtraCa: "/etc/tls/ours.pem",
    connectionsMax: 100,
    strangersPerAddressMax: 5,
    encryptionKeyFile: "/run/secrets/fanfare.key",
    httpHost: "::1",
    httpPort: 8080,
    rtmpHost: "0.0.0.0",
    rtmpPort: 1935,
    publicHost: "live.example.com",
    allowedHosts: ["fanfare.lan", "*.example.org"],
    basePath: "/fanfare",
    corsOrigins: ["https://panel.example.com"],
    publishUrl: "rtmp://live.example.com:41935/relay",
    securePublishUrl: "rtmps://live.example.com:41936/relay",
    accessKey: "KEY1",
    secretKey: "0123456789abcdef",
    targetAllow: "10.0.0.0/8,fd00::/8",
    planLimits: { STANDARD: 4, PROFESSIONAL: 5, UNLIMITED: 0 },
    rateLimit: 20,
    ...{ recordingFolder: "/srv/recordings", recordingFileMb: 100, recordingFileMinutes: 30, recordingKeepDays: 14 },
    ...{ recordingKeepFreeMb: 0, recordingKeepMb: 1_000_000, recordingQuotaMb: 50_000 },
    ...{ s3Url: "https://s3.example.com", s3Bucket: "recordings", s3Region: "eu-1", s3Prefix: "fanfare/" },
    ...{ s3AccessKey: "AKIA", s3SecretKey: "bucket-secret" },
    eventStreamsPerKey: 5,
    retriesPerSecond: 1_000,
    loadMaxPercent: 100,
    directSockets: "off",
    replayProtection: "writes",
    metricsListen: { host: "::1", port: 9_464 },
    trustedProxies: "10.0.0.1, fd00::/8",
    publishStatusName: "PUBLISH",
    shutdown: "end",
    srtPort: 8_890,
    srtPassphrase: "correct-horse",
    smtpUrl: "smtps://fan:secret@mail.example.com",
    smtpFrom: "tv@example.com",
    otlpEndpoint: "https://otlp.example.com/v1x",
    otlpHeaders: { authorization: "Basic Zm9vOmJhcg==", "x-scope": "tv news, radio" },
    tracesDisabled: true,
    traceServiceName: "fanfare Seoul",
    traceSampler: "parentbased_traceidratio",
    traceSamplerArg: 0.25,
    srtLatencyMs: 1_000,
    srtUrl: "srt://live.example.com:48890",
    logLevel: "debug",
  });
});

const wrong: readonly { variable: string; value: string; allowed: RegExp }[] = [
  { variable: "FANFARE_HTTP_PORT", value: "65536", allowed: /a port number from 0/ },
  { variable: "FANFARE_HTTP_PORT", value: "eighty", allowed: /a port number from 0/ },
  { variable: "FANFARE_RTMP_PORT", value: "-1", allowed: /a port number from 0/ },
  { variable: "FANFARE_HTTP_HOST", value: "a host", allowed: /a host name or an IP address/ },
  { variable: "FANFARE_BASE_PATH", value: "fanfare", allowed: /a path such as \/fanfare/ },
  { variable: "FANFARE_CORS_ORIGINS", value: "panel.example.com", allowed: /comma-separated origins/ },
  { variable: "FANFARE_ALLOWED_HOSTS", value: "http://fanfare.lan", allowed: /comma-separated host names/ },
  { variable: "FANFARE_PUBLISH_URL", value: "http://live.example.com/relay", allowed: /an address such as rtmp:/ },
  { variable: "FANFARE_PUBLISH_URL", value: "rtmp://live.example.com/relay/", allowed: /without a slash at its end/ },
  { variable: "FANFARE_SECURE_PUBLISH_URL", value: "rtmp://live.example.com/relay", allowed: /such as rtmps:/ },
  { variable: "FANFARE_TARGET_ALLOW", value: "10.0.0.0/33", allowed: /comma-separated list of networks/ },
  { variable: "FANFARE_METRICS_LISTEN", value: "9464", allowed: /HOST:PORT such as/ },
  { variable: "FANFARE_METRICS_LISTEN", value: "localhost:0", allowed: /with a port from 1 to 65535/ },
  { variable: "FANFARE_EVENT_STREAMS_PER_KEY", value: "201", allowed: /a whole number from 1 to 200/ },
  { variable: "FANFARE_RECORDING_FILE_MINUTES", value: "0", allowed: /a whole number of minutes from 1 to 1440/ },
  { variable: "FANFARE_RECORDING_FILE_MB", value: "1.5", allowed: /a whole number of megabytes from 1 to 1000000000/ },
  { variable: "FANFARE_RECORDING_QUOTA_MB", value: "-1", allowed: /a whole number of megabytes up to 1000000000/ },
  { variable: "FANFARE_RATE_LIMIT", value: "0", allowed: /a whole number from 1 to 9999999/ },
  { variable: "FANFARE_TRUSTED_PROXIES", value: "proxy", allowed: /comma-separated list of networks/ },
  { variable: "FANFARE_PLAN_LIMITS", value: "STANDARD:3", allowed: /PLAN=NUMBER pairs/ },
  { variable: "FANFARE_PUBLISH_STATUS_NAME", value: "ON_AIR", allowed: /PUBLISHING or PUBLISH/ },
  { variable: "FANFARE_SHUTDOWN", value: "now", allowed: /one of cut, end/ },
  { variable: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "127.0.0.1:4318", allowed: /an address such as http:/ },
  { variable: "OTEL_TRACES_SAMPLER", value: "jaeger_remote", allowed: /one of parentbased_always_on, / },
  { variable: "OTEL_TRACES_SAMPLER_ARG", value: "1.5", allowed: /a number from 0 to 1/ },
  { variable: "OTEL_EXPORTER_OTLP_ENDPOINT", value: "http://user:pw@host:4318", allowed: /an address such as http:/ },
  { variable: "FANFARE_LOG_LEVEL", value: "verbose", allowed: /one of debug, info/ },
];
test.each(wrong)("$variable=$value is refused with its name and what is allowed", ({ variable, value, allowed }) => {
  const message = refusal([], { [variable]: value });
  expect(message).toContain(variable);
  expect(message).toContain(JSON.stringify(value));
  expect(message).toMatch(allowed);
});

test("a wrong flag is named as a flag, and an unknown one and a stray word are refused", () => {
  expect(refusal(["--http-port", "x"])).toMatch(/^--http-port \(FANFARE_HTTP_PORT\): "x" is not allowed; allowed is/);
  expect(refusal(["--http-prot", "1"])).toMatch(/--http-prot.*--help lists all flags/);
  expect(refusal(["serve"])).toMatch(/--help lists all flags/);
});

test("a secret on the command line is refused, and not repeated", () => {
  const env = { FANFARE_ACCESS_KEY: "KEY1" };
  for (const args of [["--secret-key", "0123456789abcdef"], ["--secret-key=0123456789abcdef"]]) {
    expect(refusal(args, env)).toBe(
      "--secret-key is not accepted: everybody on this machine can read a command line. " +
        "Give FANFARE_SECRET_KEY in the environment, or FANFARE_SECRET_KEY_FILE, which names a file that holds it.",
    );
  }
  expect(helpText()).not.toContain("--secret-key");
  expect(helpText()).toContain("FANFARE_SECRET_KEY or FANFARE_SECRET_KEY_FILE:");
});

describe("a key and its secret in files", () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-config-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test.each(["", "\n", "\r\n"])("are read without the end of their line (%j)", (end) => {
    const env = {
      FANFARE_ACCESS_KEY_FILE: file("id", `KEY1${end}`),
      FANFARE_SECRET_KEY_FILE: file("secret", `0123456789abcdef${end}`),
    };
    expect(config([], env)).toMatchObject({ accessKey: "KEY1", secretKey: "0123456789abcdef" });
  });

  test("are refused where they cannot be read, with a sentence that repeats no secret", () => {
    const id = { FANFARE_ACCESS_KEY: "KEY1" };
    const secret = file("secret", "0123456789abcdef");
    const both = { ...id, FANFARE_SECRET_KEY: "0123456789abcdef", FANFARE_SECRET_KEY_FILE: secret };
    expect(refusal([], both)).toBe(
      "FANFARE_SECRET_KEY and FANFARE_SECRET_KEY_FILE set the same value: give only one of them.",
    );
    const missing = join(folder, "missing");
    expect(refusal([], { ...id, FANFARE_SECRET_KEY_FILE: missing })).toBe(
      `FANFARE_SECRET_KEY_FILE: the file ${missing} cannot be read (ENOENT).`,
    );
    for (const wrong of ["a stray word", "short", "x".repeat(10_000)]) {
      const message = refusal([], { ...id, FANFARE_SECRET_KEY_FILE: file("wrong", wrong) });
      expect(message).toMatch(/FANFARE_SECRET_KEY: what was given is not allowed; allowed is 16 to 256/);
      expect(message).not.toContain(wrong);
    }
  });
});

test("a key needs its secret, and a wrong secret is not repeated", () => {
  expect(refusal([], { FANFARE_ACCESS_KEY: "KEY1" })).toMatch(/go together/);
  expect(refusal([], { FANFARE_TLS_KEY: "/key.pem" })).toMatch(/FANFARE_TLS_CERT and FANFARE_TLS_KEY go together/);
  const message = refusal([], { FANFARE_ACCESS_KEY: "KEY1", FANFARE_SECRET_KEY: "too short" });
  expect(message).toMatch(/FANFARE_SECRET_KEY: what was given is not allowed; allowed is 16 to 256/);
  expect(message).not.toContain("too short");
});

test("help lists every setting, and version and help win over all else", () => {
  const help = helpText();
  for (const variable of ["FANFARE_DATA_DIR", "FANFARE_TARGET_ALLOW", "FANFARE_SHUTDOWN"])
    expect(help).toContain(variable);
  expect(help).toContain("--rtmp-port VALUE");
  expect(readConfig(["--help", "--http-port", "x"], {})).toEqual({ show: "help" });
  expect(readConfig(["--version"], {})).toEqual({ show: "version" });
});

test("a database address needs a server and a database, and a wrong one is never repeated", () => {
  const allowed = "allowed is an address such as postgres://user:password@host:5432/fanfare.";
  for (const url of [
    "mysql://u:pw@h/d",
    "postgres://u:pw@h",
    "postgres://u:pw@h/",
    "host=db password=pw",
    "postgres://[/d",
  ]) {
    const text = refusal([], { FANFARE_DATABASE_URL: url });
    expect(text).toBe(`FANFARE_DATABASE_URL: what was given is not allowed; ${allowed}`);
  }
  expect(refusal(["--database-url", "postgres://u:pw@h/d"])).toContain("FANFARE_DATABASE_URL_FILE");
});

test("encryption keys may be in the environment, for PostgreSQL alone and in one place", () => {
  const key = `0a1b2c3d ${Buffer.alloc(32, 7).toString("base64")}`;
  const shared = {
    FANFARE_DATABASE_URL: "postgres://db/f",
    FANFARE_ENCRYPTION_KEY: `${key},${key.replace("0a", "1a")}`,
  };
  expect(config([], shared)).toMatchObject({ encryptionKey: [{ id: "0a1b2c3d" }, { id: "1a1b2c3d" }] });
  expect(() => config([], { FANFARE_ENCRYPTION_KEY: key })).toThrow("is for servers on PostgreSQL");
  expect(() => config([], { ...shared, FANFARE_ENCRYPTION_KEY_FILE: "k" })).toThrow("give only one of them");
  expect(() => config([], { ...shared, FANFARE_ENCRYPTION_KEY: "secret" })).toThrow(
    "FANFARE_ENCRYPTION_KEY: what was given is not allowed",
  );
  expect(() => config(["--encryption-key", key], {})).toThrow("everybody on this machine can read a command line");
});
