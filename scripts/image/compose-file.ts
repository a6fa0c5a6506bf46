// Reads a Compose file for the scripts try-compose*.sh. Prints one value a line:
//   compose-file.ts FILE options SERVICE VOLUMES   what the file asks of the container, as options of container.sh
//   compose-file.ts FILE get PATH                  one value, or each value of a list: `services.nats.command`
// Variables are replaced from the environment, as Compose does.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const words = z.array(z.string());
/** What an engine does outside of a container. A script that runs the file does it, or says that it does not. */
const FOR_THE_SCRIPT = {
  ...{ build: z.unknown(), image: z.string(), restart: z.string(), stop_grace_period: z.string() },
  ...{ ports: words, networks: z.unknown(), depends_on: z.unknown(), healthcheck: z.unknown() },
};
/** Every key that a service may have: one that is not here would silently not be run. */
const service = z
  .strictObject({
    ...FOR_THE_SCRIPT,
    read_only: z.boolean(),
    tmpfs: words,
    cap_drop: z.tuple([z.literal("ALL")]),
    security_opt: z.tuple([z.literal("no-new-privileges:true")]),
    ulimits: z.strictObject({ nofile: z.int() }),
    user: z.string(),
    network_mode: z.literal("none"),
    entrypoint: words,
    command: words,
    environment: z.record(z.string(), z.string()),
    volumes: words,
  })
  .partial();

const compose = z.looseObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) });

/** Reads a file, with variables replaced as Compose does. Throws where a service has a key that is not known here. */
export function readCompose(file: string, environment: Readonly<Record<string, string | undefined>>) {
  const text = readFileSync(file, "utf8").replaceAll(
    /\$\{(\w+):(?:-([^}]*)|\?([^}]*))\}/g,
    (_, name: string, fallback?: string, message?: string) => {
      const value = environment[name] ?? fallback;
      if (value === undefined) throw new Error(`${name}: ${message}`);
      return value;
    },
  );
  return compose.parse(parse(text, { merge: true }));
}

/** `volumes`: where the volumes of the file are on this machine. */
export function containerOptions(
  { services }: ReturnType<typeof readCompose>,
  name: string,
  folders: { readonly file: string; readonly volumes: string },
): readonly string[] {
  const { environment = {}, tmpfs = [], volumes = [], entrypoint = [], command = [], ...rest } = services[name] ?? {};
  return [
    ...(rest.read_only === true ? ["--read-only"] : []),
    ...(rest.cap_drop === undefined ? [] : ["--drop-capabilities"]),
    ...(rest.security_opt === undefined ? [] : ["--no-new-privileges"]),
    ...(rest.ulimits === undefined ? [] : [`--nofile=${rest.ulimits.nofile}`]),
    ...(rest.user === undefined ? [] : [`--user=${rest.user}`]),
    ...tmpfs.map((path) => `--tmpfs=${path}`),
    ...volumes.map((mount) => `--volume=${join(mount.startsWith(".") ? folders.file : folders.volumes, mount)}`),
    ...Object.entries(environment).map(([variable, value]) => `--env=${variable}=${value}`),
    ...[...entrypoint, ...command].map((word) => `--command=${word}`),
  ];
}

function at(value: unknown, path: string): readonly unknown[] {
  const found = path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], value);
  if (found === undefined) throw new Error(`${path} is not there`);
  return [found].flat();
}

if (import.meta.main) {
  const [file = "", what, subject = "", volumes = ""] = process.argv.slice(2);
  const content = readCompose(file, process.env);
  const folders = { file: dirname(file), volumes };
  const lines = what === "options" ? containerOptions(content, subject, folders) : at(content, subject);
  for (const line of lines) console.log(String(line));
}
