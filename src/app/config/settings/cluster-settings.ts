import { hostname } from "node:os";
import { oneOf, parsed, parseListenAddress, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

const URL_LENGTH_MAX = 2_048;
const SILENT_MS_MIN = 100;
const SILENT_MS_MAX = 10_000;
const HOST_SILENT_MS_MIN = 300;

/** The settings of several servers that share a database. */
export const CLUSTER_SETTINGS = {
  databaseUrl: setting(
    "FANFARE_DATABASE_URL",
    parsed(parseDatabaseUrl, "an address such as postgres://user:password@host:5432/fanfare"),
    "PostgreSQL database (15 or later) that is used instead of the one in the data folder. Not a flag: it holds a password.",
  ),
  natsUrl: setting(
    "FANFARE_NATS_URL",
    text(
      "an address such as nats://user:password@host:4222, or several with commas between them",
      /^(nats|tls):\/\/\S{1,2000}$/,
    ),
    "NATS servers (2.9 or later) over which the servers on one database tell each other what happens. Not a flag: it may hold a password.",
  ),
  nodeId: setting(
    "FANFARE_NODE_ID",
    text("1 to 64 letters, digits, dots, - or _", /^[A-Za-z0-9._-]{1,64}$/),
    "Name of this server among those on one database, for people.",
    nameOfHost(),
  ),
  nodeListen: setting(
    "FANFARE_NODE_LISTEN",
    parsed(parseListenAddress, "HOST:PORT such as 0.0.0.0:7400, with a port from 1 to 65535"),
    "Address at which the other servers reach this one; each media thread takes the next port.",
    "0.0.0.0:7400",
  ),
  nodeAdvertise: setting(
    "FANFARE_NODE_ADVERTISE",
    parsed(parseListenAddress, "HOST:PORT such as 10.0.0.5:7400, with a port from 1 to 65535"),
    "The same address as the others see it (default: this machine's first outside address).",
  ),
  clusterSecretFile: setting(
    "FANFARE_CLUSTER_SECRET_FILE",
    text("a file", /^[^\0]+$/),
    "File with the secret of the connections between servers, from fanfare init-cluster.",
  ),
  ownerSilentMs: setting(
    "FANFARE_OWNER_SILENT_MS",
    parsed(
      (digits) => (/^\d{3,5}$/.test(digits) && isSilence(Number(digits)) ? Number(digits) : undefined),
      `a whole number from ${SILENT_MS_MIN} to ${SILENT_MS_MAX}`,
    ),
    "How long a server that carries a channel may leave a question unanswered before another takes the channel over, in milliseconds.",
    "1000",
  ),
  hostSilentMs: setting(
    "FANFARE_HOST_SILENT_MS",
    parsed(
      (digits) => (/^\d{3,5}$/.test(digits) && isHostSilence(Number(digits)) ? Number(digits) : undefined),
      `a whole number from ${HOST_SILENT_MS_MIN} to ${SILENT_MS_MAX}`,
    ),
    "How long the host of such a server may be silent on every way before the server of a backup encoder takes the channel over, in milliseconds.",
    "350",
  ),
  drainSeconds: setting(
    "FANFARE_DRAIN_SECONDS",
    parsed((digits) => (/^\d{1,5}$/.test(digits) ? Number(digits) : undefined), "a whole number from 0 to 99999"),
    "How long the broadcasts of a server that drains may go on, in seconds. Those left then are cut, 5 % a second.",
    "600",
  ),
  capacityMbps: setting(
    "FANFARE_CAPACITY_MBPS",
    parsed(
      (digits) => (/^[1-9]\d{0,6}$/.test(digits) ? Number(digits) : undefined),
      "a whole number from 1 to 9999999",
    ),
    "How many Mbit/s this server is meant to send. Above 80 % of it /readyz?for=ingest is 503 (default: no limit).",
  ),
  isolated: setting(
    "FANFARE_ISOLATED",
    oneOf(["keep", "stop"]),
    "What a server does that reaches neither the database nor NATS: goes on with its broadcasts (keep), or ends them after 30 s (stop).",
    "keep",
  ),
} as const;

function isSilence(valueMs: number): boolean {
  return valueMs >= SILENT_MS_MIN && valueMs <= SILENT_MS_MAX;
}

function isHostSilence(valueMs: number): boolean {
  return valueMs >= HOST_SILENT_MS_MIN && valueMs <= SILENT_MS_MAX;
}

/** Without characters that a name may not have. */
function nameOfHost(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 64) || "node"
  );
}

/** Returns the address as it is; undefined unless it names a PostgreSQL server and a database. */
function parseDatabaseUrl(text: string): string | undefined {
  if (text.length > URL_LENGTH_MAX || !URL.canParse(text)) return undefined;
  const { protocol, pathname } = new URL(text);
  const isPostgres = protocol === "postgres:" || protocol === "postgresql:";
  return isPostgres && /^\/[^/]+$/.test(pathname) ? text : undefined;
}
