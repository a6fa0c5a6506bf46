import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { containerOptions, readCompose } from "../../scripts/image/compose-file.ts";
import { readConfig } from "../../src/app/config/config.ts";
import { ConfigError } from "../../src/app/config/config-error.ts";
import { readClusterConfig } from "../../src/app/control-thread/cluster/cluster-config.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";

const DOCKER = join(ROOT, "deploy", "docker");
const PASSWORDS: Readonly<Record<string, string>> = { POSTGRES_PASSWORD: "pg1", NATS_PASSWORD: "nats1" };

function composed(name: string) {
  const content = readCompose(join(DOCKER, name), PASSWORDS);
  const mounted = Object.values(content.services).flatMap(({ volumes = [] }) => volumes.map((it) => it.split(":")[0]));
  for (const source of mounted) {
    if (source?.startsWith("..") === true) expect(existsSync(join(DOCKER, source)), source).toBe(true);
    else expect(Object.keys(content.volumes)).toContain(source);
  }
  return content;
}

const clusterServices = () => composed("compose.cluster.yaml").services;
const addressIn = ({ networks }: { readonly networks?: unknown } = {}) =>
  z.object({ cluster: z.object({ ipv4_address: z.string() }) }).parse(networks).cluster.ipv4_address;

test("what the scripts run is what the files say", () => {
  const folders = { file: DOCKER, volumes: "/volumes" };
  expect(containerOptions(composed("compose.yaml"), "fanfare", folders)).toEqual([
    ...["--read-only", "--drop-capabilities", "--no-new-privileges", "--nofile=65536", "--tmpfs=/tmp"],
    ...["--volume=/volumes/data:/data", "--env=FANFARE_PUBLIC_HOST=localhost"],
  ]);
  const cluster = composed("compose.cluster.yaml");
  expect(containerOptions(cluster, "a", folders)).toEqual(
    expect.arrayContaining(["--read-only", "--volume=/volumes/secrets:/secrets:ro", "--env=FANFARE_NODE_ID=a"]),
  );
  expect(containerOptions(cluster, "secrets", folders)).toEqual([
    "--user=0:0",
    "--volume=/volumes/secrets:/secrets",
    "--command=sh",
    "--command=-ec",
    expect.stringContaining("init-cluster /secrets"),
  ]);
});

const NODES = ["a", "b", "c"];

test("each node of the Compose cluster has settings with which the server starts as a node", () => {
  const services = clusterServices();
  for (const name of NODES) {
    const { environment = {}, depends_on, networks, stop_grace_period } = services[name] ?? {};
    const commandLine = readConfig([], environment);
    if ("show" in commandLine) throw new Error("no settings");
    const { config } = commandLine;
    expect(config).toMatchObject({
      nodeId: name,
      nodeAdvertise: { host: addressIn({ networks }), port: config.nodeListen.port },
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
    expect(Object.keys(Object(depends_on)).toSorted()).toEqual(["nats", "postgres", "secrets"]);
    expect(Number(stop_grace_period?.replace("m", "")) * 60).toBeGreaterThan(config.drainSeconds);
  }
  expect(services["nats"]?.command).toEqual(expect.arrayContaining(["fanfare", "nats1"]));
});

test("HAProxy's file names the nodes' addresses, and each node trusts HAProxy's address alone", () => {
  const services = clusterServices();
  const addressOf = (name: string) => addressIn(services[name]);
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
