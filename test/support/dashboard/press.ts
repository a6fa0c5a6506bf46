import type { Locator, Page } from "playwright-core";
import { waitFor } from "../processes/waiting.ts";

const DEADLINE_MS = 10_000;
/** How long something that shows for a moment is looked for, in milliseconds. It bounds a failing test only. */
const SHOWN_DEADLINE_MS = 60_000;

type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
/** What is needed of an element of the page. */
type Pressable = {
  readonly ownerDocument: { elementFromPoint(x: number, y: number): Pressable | null };
  checkVisibility(): boolean;
  matches(selector: string): boolean;
  contains(other: Pressable): boolean;
  closest(selector: string): { readonly control?: unknown } | null;
  scrollIntoView(options: object): void;
  scrollIntoViewIfNeeded(isCentred: boolean): void;
  getClientRects(): Iterable<Box>;
  focus(options: object): void;
  click(): void;
};

/**
 * Presses a button, a link, a box or what else a page has, as soon as it is there, can be used and is not covered, and after its former call. Looks and
 * presses in one step of the page. A mouse click takes several, with a place that was right at the first of them: a page
 * that shows live figures may move in between, and the click hits something else or nothing.
 */
export async function press(place: Locator): Promise<void> {
  let found = "it is not there";
  const tryIt = async () => {
    found = await place.evaluate(pressNow);
    return found === "pressed" || undefined;
  };
  await waitFor(`a press of ${place}`, DEADLINE_MS, tryIt, () => found);
}

/** Ticks a box or chooses a radio button, or takes the tick away. Does nothing where it is so already. */
export async function tick(place: Locator, isOn = true): Promise<void> {
  if ((await place.isChecked()) === isOn) return;
  await press(place);
  await waitFor(`${place} to be ${isOn}`, DEADLINE_MS, async () => (await place.isChecked()) === isOn || undefined);
}

/**
 * Does what brings an element of this selector with this text, and returns once it was there. For what a page shows for a moment
 * only: the page itself looks at each of its changes, so that a busy test does not miss it.
 */
export async function seeShown(page: Page, selector: string, text: string, act: () => Promise<unknown>): Promise<void> {
  const isThere = `[...document.querySelectorAll(${JSON.stringify(selector)})].some(({ textContent }) =>
    textContent.includes(${JSON.stringify(text)}))`;
  const seen = page.evaluate(`new Promise((resolve) => {
    const stop = () => (observer.disconnect(), clearTimeout(timer));
    const look = () => ${isThere} && (stop(), resolve(true));
    const observer = new MutationObserver(look);
    const timer = setTimeout(() => (stop(), resolve(false)), ${SHOWN_DEADLINE_MS});
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    look();
  })`);
  const [isSeen] = await Promise.all([seen, act()]);
  if (isSeen !== true) throw new Error(`${selector} never showed: ${text}`);
}

/** For tests that are about the mouse, or need what a browser lets only a real press begin, such as sound. */
export async function clickByMouse(place: Locator): Promise<void> {
  await place.click();
}

/** Runs in the page. Returns what is in the way. */
function pressNow(given: unknown): string {
  const element = given as Pressable;
  if (!element.checkVisibility()) return "it is not visible";
  if (element.matches(":disabled")) return "it is disabled";
  if (element.matches("[aria-busy=true]")) return "its call goes on";
  // Below the top bar, which stays in sight, the second of them finds it.
  for (const isNeeded of [true, false]) {
    if (isNeeded) element.scrollIntoViewIfNeeded(true);
    else element.scrollIntoView({ block: "center", behavior: "instant" });
    const box = [...element.getClientRects()].find(({ width, height }) => width > 0 && height > 0);
    if (box === undefined) return "it has no size";
    const hit = element.ownerDocument.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (hit === null || !(element.contains(hit) || hit.closest("label")?.control === element)) continue;
    element.focus({ preventScroll: true });
    element.click();
    return "pressed";
  }
  return "something else is in front of it";
}
