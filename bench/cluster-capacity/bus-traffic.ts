import { setTimeout as pass } from "node:timers/promises";
import { connect } from "@nats-io/transport-node";
import { Lab } from "../../test/lab/lab.ts";

const CHANNELS = 12;
const SECONDS = 30;
const SETTLE_MS = 5_000;

/** What three nodes publish on NATS, without broadcasts and with twelve of two targets. */
export async function measureBus(): Promise<string[]> {
  const lab = await Lab.start({ channels: CHANNELS, isProxied: false });
  try {
    const client = await connect({ servers: lab.services.nats.url.replace("nats://", "") });
    const kinds = new Map<string, { messages: number; bytes: number }>();
    client.subscribe(">", {
      callback: (_error, { subject, data }) => {
        const kind = subject.split(".").at(-1) ?? "";
        const count = kinds.get(kind) ?? { messages: 0, bytes: 0 };
        kinds.set(kind, { messages: count.messages + 1, bytes: count.bytes + subject.length + data.length });
      },
    });
    const count = async (what: string) => {
      await pass(SETTLE_MS);
      kinds.clear();
      await pass(SECONDS * 1_000);
      return [...kinds]
        .toSorted(([left], [right]) => left.localeCompare(right))
        .map(
          ([kind, { messages, bytes }]) =>
            `${what}: ${kind}, messages and bytes a second | ${(messages / SECONDS).toFixed(1)}, ${Math.round(bytes / SECONDS)}`,
        );
    };
    const idle = await count("no broadcasts");
    for (const channel of lab.channels) lab.encoder(channel);
    await Promise.all(lab.channels.map((channel) => lab.onAir(channel)));
    const onAir = await count(`${CHANNELS} broadcasts with two targets`);
    await client.close();
    return [...idle, ...onAir];
  } finally {
    await lab.close();
  }
}
