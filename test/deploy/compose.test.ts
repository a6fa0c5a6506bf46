import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../../src/app/config/config.ts";
import { ConfigError } from "../../src/app/config/config-error.ts";
import { readClusterConfig } from "../../src/app/control-thread/cluster/cluster-config.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

const DOCKER = join(ROOT, "deploy", "docker");
const PASSWORDS: Readonly<Record<string, string>> = { POSTGRES_PASSWORD: "pg1", NATS_PASSWORD: "nats1" };

type Service = {
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: { readonly cluster: { readonly ipv4_address: string } };
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly stop_grace_period?: string;
};

/** The services of the cluster, with the variables that an operator gives replaced as Compose does. */
function clusterServices(): Readonly<Record<string, Service>> {
  const text = readFileSync(join(DOCKER, "compose.cluster.yaml"), "utf8");
  const filled = text.replaceAll(/\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}/g, (_, name: string, fallback?: string) => {
    const value = PASSWORDS[name] ?? fallback;
    if (value === undefined) throw new Error(`${name} has no value`);
    return value;
  });
  const { services, volumes } = parse(filled, { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const mounted = Object.values(services).flatMap(({ volumes: mounts = [] }) => mounts.map((it) => it.split(":")[0]));
  for (const source of mounted) {
    if (source?.startsWith("..") === true) expect(existsSync(join(DOCKER, source)), source).toBe(true);
    else expect(Object.keys(volumes)).toContain(source);
  }
  return services;
}

const NODES = ["a", "b", "c"];

test("each node of the Compose cluster has settings with which the server starts as a node", () => {
  const services = clusterServices();
  for (const name of NODES) {
    const { environment = {}, depends_on = {}, networks, stop_grace_period } = services[name] ?? {};
    const commandLine = readConfig([], environment);
    if ("show" in commandLine) throw new Error("no settings");
    const { config } = commandLine;
    expect(config).toMatchObject({
      nodeId: name,
      nodeAdvertise: { host: networks?.cluster.ipv4_address, port: config.nodeListen.port },
      databaseUrl: "postgres://fanfare:pg1@postgres:5432/fanfare",
      natsUrl: "nats://fanfare:nats1@nats:4222",
      publishUrl: "rtmp://localhost:1935/live",
    });
    // The secret file is inside the container: all other settings of a node are right.
    expect(() => readClusterConfig(config)).toThrow(
      new ConfigError(
        "FANFARE_CLUSTER_SECRET_FILE: the file /secrets/cluster.secret cannot be read (ENOENT). Copy it from another server, or make it with fanfare init-cluster FOLDER.",
      ),
    );
    expect(Object.keys(depends_on).toSorted()).toEqual(["nats", "postgres", "secrets"]);
    expect(Number(stop_grace_period?.replace("m", "")) * 60).toBeGreaterThan(config.drainSeconds);
  }
  expect(services["nats"]?.command).toEqual(expect.arrayContaining(["fanfare", "nats1"]));
});

test("HAProxy's file names the nodes' addresses, and each node trusts HAProxy's address alone", () => {
  const services = clusterServices();
  const addressOf = (name: string) => services[name]?.networks?.cluster.ipv4_address ?? "";
  const lines = readFileSync(join(ROOT, "deploy", "haproxy", "haproxy.cfg"), "utf8").matchAll(
    /^\s+server (\w+) ([\d.]+):/gm,
  );
  const named = [...lines].map(([, name = "", address]) => [name, address]);
  expect(named.length).toBeGreaterThan(NODES.length);
  for (const [name = "", address] of named) expect([name, address]).toEqual([name, addressOf(name)]);
  for (const name of NODES) {
    expect(services[name]?.environment).toMatchObject({
      FANFARE_PROXY_PROTOCOL_FROM: `${addressOf("haproxy")}/32`,
      FANFARE_TRUSTED_PROXIES: `${addressOf("haproxy")}/32`,
    });
  }
});
