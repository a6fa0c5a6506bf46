// Makes one file of the sources and packages for each entry, and files of what several of them share:
// `node scripts/bundle/bundle-server.ts FOLDER`. Vite does not check types.
import { join, resolve } from "node:path";
import { build } from "vite";

const ROOT = join(import.meta.dirname, "..", "..");
/** The command line, the threads that it starts, at the places where they look for each other, and the client of the API. */
const ENTRIES = [
  "cli/main",
  "app/media-thread/media-thread",
  "app/recording-thread/recording-thread",
  "app/delay-thread/delay-thread",
  "client/client",
];

/**
 * Bundles the server into this folder, which it empties first. Node looks for some 1,000 files otherwise, and keeps each as a
 * module: that takes half of a start, and a sixth of the memory of an idle server.
 */
export async function bundleServer(folder: string): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    logLevel: "warn",
    publicDir: false,
    // It loads a file of machine code that fits the system, from its own folder.
    ssr: { noExternal: true, external: ["koffi"] },
    build: {
      ssr: true,
      outDir: folder,
      emptyOutDir: true,
      target: "node24",
      minify: false,
      sourcemap: true,
      reportCompressedSize: false,
      license: { fileName: "LICENSES.md" },
      rolldownOptions: {
        input: Object.fromEntries(ENTRIES.map((entry) => [entry, join(ROOT, "src", `${entry}.ts`)])),
        // What is shared lies where `thread-entry` looks for entries from. Names without a hash: a server that still runs finds
        // its parts after an upgrade in place.
        output: {
          entryFileNames: "[name].js",
          chunkFileNames: "app/threads/[name].js",
          comments: false,
          // V8 keeps the text of a file, and one with other characters in twice the memory.
          minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
        },
      },
    },
  });
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error("usage: node scripts/bundle/bundle-server.ts FOLDER");
  await bundleServer(resolve(folder));
}
