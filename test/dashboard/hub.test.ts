import { expect, onTestFinished, test, vi } from "vitest";
import type { HubMessage } from "../../web/src/live/changes.ts";
import { Hub } from "../../web/src/live/hub.ts";

const CHANNEL = { channelId: "ls-1", channelName: "show", platforms: [] };
const SAMPLE = { channelId: "ls-1", time: 2_000, ingest: { bytesPerSecond: 7 }, platforms: [] };
const TROUBLE = { trouble: "overloaded", message: "busy", messageKo: "바쁨", sinceTime: 1_000 };

/** A hub whose server sends what the test says. */
function openHub() {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  vi.stubGlobal("fetch", async () => new Response(readable));
  onTestFinished(() => void vi.unstubAllGlobals());
  const say = (name: string, data: object) =>
    writer.write(new TextEncoder().encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
  const hub = new Hub();
  const tab = () => {
    const received: HubMessage[] = [];
    const leave = hub.listen((message) => received.push(message));
    onTestFinished(leave);
    const last = <Kind extends HubMessage["kind"]>(kind: Kind) =>
      received.findLast((message): message is Extract<HubMessage, { kind: Kind }> => message.kind === kind);
    return { received, last, leave };
  };
  return { say, tab };
}

test("a tab that opens later gets what is known: the connection, the server's troubles, channels and their last minute", async () => {
  const { say, tab } = openHub();
  const first = tab();
  await say("snapshot", { time: 1_000, channels: [CHANNEL] });
  await say("server", { troubles: [TROUBLE] });
  await say("sample", SAMPLE);
  await expect.poll(() => first.last("changes")?.changes).toEqual([{ name: "sample", data: SAMPLE }]);
  const second = tab();
  expect(second.received).toMatchObject([
    { kind: "lead", isLead: false },
    { kind: "state", state: "connected" },
    { kind: "server", server: { troubles: [TROUBLE] } },
    { kind: "snapshot", channels: [CHANNEL], samples: [SAMPLE] },
  ]);
  expect(first.last("lead")).toEqual({ kind: "lead", isLead: true });
  first.leave();
  expect(second.last("lead")).toEqual({ kind: "lead", isLead: true });
});

test("a snapshot begins everything anew: samples from before a gap, and troubles that may be over, are gone", async () => {
  const { say, tab } = openHub();
  const { last } = tab();
  await say("snapshot", { time: 1_000, channels: [CHANNEL] });
  await say("server", { troubles: [TROUBLE] });
  await say("sample", SAMPLE);
  await expect.poll(() => last("changes")?.changes.length).toBe(1);
  expect(last("server")?.server.troubles).toEqual([TROUBLE]);
  await say("snapshot", { time: 9_000, channels: [CHANNEL] });
  await expect.poll(() => last("server")?.server.troubles).toEqual([]);
  expect(last("snapshot")).toMatchObject({ channels: [CHANNEL], samples: [] });
});

test("a tab that opens later gets no samples of a former broadcast, and those of this one after a change of its channel", async () => {
  const { say, tab } = openHub();
  const { received } = tab();
  const changes = () => received.flatMap((message) => (message.kind === "changes" ? message.changes : []));
  await say("snapshot", { time: 1_000, channels: [{ ...CHANNEL, recentPublishStartTime: 500 }] });
  await say("sample", SAMPLE);
  await say("channel", { ...CHANNEL, channelName: "renamed", recentPublishStartTime: 500 });
  await expect.poll(() => changes().length).toBe(2);
  expect(tab().last("snapshot")?.samples).toMatchObject([SAMPLE]);
  await say("channel", { ...CHANNEL, recentPublishStartTime: 3_000 });
  await expect.poll(() => changes().length).toBe(3);
  expect(tab().last("snapshot")?.samples).toEqual([]);
});

test("a tab that opens between a sample and its telling gets it once", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { say, tab } = openHub();
  const first = tab();
  await say("snapshot", { time: 1_000, channels: [CHANNEL] });
  await say("sample", SAMPLE);
  await say("server", { troubles: [TROUBLE] });
  await expect.poll(() => first.last("server")?.server.troubles).toEqual([TROUBLE]);
  const second = tab();
  vi.advanceTimersByTime(1_000);
  const samplesOf = (messages: readonly HubMessage[]): readonly unknown[] =>
    messages.flatMap((message): readonly unknown[] => {
      if (message.kind === "snapshot") return message.samples;
      return message.kind === "changes" ? message.changes.map(({ data }) => data) : [];
    });
  expect(samplesOf(first.received)).toEqual([SAMPLE]);
  expect(samplesOf(second.received)).toEqual([SAMPLE]);
});

test("an event right before a snapshot is told: no snapshot has it", async () => {
  const { say, tab } = openHub();
  const { received, last } = tab();
  await say("snapshot", { time: 1_000, channels: [CHANNEL] });
  await say("event", { id: 7 });
  await say("snapshot", { time: 9_000, channels: [CHANNEL] });
  await expect.poll(() => last("snapshot")?.time).toBeGreaterThanOrEqual(9_000);
  expect(received.map(({ kind }) => kind)).toEqual([
    "lead",
    "state",
    "snapshot",
    "server",
    "changes",
    "snapshot",
    "server",
  ]);
});

test("a tab that comes after the session ended opens a connection anew, and no later one is told that it was refused", async () => {
  const opened: ((response: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => opened.push(resolve)));
  onTestFinished(() => void vi.unstubAllGlobals());
  const hub = new Hub();
  const tab = () => {
    const states: string[] = [];
    const leave = hub.listen((message) => {
      if (message.kind === "state") states.push(message.state);
    });
    onTestFinished(leave);
    return { states, leave };
  };
  const refuse = (which: number) => opened[which]?.(new Response(null, { status: 401 }));
  // A browser froze the first one: it does not leave.
  const frozen = tab();
  refuse(0);
  await expect.poll(() => frozen.states).toEqual(["refused"]);
  const signedIn = tab();
  expect([opened.length, signedIn.states]).toEqual([2, []]);
  expect(tab().states).toEqual(["connecting"]);

  refuse(1);
  await expect.poll(() => signedIn.states).toEqual(["refused"]);
  signedIn.leave();
  tab();
  expect(opened.length).toBe(3);
  opened[2]?.(new Response(new ReadableStream()));
  await expect.poll(() => signedIn.states.length + frozen.states.length).toBe(4);
  expect(frozen.states.at(-1)).toBe("connected");
});
