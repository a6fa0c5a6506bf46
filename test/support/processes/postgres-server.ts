import { appendFile, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
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
  #databases = 0;
  #back = Promise.withResolvers<void>();

  private constructor(folder: string, host: string, port: number, settings: readonly string[]) {
    this.#folder = folder;
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
    const words = ["-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"];
    const initdb = await run("initdb", ["-D", join(this.#folder, "data"), ...words]);
    const { code } = await initdb.exited;
    if (code !== 0) throw new Error(`initdb: ${initdb.stderr()}`);
    if (this.host === LOOPBACK) return;
    await appendFile(join(this.#folder, "data", "pg_hba.conf"), `host all all ${this.host}/24 trust\n`);
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
    await writeFile(join(this.#folder, "data", "pg_hba.conf"), rules.join("\n"));
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
    const place = ["-D", join(this.#folder, "data"), "-p", `${this.port}`, "-k", this.#folder, "-h", this.host];
    const server = await run("postgres", [...place, ...this.#settings]);
    this.#server = server;
    const answers = () =>
      this.query("select 1").then(
        () => true,
        () => undefined,
      );
    await waitFor("PostgreSQL", START_DEADLINE_MS, answers, () => server.stderr());
    this.#back.resolve();
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
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The package's user, where this process is root; otherwise the server runs as the user of the tests. */
async function userId(): Promise<number | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = await startChild("id", ["-u", USER]);
  await id.exited;
  return Number(id.stdout());
}

async function run(program: string, args: readonly string[]): Promise<Child> {
  const command = join(PROGRAMS, program);
  if ((await userId()) === undefined) return startChild(command, args);
  const asUser = ["--reuid", USER, "--regid", USER, "--clear-groups", "--pdeathsig", "KILL", "--"];
  return startChild("setpriv", [...asUser, command, ...args], { cwd: "/" });
}
