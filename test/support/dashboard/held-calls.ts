import type { APIResponse, Page, Request } from "playwright-core";

/** Runs in the page. Returns once what was answered before has been taken and drawn: calls of its own went there and back. */
export const TAKEN = `(async () => {
  for (let round = 0; round < 5; round += 1) {
    await (await fetch("/livez")).text();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
})()`;

/**
 * Holds back the answer of the page's first such request. `given` is fulfilled once the server has given it. The page
 * has it, and has taken it, once `letGo` has returned.
 */
export async function holdFirstAnswer(page: Page, address: string | RegExp, method = "GET") {
  const given = Promise.withResolvers<{ readonly request: Request; readonly response: APIResponse }>();
  const going = Promise.withResolvers<void>();
  let isFirst = true;
  await page.route(address, async (route) => {
    const request = route.request();
    if (!isFirst || request.method() !== method) return route.continue();
    isFirst = false;
    const response = await route.fetch();
    given.resolve({ request, response });
    await going.promise;
    await route.fulfill({ response });
  });
  const letGo = async (): Promise<void> => {
    const { request: held } = await given.promise;
    const isFinished = page.waitForEvent("requestfinished", (request) => request === held);
    going.resolve();
    await isFinished;
    await page.evaluate(TAKEN);
  };
  return { given: given.promise, letGo };
}

type Held = {
  /** Which requests are held; without it all of them. */
  readonly method?: string;
  /** What becomes of them when they are let go. */
  readonly end?: "continue" | "abort";
};

/** Holds back such requests of the page before the server has them. `asked` is fulfilled with the first one. */
export async function holdRequests(page: Page, address: string | RegExp, { method, end = "continue" }: Held = {}) {
  const asked = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  await page.route(address, async (route) => {
    if (method !== undefined && route.request().method() !== method) return route.continue();
    asked.resolve();
    await going.promise;
    await route[end]();
  });
  return { asked: asked.promise, letGo: () => going.resolve() };
}
