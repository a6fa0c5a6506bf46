import { defineConfig } from "vite";

/** Makes `dist-web/`, which the server serves as it is. */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist-web",
    emptyOutDir: true,
    target: "es2022",
    // The Content-Security-Policy has no place for inlined files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
});
