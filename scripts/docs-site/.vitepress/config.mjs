// The documentation site: the pages of docs/ as they are, with a menu and a search that runs in the browser.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";

const DOCS = join(import.meta.dirname, "..", "..", "..", "docs");

/** A page as the menu shows it: its heading, and its address without `.md`. */
function entry(page) {
  const [, heading = page] = /^# (.+)$/m.exec(readFileSync(join(DOCS, page), "utf8")) ?? [];
  const path = page.replace(/(^|\/)README\.md$/, "$1").replace(/\.md$/, "");
  return { text: heading.replaceAll("`", ""), link: `/${path}` };
}

const group = (text, pages, collapsed = false) => ({ text, collapsed, items: pages.map(entry) });

/** The pages of a folder, its README first, the others by name. */
function pagesOf(folder) {
  const names = readdirSync(join(DOCS, folder)).filter((name) => name.endsWith(".md"));
  const isFirst = (name) => (name === "README.md" ? 0 : 1);
  return names
    .toSorted((one, other) => isFirst(one) - isFirst(other) || one.localeCompare(other))
    .map((name) => `${folder}/${name}`);
}

/** Whether a link of a page in `folder` leads to another site, or to a page that this one has. */
function isOnSite(folder, href) {
  const path = posix.join(folder, href.replace(/#.*/, ""));
  if (/^[a-z]+:/.test(href)) return true;
  return !path.startsWith("..") && (!path.endsWith("/") || existsSync(join(DOCS, path, "README.md")));
}

/**
 * Links that leave docs/ lead to files of the repository, which the site does not have: they become plain text. The
 * index of a folder has another name on the site (`rewrites`).
 */
function withLinksOfSite(markdown) {
  markdown.core.ruler.push("links-of-site", (state) => {
    const folder = posix.dirname(state.env.relativePath ?? "");
    for (const { children } of state.tokens) {
      let isOutside = false;
      for (const token of children ?? []) {
        if (token.type === "link_open") {
          const href = token.attrGet("href") ?? "";
          isOutside = !isOnSite(folder, href);
          if (isOutside) token.attrs = null;
          else if (!/^[a-z]+:/.test(href)) token.attrSet("href", href.replace(/README\.md(?=#|$)/, "index.md"));
        }
        if (isOutside && /^link_(open|close)$/.test(token.type)) token.tag = "span";
      }
    }
  });
}

export default {
  title: "Fanfare",
  description: "One live stream in, every platform out: a self-hosted restreaming server.",
  srcDir: DOCS,
  outDir: join(DOCS, "..", "dist-docs"),
  cacheDir: join(import.meta.dirname, "..", "node_modules", ".cache"),
  // On disk the index of a folder is README.md, as code hosts show it.
  rewrites: { "README.md": "index.md", ":folder/README.md": ":folder/index.md" },
  markdown: { config: withLinksOfSite },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [
      group("Start", ["README.md", "tutorial.md", "troubleshooting.md"]),
      group("Recipes", [...pagesOf("recipes"), "reverse-proxy.md"]),
      group("Running it", ["operations.md", "compatibility.md", ...pagesOf("operations")]),
      group("The API", ["api.md", ...pagesOf("api"), "cli.md"]),
      group("How it is built", ["architecture.md", "glossary.md", "how-to-change.md", "testkit.md"], true),
      group("Decisions", pagesOf("decisions"), true),
      group("Results", pagesOf("results"), true),
    ],
  },
};
