import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as operator from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import * as apps from "kubernetes-models/apps/v1";
import * as policy from "kubernetes-models/policy/v1";
import * as core from "kubernetes-models/v1";
import { expect, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { helpText } from "../../src/app/config/help-text.ts";
import { ClusterMetrics } from "../../src/telemetry/cluster-metrics.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { codeBlocks } from "../support/checks/doc-pages.ts";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { certificate } from "../support/stages/certificates.ts";
import { Stage } from "../support/stages/stage.ts";

const DEPLOY = join(ROOT, "deploy");
const read = (...path: readonly string[]) => readFileSync(join(DEPLOY, ...path), "utf8");

test("Prometheus takes the alert rules, and they fire when they should", async () => {
  const cwd = join(DEPLOY, "prometheus");
  expect(await runToEnd("promtool", ["check", "rules", "alerts.yml"], { cwd })).toContain("SUCCESS");
  expect(await runToEnd("promtool", ["test", "rules", "alerts.test.yml"], { cwd })).toContain("SUCCESS");
});

test("promtool has nothing to say about the metrics of a server on air, and of several servers", async () => {
  const stage = await Stage.open();
  const { fanfare, api } = await stage.server();
  const target = await stage.target();
  const channel = await api.createChannel("linted", [{ rtmpUrl: target.url, streamKey: "key-of-metrics" }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await stage.watch(api, channel).until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", 60_000);
  const metrics = async () => await (await fetch(`${fanfare.origin}/metrics`)).text();
  for (const series of ["fanfare_event_loop_delay_seconds{", "fanfare_target_sent_bytes_total{"])
    await expect.poll(metrics).toContain(series);
  const several = new Metrics(() => "healthy");
  several.include(new ClusterMetrics());
  const folder = await mkdtemp(join(tmpdir(), "fanfare-metrics-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const text of [await metrics(), await several.text()]) {
    await writeFile(join(folder, "metrics"), text);
    const lint = await startChild("sh", ["-c", `promtool check metrics < ${join(folder, "metrics")}`]);
    expect([await lint.exited, lint.stderr()]).toEqual([{ code: 0, signal: null }, ""]);
  }
});

test("every metric that a dashboard or a rule names is one that the server has", async () => {
  const stage = await Stage.open();
  const { fanfare } = await stage.server();
  const single = await (await fetch(`${fanfare.origin}/metrics`)).text();
  const several = new Metrics(() => "healthy");
  several.include(new ClusterMetrics());
  const metrics = `${single}\n${await several.text()}`;
  const known = new Set(
    [...metrics.matchAll(/^# TYPE (\S+) (\w+)/gm)].flatMap(([, name = "", kind]) =>
      kind === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => `${name}${end}`) : [name],
    ),
  );
  // Its series begins with a certificate.
  known.add("fanfare_tls_certificate_expiry_timestamp_seconds");
  const texts = [...globSync("{grafana,kubernetes,prometheus}/*", { cwd: DEPLOY })].map((path) => read(path));
  const named = new Set(texts.flatMap((text) => [...text.matchAll(/\bfanfare_[a-z_]+/g)].map(([name]) => name)));
  expect(named.size).toBeGreaterThan(15);
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});

test("each dashboard has an identity, and its panels do not overlap", () => {
  for (const name of readdirSync(join(DEPLOY, "grafana"))) {
    const { uid, panels } = JSON.parse(read("grafana", name)) as {
      uid: string;
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(uid).toMatch(/^fanfare-/);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size, name).toBe(cells.length);
  }
});

test("systemd takes the unit, and finds little that the service may do", async () => {
  const unit = join(DEPLOY, "systemd", "fanfare.service");
  await runToEnd("systemd-analyze", ["verify", unit]);
  // Ends with 1 above 2.5 of 10.
  await runToEnd("systemd-analyze", ["security", "--offline=true", "--threshold=25", unit]);
});

test("the page on upgrades shows settings of the unit as they are", () => {
  const page = readFileSync(join(ROOT, "docs", "operations", "upgrades.md"), "utf8");
  const [shown = ""] = codeBlocks(page, "ini");
  const lines = shown.trimEnd().split("\n");
  expect(lines).toContain("KillMode=control-group");
  expect(read("systemd", "fanfare.service").split("\n")).toEqual(expect.arrayContaining(lines));
});

const KINDS = { ...apps, ...core, ...policy, ...operator } as unknown as Readonly<
  Record<string, new (object: object) => { validate(): void }>
>;

test("Kubernetes' own schemas take every object, and a wrong one is refused", () => {
  const folder = join(DEPLOY, "kubernetes");
  const { resources } = parse(read("kubernetes", "kustomization.yaml")) as { resources: string[] };
  expect([...resources, "kustomization.yaml"].toSorted()).toEqual(readdirSync(folder).toSorted());
  const objects = resources.flatMap((name) =>
    parseAllDocuments(read("kubernetes", name)).map((document) => document.toJS() as { kind: string }),
  );
  const check = (object: { kind: string }) => {
    const Kind = KINDS[object.kind];
    if (Kind === undefined) throw new Error(`no schema for ${object.kind}`);
    new Kind(object).validate();
  };
  expect(objects.length).toBeGreaterThan(3);
  for (const object of objects) check(object);
  expect(() => check({ ...(objects[0] as { kind: string }), spec: { replicas: "one" } } as never)).toThrow();
});

test("the script that runs the pod runs all that the manifests ask of it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-pod-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const objects = join(folder, "objects.yaml");
  const parts = ["statefulset.yaml", "service.yaml", "service-monitor.yaml"].map((name) => read("kubernetes", name));
  await writeFile(objects, parts.join("\n---\n"));
  const pod = (...args: readonly string[]) =>
    runToEnd(process.execPath, [join(ROOT, "scripts", "image", "pod.ts"), objects, ...args]);
  expect((await pod("options", "/volumes")).trim().split("\n")).toEqual([
    ...["--read-only", "--drop-capabilities", "--no-new-privileges", "--user=10001:10001"],
    ...["--volume=/volumes/data:/data", "--volume=/volumes/tmp:/tmp", "--env=FANFARE_PUBLIC_HOST=live.example.com"],
  ]);
  expect(await pod("ports")).toBe("8080:8080\n1935:1935\n");
  expect(await pod("probe", "readinessProbe")).toBe("/readyz 8080\n");
  expect(await pod("scrape")).toBe("/metrics 8080\n");
});

test("images and manifests name files, settings and ports that there are", () => {
  const docker = read("docker", "Dockerfile");
  const fromTree = [...docker.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = ""]) =>
    sources.split(" "),
  );
  expect(fromTree.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const { files, bin } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    files: string[];
    bin: { fanfare: string };
  };
  for (const needed of ["dist", "dist-web"]) expect(files).toContain(needed);
  expect(docker).toContain(bin.fanfare);
  expect(docker).toMatch(/^USER fanfare$/m);
  const [, group, user] =
    /groupadd --system --gid (\d+) fanfare && useradd --system --uid (\d+) --gid fanfare /.exec(docker) ?? [];
  const owner = `${user}:${group}`;
  const { spec } = parse(read("kubernetes", "statefulset.yaml")) as {
    spec: { template: { spec: { securityContext: Readonly<Record<string, unknown>>; enableServiceLinks?: boolean } } };
  };
  // Kubernetes sets variables with the names of Services, which may be those of settings.
  expect(spec.template.spec.enableServiceLinks).toBe(false);
  const { runAsUser, runAsGroup, fsGroup } = spec.template.spec.securityContext;
  expect([`${runAsUser}:${runAsGroup}`, `${runAsUser}:${fsGroup}`]).toEqual([owner, owner]);
  expect(read("docker", "compose.cluster.yaml")).toContain(`chown -R ${owner} /secrets`);
  const help = helpText();
  const texts = globSync("**/*", { cwd: DEPLOY, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
  const settings = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bFANFARE_[A-Z_]*[A-Z]\b/g)].map(([name]) => name)),
  );
  expect(settings.size).toBeGreaterThan(1);
  expect([...settings].filter((name) => !help.includes(name))).toEqual([]);
  const compose = parse(read("docker", "compose.yaml")) as {
    services: { fanfare: { read_only: boolean; volumes: string[] } };
  };
  expect(compose.services.fanfare).toMatchObject({ read_only: true, volumes: ["data:/data"] });
});

