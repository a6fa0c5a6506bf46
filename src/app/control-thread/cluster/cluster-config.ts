import { readFileSync } from "node:fs";
import { NatsError, readNatsAddress } from "../../../cluster/nats-address.ts";
import { parseLinkSecrets } from "../../../node-link/link-secret.ts";
import { firstOutsideAddress, hostInUrl } from "../../config/addresses.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Config } from "../../config/settings/settings.ts";

/** The checked settings of a node. */
export type ClusterConfig = {
  readonly nats: ReturnType<typeof readNatsAddress>;
  /** The text of the cluster's secret file. Secret. */
  readonly secretText: string;
  /** `host:port` of each media thread, as other nodes reach it. */
  readonly advertise: readonly string[];
};

/** Undefined where the server is a single one. Throws ConfigError for a setting that is missing, or is wrong. */
export function readClusterConfig(config: Config): ClusterConfig | undefined {
  const { databaseUrl, natsUrl, clusterSecretFile, nodeListen, nodeAdvertise, mediaThreads } = config;
  if ((databaseUrl === undefined) !== (natsUrl === undefined)) {
    throw new ConfigError("FANFARE_DATABASE_URL and FANFARE_NATS_URL go together: give both or none.");
  }
  if (natsUrl === undefined) return undefined;
  if (clusterSecretFile === undefined) {
    throw new ConfigError(
      "FANFARE_CLUSTER_SECRET_FILE is missing: servers on one database need the same secret. Make it with fanfare init-cluster FOLDER.",
    );
  }
  const { host, port } = nodeAdvertise ?? { host: firstOutsideAddress(), port: nodeListen.port };
  return {
    nats: natsAddress(natsUrl),
    secretText: readSecret(clusterSecretFile),
    advertise: Array.from({ length: mediaThreads }, (_, index) => `${hostInUrl(host)}:${port + index}`),
  };
}

function natsAddress(url: string): ReturnType<typeof readNatsAddress> {
  try {
    return readNatsAddress(url);
  } catch (error) {
    if (error instanceof NatsError) throw new ConfigError(`FANFARE_NATS_URL ${error.message}`);
    throw error;
  }
}

function readSecret(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new ConfigError(
      `FANFARE_CLUSTER_SECRET_FILE: the file ${path} cannot be read (${detail}). Copy it from another server, or make it with fanfare init-cluster FOLDER.`,
    );
  }
  const secrets = parseLinkSecrets(text);
  if (typeof secrets === "string") throw new ConfigError(`FANFARE_CLUSTER_SECRET_FILE: the file ${path}: ${secrets}`);
  return text;
}
