import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { type Child, startChild } from "../processes/children.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

/** Debian's path. */
const RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const START_DEADLINE_MS = 5_000;
const STOP_GRACE_MS = 3_000;
/** How often a growing recording is read, in milliseconds. It is read whole each time. */
const READ_EVERY_MS = 100;

/** One recorded publish. */
export type Recording = { readonly path: string; readonly tags: readonly FlvTag[] };

export type NginxPlace = {
  readonly host: string;
  readonly port: number;
  /** The command that runs it, with its arguments: a namespace's `exec`. */
  readonly wrapper?: readonly string[];
  /** Records nothing, and counts what it gets: its statistics are at this port of the same host. */
  readonly statisticsPort?: number;
  /** Where it serves what is published as HLS too: `/hls/KEY.m3u8`. */
  readonly httpPort?: number;
};

/**
 * A real nginx with Debian's RTMP module: takes every key under the application `live`, and records each publish into a
 * file of its own.
 */
export class NginxTarget {
  readonly port: number;
  readonly #host: string;
  readonly #wrapper: readonly string[];
  readonly #statisticsPort: number | undefined;
  readonly #folder: string;
  readonly #httpPort: number | undefined;
  #child: Child | undefined;

  private constructor(folder: string, { host, port, wrapper = [], statisticsPort, httpPort }: NginxPlace) {
    this.#folder = folder;
    this.#host = host;
    this.port = port;
    this.#wrapper = wrapper;
    this.#statisticsPort = statisticsPort;
    this.#httpPort = httpPort;
  }

  /** Writes the configuration into the folder (made when missing) and starts nginx, on a free port by default. */
  static async start(folder: string, place?: NginxPlace): Promise<NginxTarget> {
    const target = new NginxTarget(folder, place ?? { host: "127.0.0.1", port: await freePort() });
    await mkdir(join(folder, "recordings"), { recursive: true });
    await writeFile(join(folder, "nginx.conf"), target.#configuration());
    await target.restart();
    return target;
  }

  get url(): string {
    return `rtmp://${this.#host}:${this.port}/live`;
  }

  /** Starts it again on the same port; waits until it accepts connections. */
  async restart(): Promise<void> {
    const args = ["-p", this.#folder, "-e", join(this.#folder, "error.log"), "-c", join(this.#folder, "nginx.conf")];
    const [command = "", ...all] = [...this.#wrapper, "/usr/sbin/nginx", ...args];
    const child = await startChild(command, all);
    this.#child = child;
    await waitFor(
      "nginx to accept connections",
      START_DEADLINE_MS,
      async () => {
        if (!child.isRunning()) throw new Error(`nginx ended: ${child.stderr()}`);
        return (await accepts(this.#host, this.port)) ? true : undefined;
      },
      () => child.stderr(),
    );
  }

  async stop(): Promise<void> {
    await this.#child?.stop("SIGTERM", STOP_GRACE_MS);
  }

  /** Stops the program while its kernel goes on taking data, or continues it. */
  hang(isHanging: boolean): void {
    this.#child?.kill(isHanging ? "SIGSTOP" : "SIGCONT");
  }

  /** Kills it as a crash would: the kernel closes its sockets without a goodbye. */
  async kill(): Promise<void> {
    await this.#child?.stop("SIGKILL", STOP_GRACE_MS);
  }

  /** The recordings of one key, oldest first, as far as they are on disk. */
  async recordings(key: string): Promise<Recording[]> {
    const folder = join(this.#folder, "recordings");
    // nginx names them `key-<seconds>.flv`.
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${key}-`)).sort();
    const paths = names.map((name) => join(folder, name));
    return await Promise.all(paths.map(async (path) => ({ path, tags: readFlv(await readFile(path)) })));
  }

  /** Waits until the `index`-th recording of the key satisfies the condition; returns it as it is then. */
  async waitForRecording(
    key: string,
    isEnough: (tags: readonly FlvTag[]) => boolean,
    deadlineMs: number,
    index = 0,
  ): Promise<Recording> {
    const found = { tagCounts: [] as number[] };
    return await waitFor(
      `recording ${index} of ${key}`,
      deadlineMs,
      async () => {
        const recordings = await this.recordings(key);
        found.tagCounts = recordings.map((recording) => recording.tags.length);
        const recording = recordings[index];
        return recording !== undefined && isEnough(recording.tags) ? recording : undefined;
      },
      () => `recordings have ${found.tagCounts.join(", ")} tags`,
      READ_EVERY_MS,
    );
  }

  /** Bytes of media that all publishers of a key sent so far, where it counts them. 0 while there is none. */
  async receivedBytes(key: string): Promise<number> {
    const answer = await fetch(`http://${this.#host}:${this.#statisticsPort}/`);
    const streams = (await answer.text()).split("<stream>");
    const stream = streams.find((each) => each.includes(`<name>${key}</name>`));
    return Number(/<bytes_in>(\d+)<\/bytes_in>/.exec(stream ?? "")?.[1] ?? 0);
  }

  #configuration(): string {
    const recording = `
      record all;
      record_path ${join(this.#folder, "recordings")};
      record_suffix .flv;
      record_unique on;`;
    const statistics = `
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${this.#folder};`).join(" ")}
  server { listen ${this.#host}:${this.#statisticsPort}; location / { rtmp_stat all; } }
}`;
    const folder = join(this.#folder, "hls");
    const hls =
      this.#httpPort === undefined
        ? ["", ""]
        : [
            `hls on; hls_path ${folder}; hls_fragment 1s; hls_playlist_length 10s;`,
            `http { access_log off; server { listen 127.0.0.1:${this.#httpPort}; location /hls { root ${this.#folder}; } } }`,
          ];
    return `
load_module ${RTMP_MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log error.log notice;
events { worker_connections 256; }
rtmp {
  server {
    listen ${this.#host}:${this.port};
    chunk_size 4096;
    application live {
      live on;${this.#statisticsPort === undefined ? recording : ""}
      ${hls[0]}
    }
  }
}
${this.#statisticsPort === undefined ? "" : statistics}
${hls[1]}
`;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
