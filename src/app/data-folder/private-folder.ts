import { chmod, mkdir, readdir, stat } from "node:fs/promises";
import { DATA_FOLDERS } from "./data-folders.ts";

const FOLDER_MODE = 0o700;
/** The mode bits of group and others. */
const OTHERS = 0o077;
/** Our own files in a data folder, and those that a file system makes. */
const OURS = /^(fanfare\.|encryption\.key|before-restore-|lost\+found$)/;
const OUR_FOLDERS: ReadonlySet<string> = new Set(Object.values(DATA_FOLDERS));

/**
 * Makes the folder, or opens an existing one to its owner only, whatever the umask is. Returns a sentence that says why
 * others can still read it; undefined where they cannot. Changes nothing in a folder with other files: it may be a home
 * folder, or /tmp.
 */
export async function makePrivateFolder(folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  // Windows has no such modes.
  if (process.platform === "win32") return undefined;
  const mode = (await stat(folder)).mode & 0o777;
  if ((mode & OTHERS) === 0) return undefined;
  const open = `others on this machine can read the data folder ${folder} (mode ${mode.toString(8).padStart(4, "0")})`;
  const names = await readdir(folder).catch(() => undefined);
  const foreignFile = names?.find((name) => !OURS.test(name) && !OUR_FOLDERS.has(name));
  if (foreignFile !== undefined) {
    return `${open}; it holds more than Fanfare's files, so it is left as it is: run chmod 700 on it, or give Fanfare a folder of its own.`;
  }
  try {
    await chmod(folder, FOLDER_MODE);
    return undefined;
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : "";
    return `${open}, and that cannot be changed (${detail}): ask its owner to run chmod 700 on it.`;
  }
}
