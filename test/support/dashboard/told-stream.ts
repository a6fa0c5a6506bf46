import type { Page } from "playwright-core";

/** An event's name, and its data. */
type Told = readonly (readonly [name: string, data: object])[];

/**
 * Answers a page's live stream with these events, each time that the page is loaded. Then the connection ends, and the next one
 * gets no answer: what was told stays on the page. A page that connects anew would begin with an empty one again and again.
 */
export async function tellStream(page: Page, told: () => Told): Promise<void> {
  // A test can answer the connection of a page's own worker, not that of a shared one.
  await page.addInitScript("delete globalThis.SharedWorker");
  await page.route("**/events/stream", async (route) => {
    if (route.request().headers()["last-event-id"] !== undefined) return;
    const events = told().map(([name, data], id) => `event: ${name}\nid: x-${id}\ndata: ${JSON.stringify(data)}\n\n`);
    await route.fulfill({ contentType: "text/event-stream", body: events.join("") });
  });
}
