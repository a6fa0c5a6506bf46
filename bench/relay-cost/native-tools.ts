import { existsSync } from "node:fs";
import { join } from "node:path";
import { runToEnd } from "../../test/support/processes/children.ts";

const SOURCES = join(import.meta.dirname, "..", "native");
const OPENSSL_HEADER = "/usr/include/openssl/ssl.h";

/** The programs in C that the bench runs beside the relays, built. */
export type NativeTools = {
  readonly encoder: string;
  readonly sink: string;
  readonly floor: string;
  /** Whether the sink and the floor speak TLS: only where OpenSSL's headers were there. */
  readonly hasTls: boolean;
};

/** Builds them with gcc into the folder. */
export async function buildNativeTools(folder: string): Promise<NativeTools> {
  const hasTls = existsSync(OPENSSL_HEADER);
  const build = async (name: string, flags: readonly string[] = [], libraries: readonly string[] = []) => {
    const path = join(folder, name);
    const warnings = ["-Wall", "-Wextra", "-Wno-unused-function"];
    await runToEnd("gcc", ["-O2", ...warnings, ...flags, "-o", path, join(SOURCES, `${name}.c`), ...libraries]);
    return path;
  };
  const secured = (name: string) => (hasTls ? build(name, ["-DWITH_TLS"], ["-lssl", "-lcrypto"]) : build(name));
  const [encoder, sink, floor] = await Promise.all([build("load-encoder"), secured("sink"), secured("floor")]);
  return { encoder, sink, floor, hasTls };
}
