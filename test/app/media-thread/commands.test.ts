import { expect, test } from "vitest";
import { Commands, type CommandsDeps } from "../../../src/app/media-thread/commands.ts";
import { OwnedChannels } from "../../../src/remote-publish/owned-channels.ts";
import { RemotePublisherHost } from "../../../src/remote-publish/remote-publisher-host.ts";
import type { ToMedia } from "../../../src/thread-protocol/messages.ts";
import type { FromEncoder, ToEncoder } from "../../../src/thread-protocol/remote-publish.ts";
import { ManualTransport } from "../../support/stages/manual-transport.ts";
import { RelayStage, target } from "../../support/stages/relay-stage.ts";

/** A media thread to which the control thread has sent an encoder of another thread. */
async function withVisitor() {
  const stage = new RelayStage();
  const { clock, engine } = stage;
  const hosted = new RemotePublisherHost({ clock, engine });
  const transport = new ManualTransport<FromEncoder, ToEncoder>();
  const commands = new Commands({
    ...{ clock, engine, hosted, openTransport: () => transport.far },
    owned: new OwnedChannels({ clock, engine, onReleased: () => undefined }),
    admissions: { revoke: () => undefined },
    listener: { afterReads: (run: () => void) => run() },
  } as unknown as CommandsDeps);
  const told: (ToEncoder["kind"] | "closed")[] = [];
  transport.near.listen(
    ({ kind }) => void told.push(kind),
    () => void told.push("closed"),
  );
  const spec = stage.spec([target(1)]);
  const send = async (message: ToMedia) => {
    commands.take({ message });
    await transport.settle();
  };
  await send({ kind: "host-publisher", spec, slot: "main" });
  return { send, spec, told };
}

test.each<ToMedia>([
  { kind: "end", channelId: "ls-1" },
  { kind: "channel-removed", channelId: "ls-1" },
  { kind: "disconnect-publisher", channelId: "ls-1", slot: "main" },
])(
  "an encoder of another thread that was admitted before $kind, and has not begun, is turned away",
  async (command) => {
    const { send, told } = await withVisitor();
    await send(command);
    expect(told).toEqual(["admit-result", "dismissed", "closed"]);
  },
);

test("the thread of an encoder learns of its channel's other latency", async () => {
  const { send, spec, told } = await withVisitor();
  await send({ kind: "channel", spec: { ...spec, revision: spec.revision + 1, latency: "low" } });
  expect(told).toEqual(["admit-result", "latency"]);
});