/** Listens at a port of this machine; over TLS with a certificate of another name, as a server's is. */
async function listening(isTls: boolean, answer: RequestListener): Promise<number> {
  const server: Server = isTls ? createHttpsServer(certificate("live.example.com"), answer) : createHttpServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Runs one of the manifests' commands with these settings. Resolves with its exit code. */
async function codeOf([, ...args]: readonly string[], settings: Readonly<Record<string, string>>) {
  const child = await startChild(process.execPath, args, { env: settings });
  return (await child.exited).code;
}

test("the container's health check follows the settings of the port and of TLS", async () => {
  const command = JSON.parse(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(read("docker", "Dockerfile"))?.[1] ?? "[]");
  const answers =
    (status: number): RequestListener =>
    ({ url }, response) =>
      response.writeHead(url === "/livez" ? status : 404).end();
  const [plain, secure, ill] = await Promise.all([
    listening(false, answers(200)),
    listening(true, answers(200)),
    listening(true, answers(503)),
  ]);
  const tls = { FANFARE_TLS_CERT: "/tls/cert.pem" };
  expect(await codeOf(command, { FANFARE_HTTP_PORT: `${plain}` })).toBe(0);
  expect(await codeOf(command, { FANFARE_HTTP_PORT: `${secure}`, ...tls })).toBe(0);
  expect(await codeOf(command, { FANFARE_HTTP_PORT: `${ill}`, ...tls })).toBe(1);
  expect(await codeOf(command, { FANFARE_HTTP_PORT: `${secure}` })).toBe(1);
});

test("the pod waits for its broadcasts wherever its metrics are, also while the server is too busy to show them", async () => {
  const { spec } = parse(read("kubernetes", "statefulset.yaml")) as {
    spec: { template: { spec: { containers: [{ lifecycle: { preStop: { exec: { command: string[] } } } }] } } };
  };
  const { command } = spec.template.spec.containers[0].lifecycle.preStop.exec;
  const waited = async (isTls: boolean, settings: (port: number) => Readonly<Record<string, string>>) => {
    const asked: string[] = [];
    const port = await listening(isTls, ({ url = "" }, response) => {
      asked.push(url);
      if (asked.length === 2) response.writeHead(503).end("busy");
      else response.end(`fanfare_channels_on_air ${asked.length === 1 ? 12 : 0}\n`);
    });
    expect(await codeOf(command, settings(port))).toBe(0);
    return asked;
  };
  const all = await Promise.all([
    waited(false, (port) => ({ FANFARE_HTTP_PORT: `${port}` })),
    waited(true, (port) => ({ FANFARE_HTTP_PORT: `${port}`, FANFARE_TLS_CERT: "/tls/cert.pem" })),
    waited(false, (port) => ({ FANFARE_METRICS_LISTEN: `127.0.0.1:${port}`, FANFARE_TLS_CERT: "/tls/cert.pem" })),
  ]);
  const thrice = ["/metrics", "/metrics", "/metrics"];
  expect(all).toEqual([thrice, thrice, thrice]);
});
