// Reads Fanfare's objects of Kubernetes, as `kubectl kustomize` prints them, for scripts/try-kubernetes.sh:
//   pod.ts FILE options VOLUMES   what the pod asks of its container, as options of container.sh, one a line
//   pod.ts FILE group             the group that its volumes get
//   pod.ts FILE ports             ports of the service and where they lead in the pod, as `8080:8080`
//   pod.ts FILE probe KIND        path and port of a probe: `startupProbe`
//   pod.ts FILE pre-stop          the words of the command before the signal to stop, each ended by a zero byte
//   pod.ts FILE grace             seconds from the begin of that command to SIGKILL
//   pod.ts FILE scrape            path and port that Prometheus reads
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";

const probe = z.looseObject({ httpGet: z.strictObject({ path: z.string(), port: z.string() }) });
/** Every key that the container may have: one that is not here would silently not be run. */
const container = z.strictObject({
  ...{ name: z.string(), image: z.string(), resources: z.unknown() },
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.int() })),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal("ALL")]) }),
  }),
  ...{ startupProbe: probe, livenessProbe: probe, readinessProbe: probe },
  lifecycle: z.strictObject({
    preStop: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) }),
  }),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string() })),
});
const pod = z.strictObject({
  terminationGracePeriodSeconds: z.int(),
  automountServiceAccountToken: z.literal(false),
  // No API server is there whose Services could become variables.
  enableServiceLinks: z.literal(false),
  securityContext: z.strictObject({
    ...{ runAsNonRoot: z.literal(true), runAsUser: z.int(), runAsGroup: z.int(), fsGroup: z.int() },
    seccompProfile: z.unknown(),
  }),
  containers: z.tuple([container]),
  volumes: z.array(z.strictObject({ name: z.string(), emptyDir: z.strictObject({}) })),
});
const service = z.looseObject({
  ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: z.string() })),
});
const monitor = z.looseObject({
  endpoints: z.tuple([z.strictObject({ port: z.string(), path: z.string(), interval: z.string() })]),
});

const [file = "", what = "", subject = ""] = process.argv.slice(2);
const objects = parseAllDocuments(readFileSync(file, "utf8")).map((document) =>
  z.looseObject({ kind: z.string(), spec: z.unknown() }).parse(document.toJS()),
);
const specOf = (kind: string) => objects.find((object) => object.kind === kind)?.spec;
const template = z.looseObject({ template: z.looseObject({ spec: pod }) }).parse(specOf("StatefulSet")).template.spec;
const [one] = template.containers;
const { ports } = service.parse(specOf("Service"));

/** Each name of a port is looked up where Kubernetes looks it up. */
function containerPort(name: string): number {
  const found = one.ports.find((port) => port.name === name);
  if (found === undefined) throw new Error(`the container has no port ${name}`);
  return found.containerPort;
}

function servicePort(name: string): number {
  const found = ports.find((port) => port.name === name);
  if (found === undefined) throw new Error(`the service has no port ${name}`);
  return found.port;
}

function options(): readonly string[] {
  const { runAsUser, runAsGroup } = template.securityContext;
  return [
    ...["--read-only", "--drop-capabilities", "--no-new-privileges", `--user=${runAsUser}:${runAsGroup}`],
    ...one.volumeMounts.map(({ name, mountPath }) => `--volume=${join(subject, name)}:${mountPath}`),
    ...one.env.map(({ name, value }) => `--env=${name}=${value}`),
  ];
}

function probeOf(kind: string): string {
  const { path, port } = probe.parse(z.record(z.string(), z.unknown()).parse(one)[kind]).httpGet;
  return `${path} ${containerPort(port)}`;
}

function scraped(): string {
  const [{ path, port }] = monitor.parse(specOf("ServiceMonitor")).endpoints;
  return `${path} ${servicePort(port)}`;
}

const ANSWERS: Readonly<Record<string, () => string>> = {
  group: () => String(template.securityContext.fsGroup),
  options: () => options().join("\n"),
  ports: () => ports.map(({ port, targetPort }) => `${port}:${containerPort(targetPort)}`).join("\n"),
  probe: () => probeOf(subject),
  grace: () => String(template.terminationGracePeriodSeconds),
  scrape: scraped,
};
if (what === "pre-stop") process.stdout.write(one.lifecycle.preStop.exec.command.map((word) => `${word}\0`).join(""));
else console.log(ANSWERS[what]?.());
