import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, chown, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { z } from "zod";
import { type Child, runToEnd, startChild } from "./children.ts";
import { freePort } from "./free-port.ts";
import { waitFor } from "./waiting.ts";

/** Debian's path of the programs of its version. */
const PROGRAMS = "/usr/lib/postgresql/15/bin";
const START_DEADLINE_MS = 30_000;
const STOP_GRACE_MS = 5_000;
/** The server refuses to run as root: the package makes this user. */
const USER = "postgres";
const LOOPBACK = "127.0.0.1";

/** A real PostgreSQL server on loopback, with its data in a folder of its own. */
export class PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #server: Child | undefined;
  /** Where its data is. */
  #data: string;
  #standby: { readonly server: Child; readonly port: number; readonly data: string } | undefined;
  #databases = 0;
  #back = Promise.withResolvers<void>();

  private constructor(folder: string, host: string, port: number, settings: readonly string[]) {
    this.#folder = folder;
    this.#data = join(folder, "data");
    this.host = host;
    this.port = port;
    this.#settings = settings;
  }

  /**
   * `isDurable`: whether a commit is on the disk when it is acknowledged. Without it the server is quicker. `host`: an IPv4
   * address of this machine at which every host of its network of 256 addresses may connect.
   */
  static async start({ isDurable = false, host = LOOPBACK } = {}): Promise<PostgresServer> {
    const folder = await mkdtemp(join(tmpdir(), "fanfare-postgres-"));
    const quick = isDurable ? [] : ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];
    const server = new PostgresServer(folder, host, await freePort(), quick);
    try {
      await server.#initialize();
      await server.resume();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  async #initialize(): Promise<void> {
    const owner = await userId();
    if (owner !== undefined) await chown(this.#folder, owner, owner);
    await makeData(this.#data);
    if (this.host === LOOPBACK) return;
    await appendFile(join(this.#data, "pg_hba.conf"), `host all all ${this.host}/24 trust\n`);
  }

  get pid(): number {
    if (this.#server === undefined) throw new Error("the server does not run");
    return this.#server.pid;
  }

  /** The address of one of its databases. */
  url(database: string): string {
    return `postgres://${USER}@${this.host}:${this.port}/${database}`;
  }

  /** Makes a database, empty or a copy of one that nothing is connected to, and returns its name. */
  async newDatabase(copied = "template1"): Promise<string> {
    this.#databases += 1;
    const name = `fanfare_${this.#databases}`;
    await this.query(`create database ${name} template ${copied}`);
    return name;
  }

  /** Runs a statement as the superuser. */
  async query(sql: string, database = "postgres"): Promise<readonly unknown[]> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    try {
      const { rows } = await client.query(sql);
      return rows;
    } finally {
      await client.end();
    }
  }

  /**
   * All that a database holds, as SQL statements that make it again. The lines of `pg_dump` that only `psql` understands
   * are left out.
   */
  async dump(database: string): Promise<string> {
    const form = ["--inserts", "--no-owner", "--no-privileges"];
    const text = await runToEnd(join(PROGRAMS, "pg_dump"), [...form, this.url(database)]);
    return text.replaceAll(/^\\(un)?restrict .*\n/gm, "");
  }

  /** From now on every user but the superuser needs a password. */
  async requirePasswords(): Promise<void> {
    const rules = [`host all ${USER} 127.0.0.1/32 trust`, "host all all 127.0.0.1/32 scram-sha-256", ""];
    await writeFile(join(this.#data, "pg_hba.conf"), rules.join("\n"));
    await this.query("select pg_reload_conf()");
  }

  /** Opens a transaction in a session of its own, and returns what commits it. */
  async transaction(database: string, ...statements: readonly string[]): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    for (const statement of ["begin", ...statements]) await client.query(statement);
    return async () => {
      await client.query("commit");
      await client.end();
    };
  }

  /** Resolves while it answers, and after `kill` once it answers again. */
  get isBack(): Promise<void> {
    return this.#back.promise;
  }

  /** Starts it on its existing folder, after `kill` or `stop`. */
  async resume(): Promise<void> {
    this.#server = await this.#run(this.#data, this.port);
    this.#back.resolve();
  }

  /** Starts a standby, which gets each commit after it was acknowledged. */
  async addStandby(): Promise<void> {
    const data = join(this.#folder, `standby-${Date.now()}`);
    const from = ["-h", this.host, "-p", `${this.port}`, "-U", USER];
    await finish("pg_basebackup", [...from, "-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync"]);
    const port = await freePort();
    this.#standby = { server: await this.#run(data, port), port, data };
  }

  /** Where the standby listens. */
  get standbyPort(): number {
    if (this.#standby === undefined) throw new Error("there is no standby");
    return this.#standby.port;
  }

  /** From now on the standby gets nothing: a failover loses what is committed. It has everything up to now. */
  async cutStandby(): Promise<void> {
    const [at] = z.array(z.object({ lsn: z.string() })).parse(await this.query("select pg_current_wal_lsn() as lsn"));
    const isThere = async () =>
      (await this.#askStandby(`select pg_last_wal_replay_lsn() >= '${at?.lsn}'`)) || undefined;
    await waitFor("the standby", START_DEADLINE_MS, isThere);
    await this.#askStandby("alter system set primary_conninfo to ''");
    await this.#askStandby("select pg_reload_conf()");
    const isAlone = async () => (await this.#askStandby("select count(*) = 0 from pg_stat_wal_receiver")) || undefined;
    await waitFor("the standby to be alone", START_DEADLINE_MS, isAlone);
  }

  /** The server dies, and the standby is promoted and takes its place, at the same port. */
  async failOver(): Promise<void> {
    const standby = this.#standby;
    if (standby === undefined) throw new Error("there is no standby");
    await this.kill();
    await this.#askStandby("select pg_promote()");
    await standby.server.stop("SIGINT", STOP_GRACE_MS);
    this.#standby = undefined;
    await rm(this.#data, { recursive: true, force: true });
    this.#data = standby.data;
    await this.resume();
  }

  /** Runs a statement at the standby. Returns whether the first value is true. */
  async #askStandby(sql: string): Promise<boolean> {
    const client = new pg.Client({
      connectionString: this.url("postgres").replace(`:${this.port}/`, `:${this.#standby?.port}/`),
    });
    await client.connect();
    try {
      const { rows } = await client.query({ text: sql, rowMode: "array" });
      return rows[0]?.[0] === true;
    } finally {
      await client.end();
    }
  }

  async #run(data: string, port: number): Promise<Child> {
    const place = ["-D", data, "-p", `${port}`, "-k", this.#folder, "-h", this.host];
    const server = await run("postgres", [...place, ...this.#settings]);
    const url = this.url("postgres").replace(`:${this.port}/`, `:${port}/`);
    const answers = async () => {
      if (!server.isRunning()) throw new Error(`PostgreSQL ended: ${server.stderr()}`);
      const client = new pg.Client({ connectionString: url });
      return await client.connect().then(
        async () => {
          await client.end();
          return true;
        },
        () => undefined,
      );
    };
    await waitFor("PostgreSQL", START_DEADLINE_MS, answers, () => server.stderr());
    return server;
  }

  /** Kills all its processes at once, without a shutdown. */
  async kill(): Promise<void> {
    this.#back = Promise.withResolvers();
    await this.#server?.stop("SIGKILL", STOP_GRACE_MS);
  }

  /** Ends it; sessions are cut. */
  async stop(): Promise<void> {
    await this.#server?.stop("SIGINT", STOP_GRACE_MS);
  }

  /** Ends it and removes its data. */
  async close(): Promise<void> {
    await this.stop();
    await this.#standby?.server.stop("SIGINT", STOP_GRACE_MS);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Makes the data folder of a new server. The servers of one run copy what `initdb` made for the first of them: a copy takes
 * a tenth of its time.
 */
async function makeData(data: string): Promise<void> {
  const runFolder = process.env["FANFARE_TEST_RUN_FOLDER"];
  const made = runFolder === undefined ? undefined : join(runFolder, "postgres-data");
  if (made !== undefined && existsSync(made)) return copyFolder(made, data);
  await finish("initdb", ["-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]);
  if (made === undefined) return;
  const unfinished = `${made}.${randomUUID()}`;
  await copyFolder(data, unfinished);
  // Another process of the run may have been quicker.
  await rename(unfinished, made).catch(() => rm(unfinished, { recursive: true }));
}

/** With owners and modes. */
async function copyFolder(from: string, to: string): Promise<void> {
  await runToEnd("cp", ["--archive", "--sparse=always", from, to]);
}

/** The package's user, where this process is root; otherwise the server runs as the user of the tests. */
async function userId(): Promise<number | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = await startChild("id", ["-u", USER]);
  await id.exited;
  return Number(id.stdout());
}

/** Runs a program to its end. Rejects where it fails. */
async function finish(program: string, args: readonly string[]): Promise<void> {
  const child = await run(program, args);
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${program}: ${child.stderr()}`);
}

async function run(program: string, args: readonly string[]): Promise<Child> {
  const command = join(PROGRAMS, program);
  if ((await userId()) === undefined) return startChild(command, args);
  const asUser = ["--reuid", USER, "--regid", USER, "--clear-groups", "--pdeathsig", "KILL", "--"];
  return startChild("setpriv", [...asUser, command, ...args], { cwd: "/" });
}
