import { expect, test } from "vitest";
import type { MessageTransport } from "../../../src/remote-publish/message-transport.ts";

export type TextTransport = MessageTransport<string, string>;

/** Two connected ends, and the errors that they reported. */
export type OpenedTransports = {
  readonly near: TextTransport;
  readonly far: TextTransport;
  readonly faults: unknown[];
};

/** What arrives at one end, `closed` last. */
export function listen(transport: TextTransport): { readonly heard: string[]; readonly closed: Promise<void> } {
  const heard: string[] = [];
  const closed = new Promise<void>((resolve) => {
    transport.listen(
      (message) => heard.push(message),
      () => {
        heard.push("closed");
        resolve();
      },
    );
  });
  return { heard, closed };
}

/** What every MessageTransport must do. */
export function messageTransportSuite(name: string, open: () => Promise<OpenedTransports>): void {
  test(`${name}: messages posted before the end arrive, then the end, once, and nothing is posted later`, async () => {
    const { near, far } = await open();
    near.post("one");
    near.post("two");
    near.close();
    near.post("three");
    near.close();
    const { heard, closed } = listen(far);
    await closed;
    far.post("to a closed end");
    far.close();
    expect(heard).toEqual(["one", "two", "closed"]);
  });

  test(`${name}: a side that closes its transport gets nothing more`, async () => {
    const { near, far } = await open();
    const own = listen(near);
    far.post("too late");
    near.close();
    await listen(far).closed;
    expect(own.heard).toEqual([]);
  });

  test(`${name}: a listener that fails ends its own transport, for both sides, and is reported`, async () => {
    const { near, far, faults } = await open();
    const fault = new Error("a mistake");
    const failed = new Promise<void>((resolve) => {
      far.listen(() => {
        throw fault;
      }, resolve);
    });
    near.post("one");
    await Promise.all([failed, listen(near).closed]);
    expect(faults).toEqual([fault]);
  });

  test(`${name}: a thousand messages both ways keep their order`, async () => {
    const { near, far } = await open();
    const numbers = Array.from({ length: 1_000 }, (_, at) => `${at} ${"x".repeat(at % 97)}`);
    const [atNear, atFar] = [listen(near), listen(far)];
    for (const number of numbers) {
      near.post(number);
      far.post(`back ${number}`);
    }
    near.post("last");
    await expect.poll(() => atNear.heard.length).toBe(1_000);
    near.close();
    await atFar.closed;
    expect(atFar.heard).toEqual([...numbers, "last", "closed"]);
    expect(atNear.heard).toEqual(numbers.map((number) => `back ${number}`));
  });
}
