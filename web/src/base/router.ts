import { signal } from "@preact/signals";
import { at, within } from "./base-path.ts";

export type Route =
  | { readonly page: "overview" }
  | { readonly page: "channel"; readonly channelId: string }
  | { readonly page: "settings" }
  | { readonly page: "audit" }
  | { readonly page: "setup" }
  | { readonly page: "not-found" };

function parse(pathname: string): Route {
  const path = within(pathname);
  if (path === "/") return { page: "overview" };
  if (path === "/settings") return { page: "settings" };
  if (path === "/audit") return { page: "audit" };
  if (path === "/setup") return { page: "setup" };
  const channelId = /^\/channels\/(ls-[A-Za-z0-9-]+)$/.exec(path)?.[1];
  return channelId === undefined ? { page: "not-found" } : { page: "channel", channelId };
}

/** The current page, read from the address bar. */
export const route = signal<Route>(parse(location.pathname));

let shown = location.pathname;

const read = (): void => {
  shown = location.pathname;
  route.value = parse(shown);
};

/** The way back leads to the link that led away. Where there is none, to the heading. */
function readBack(): void {
  const left = shown;
  read();
  if (left === shown) return;
  requestAnimationFrame(() => {
    const link = document.querySelector<HTMLElement>(`main a:not(.back)[href="${left}"]`);
    link?.scrollIntoView({ block: "center" });
    (link ?? document.querySelector("h1"))?.focus({ preventScroll: true });
  });
}

/** Goes to another page without loading a document, and moves the focus to its heading as a page load would. */
export function go(path: string): void {
  if (at(path) !== location.pathname) history.pushState(null, "", at(path));
  read();
  scrollTo(0, 0);
  focusHeading();
}

/** Moves the focus to the page's heading once it is rendered. */
export function focusHeading(): void {
  requestAnimationFrame(() => document.querySelector("h1")?.focus());
}

/** Makes plain links and the back button work without page loads. */
export function startRouter(): void {
  addEventListener("popstate", readBack);
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (
      link === null ||
      link.origin !== location.origin ||
      link.target !== "" ||
      link.hash !== "" ||
      link.hasAttribute("download")
    )
      return;
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (parse(link.pathname).page === "not-found") return;
    event.preventDefault();
    go(within(link.pathname));
  });
}
