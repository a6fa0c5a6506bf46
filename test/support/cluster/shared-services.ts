import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { initCluster } from "../../../src/app/commands/init-cluster.ts";
import type { Credentials } from "../dashboard/api-client.ts";
import { freePort } from "../processes/free-port.ts";
import { NatsServer } from "../processes/nats-server.ts";
import { PostgresServer } from "../processes/postgres-server.ts";

export type SharedOptions = {
  /** How many NATS servers there are, in one NATS cluster; one by default. */
  readonly natsServers?: number;
  /** Where nodes reach the services; 127.0.0.1 by default. */
  readonly host?: string;
  /** Whether PostgreSQL has a commit on its disk when it acknowledges it; not by default. */
  readonly isDurable?: boolean;
  /** What the database holds, as statements, and the text of the key file that opens it; absent: nothing yet. */
  readonly kept?: { readonly statements: string; readonly keyFile: string };
};

/** What the nodes of one cluster share: a real PostgreSQL, a real NATS server, the secrets and a manager key. */
export class SharedServices {
  readonly postgres: PostgresServer;
  readonly natsServers: readonly NatsServer[];
  readonly credentials: Credentials;
  /** Texts that no node may write into its output. */
  readonly secrets: readonly string[];
  readonly encryptionKeyFile: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #database: string;

  private constructor(
    postgres: PostgresServer,
    natsServers: readonly NatsServer[],
    secrets: ReturnType<typeof initCluster>,
    database: string,
  ) {
    this.#database = database;
    this.postgres = postgres;
    this.natsServers = natsServers;
    this.encryptionKeyFile = secrets.encryptionKeyFile;
    this.credentials = {
      accessKey: randomBytes(10).toString("hex").toUpperCase(),
      secretKey: randomBytes(20).toString("hex"),
    };
    this.secrets = [readFileSync(secrets.clusterSecretFile, "utf8").trim(), this.credentials.secretKey];
    this.#environment = {
      FANFARE_DATABASE_URL: postgres.url(database),
      FANFARE_NATS_URL: natsServers.map(({ url }) => url).join(","),
      // A node that is stopped does not wait for its broadcasts.
      FANFARE_DRAIN_SECONDS: "0",
      FANFARE_ENCRYPTION_KEY_FILE: secrets.encryptionKeyFile,
      FANFARE_CLUSTER_SECRET_FILE: secrets.clusterSecretFile,
      // Each media thread has a port of its own for the other nodes; here each node has one port.
      FANFARE_MEDIA_THREADS: "1",
    };
  }

  /** Starts the servers, with the database that is wanted, and makes the secrets below `folder`. */
  static async start(
    folder: string,
    { natsServers = 1, host = "127.0.0.1", isDurable = false, kept }: SharedOptions = {},
  ): Promise<SharedServices> {
    const postgres = await PostgresServer.start({ host, isDurable });
    try {
      const database = await postgres.newDatabase();
      const secrets = initCluster(join(folder, "cluster"));
      if (kept !== undefined) {
        await postgres.query(kept.statements, database);
        writeFileSync(secrets.encryptionKeyFile, kept.keyFile);
      }
      const nats = await NatsServer.startCluster(natsServers, host);
      return new SharedServices(postgres, nats, secrets, database);
    } catch (error) {
      await postgres.close();
      throw error;
    }
  }

  /** The first NATS server. */
  get nats(): NatsServer {
    const [first] = this.natsServers;
    if (first === undefined) throw new Error("no NATS server");
    return first;
  }

  /** The settings of one more node, with a free port for the connections between nodes. */
  async environmentOf(nodeId: string, host = "127.0.0.1"): Promise<Readonly<Record<string, string>>> {
    const link = `${host}:${await freePort()}`;
    return { ...this.#environment, FANFARE_NODE_ID: nodeId, FANFARE_NODE_LISTEN: link, FANFARE_NODE_ADVERTISE: link };
  }

  /** The address of the nodes' database. */
  get databaseUrl(): string {
    return this.postgres.url(this.#database);
  }

  /** Runs a statement in the database of the nodes. */
  query(sql: string): Promise<readonly unknown[]> {
    return this.postgres.query(sql, this.#database);
  }

  /**
   * From now on no node can compare what it owns with the database, and a change of a channel reaches its owner by a hint
   * only. Returns what ends that. A claim waits too, and fails after a second.
   */
  holdComparisons(): Promise<() => Promise<void>> {
    return this.postgres.transaction(this.#database, "lock table channel_owner in access exclusive mode");
  }

  /** What their database holds, as statements, and the text of the key file that opens it. */
  async keep(): Promise<NonNullable<SharedOptions["kept"]>> {
    const keyFile = readFileSync(this.#environment["FANFARE_ENCRYPTION_KEY_FILE"] ?? "", "utf8");
    return { statements: await this.postgres.dump(this.#database), keyFile };
  }

  async close(): Promise<void> {
    for (const server of this.natsServers) await server.kill();
    await this.postgres.close();
  }
}
