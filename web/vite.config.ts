import { readFileSync } from "node:fs";
import { join } from "node:path";
import { minifySync, type Plugin, type UserConfig } from "vite";

/**
 * Vite wraps each dynamic import in a helper that loads the styles and other files of the imported part. Here all styles are in one
 * file and the browser follows the imports itself, so the helper (1.3 kB gzip) would do nothing.
 */
const plainImports: Plugin = {
  name: "plain-imports",
  enforce: "pre",
  load: (id) => (id.endsWith("vite/preload-helper.js") ? "export const __vitePreload = (load) => load();" : undefined),
};

/** Vite copies `public/` as it is. The service worker has as many comments and long names as any other source: a quarter of its bytes after gzip. */
const smallServiceWorker: Plugin = {
  name: "small-service-worker",
  apply: "build",
  generateBundle() {
    const name = "service-worker.js";
    const { code } = minifySync(name, readFileSync(join(import.meta.dirname, "public", name), "utf8"));
    this.emitFile({ type: "asset", fileName: name, source: code });
  },
};

/** The first versions with `Map.groupBy`, `AbortSignal.any` and `light-dark()`, which are used without a fallback. */
const BROWSERS = ["chrome123", "firefox124", "safari17.5"];

/**
 * What the first page needs is one file. Every other page, form and dialog is in a second file: it is smaller than one file for each,
 * and loaded already when the second of them is opened. The player, the other video, the charts, the QR code, the sources, the schedules,
 * the parts of the settings, the alerts, and events with reports and recordings have files of their own. Each language has two: the texts of the first page,
 * and those of all that comes later.
 */
const FILES = [
  { name: "shared", tags: ["$initial" as const], priority: 3 },
  { name: "chart", test: /\/node_modules\/uplot\/|\/web\/src\/chart\/line-plot/, priority: 2 },
  { name: "settings", test: /\/web\/src\/parts\/(?:contacts\/|nodes\/|settings\/|webhook\/webhook\.tsx)/, priority: 2 },
  { name: "alerts", test: /\/web\/src\/parts\/alerts\//, priority: 2 },
  { name: "qr-code", test: /\/node_modules\/lean-qr\/|\/qr-code\.tsx/, priority: 2 },
  { name: "sources", test: /\/web\/src\/parts\/sources\//, priority: 2 },
  { name: "schedules", test: /\/web\/src\/parts\/(?:schedules|delay)\//, priority: 2 },
  { name: "audit", test: /\/web\/src\/parts\/audit\/|\/api-contract\/audit\/audit-/, priority: 2 },
  // Before what uses the texts: a group takes what its modules import with it.
  { name: "panels-en", test: /\/panels-en\/|\/en-audit-words/, priority: 4 },
  { name: "panels-ko", test: /\/panels-ko\/|\/ko-audit-words/, priority: 4 },
  { name: "en", test: /\/web\/src\/(?:text\/en|base\/plural)|\/words\/en-events/, priority: 5 },
  { name: "history", test: /\/web\/src\/parts\/(?:history|recordings)\//, priority: 2 },
  { name: "video", test: /\/web\/src\/parts\/video\/(?!player)/, priority: 2 },
  { name: "deferred-bundle", test: /\/web\/src\/(?:pages|parts)\/(?!video\/player)/, priority: 1 },
];

/** The server's own paths, which `npm run dev` forwards to it. */
const SERVER_PATHS = "^/(api|dashboard|preview|docs|openapi\\.json|metrics|livez|readyz)([/?]|$)";
const SERVER = `http://127.0.0.1:${process.env["FANFARE_HTTP_PORT"] ?? 8080}`;

/** Builds `dist-web/`, which the server serves unchanged. With `npm run dev`, Vite serves the sources. */
export default {
  root: import.meta.dirname,
  // Files refer to each other relatively, so a proxy may put them below any path.
  base: "./",
  plugins: [plainImports, smallServiceWorker],
  // The server compares the browser's Host and Origin, so they are forwarded unchanged.
  server: { proxy: { [SERVER_PATHS]: { target: SERVER, changeOrigin: false } }, fs: { allow: [".."] } },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist-web",
    emptyOutDir: true,
    target: BROWSERS,
    // The Content-Security-Policy forbids inlined files.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    // Browsers follow the imports: lists of what to load ahead would only make the first file longer.
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: FILES } } },
  },
  worker: { format: "es" },
} satisfies UserConfig;
