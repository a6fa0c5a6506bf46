import { mkdtemp, readdir, readlink, rename, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";

/** The socket of the process that serves a data folder: a link into that process's own folder. */
const SOCKET_NAME = "fanfare.sock";
const FOLDER_PREFIX = "fanfare.run-";
const CONTROL_NAME = "control.sock";

/** Where the process that serves this data folder is reached. */
export const servingSocket = (dataFolder: string): string => join(dataFolder, SOCKET_NAME);

/** The sockets of all processes that run, or ran, on this data folder. */
export async function processSockets(dataFolder: string): Promise<readonly string[]> {
  const names = await readdir(dataFolder).catch(() => []);
  const folders = names.filter((name) => name.startsWith(FOLDER_PREFIX)).sort();
  return folders.map((name) => join(dataFolder, name, CONTROL_NAME));
}

/** Removes what a process that is gone left behind. */
export async function removeLeftSocket(socket: string): Promise<void> {
  const folder = join(socket, "..");
  if (basename(folder).startsWith(FOLDER_PREFIX)) await rm(folder, { recursive: true, force: true });
}

/**
 * A process's own folder within the data folder, for its sockets. Only this user can open it: a process that connects to one
 * of the sockets is this user's.
 */
export class RunFolder {
  readonly #dataFolder: string;
  readonly #path: string;

  private constructor(dataFolder: string, path: string) {
    this.#dataFolder = dataFolder;
    this.#path = path;
  }

  /** Makes the folder, with mode 0700. Rejects with the system's error. */
  static async make(dataFolder: string): Promise<RunFolder> {
    return new RunFolder(dataFolder, await mkdtemp(join(dataFolder, FOLDER_PREFIX)));
  }

  /** The socket at which the process takes other processes' requests. */
  get controlSocket(): string {
    return join(this.#path, CONTROL_NAME);
  }

  /** The socket of one media thread. */
  threadSocket(index: number): string {
    return join(this.#path, `media-${index + 1}.sock`);
  }

  /** From now on this process serves the data folder. The link is replaced in one step. */
  async serve(): Promise<void> {
    const fresh = join(this.#path, "serving");
    await symlink(this.#target(), fresh);
    await rename(fresh, servingSocket(this.#dataFolder));
  }

  /** Removes the folder, and the link where it leads here. */
  async remove(): Promise<void> {
    const link = servingSocket(this.#dataFolder);
    const target = await readlink(link).catch(() => undefined);
    if (target === this.#target()) await rm(link, { force: true });
    await rm(this.#path, { recursive: true, force: true });
  }

  #target(): string {
    return join(basename(this.#path), CONTROL_NAME);
  }
}
