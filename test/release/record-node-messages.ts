import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect, type Msg } from "@nats-io/transport-node";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { ingestUrl, type LabNode, startLabNode } from "../support/cluster/lab-node.ts";
import { SharedServices } from "../support/cluster/shared-services.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { kindOf, NODE_MESSAGES, type NodeMessage } from "./node-messages.ts";

const USAGE = `usage: npm run record-messages -- VERSION [--of FOLDER]

Runs two nodes of VERSION and keeps one of each kind of message that they tell each other in test/fixtures/node-messages.
--of: the sources of an earlier version, with their packages installed; these sources by default.
`;

/** In milliseconds. */
const STEP_MS = 3_000;
const MOVE_MS = 8_000;
const DEADLINE_MS = 30_000;
const KEY = z.looseObject({ accessKey: z.string() });
const NODES = z.array(z.looseObject({ isSelf: z.boolean(), incarnation: z.int() }));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { of: { type: "string" } } });
const [version, ...rest] = positionals;
if (version === undefined || rest.length > 0) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const root = resolve(values.of ?? ROOT);
const folder = mkdtempSync(join(tmpdir(), "fanfare-messages-"));
const services = await SharedServices.start(folder);
const closers: (() => Promise<unknown>)[] = [() => services.close()];
try {
  const recorder = await record();
  const start = async (name: string) => {
    const node = await startLabNode(name, folder, services, { root });
    closers.push(() => node.fanfare.stop());
    return node;
  };
  await play(await start("a"), await start("b"));
  keep(version, await recorder.stop());
} finally {
  for (const close of closers.reverse()) await close();
  rmSync(folder, { recursive: true, force: true });
}

/** Everything that makes nodes talk: two encoders, edits and commands at the other node, a move, an end. */
async function play(first: LabNode, second: LabNode): Promise<void> {
  const target = await KitTarget.start();
  closers.push(() => target.close());
  const platform = { rtmpUrl: target.url, streamKey: "recorded" };
  const { channelId, streamKey } = await first.api.createChannel("recorded", [platform]);
  const path = `/api/v2/re-stream/channels/${channelId}`;
  const publish = async (node: LabNode) => {
    const encoder = new KitEncoder({ url: ingestUrl(node), streamKey, clip: syntheticClip({ video: "180p" }) });
    if (!(await encoder.accepted)) throw new Error("the encoder was not accepted");
    return encoder;
  };
  await publish(first);
  const isOnAir = () => target.connections.some(({ report }) => report.mediaBytes > 0) || undefined;
  await waitFor("media", DEADLINE_MS, isOnAir, () => first.fanfare.output.slice(-2_000));
  const relayed = await publish(second);
  const stranger = new KitEncoder({
    url: ingestUrl(first),
    streamKey: "wrong",
    clip: syntheticClip({ video: "180p" }),
  });
  await stranger.accepted;
  const [{ platId = 0 } = {}] = await second.api.platforms(channelId);
  await pass(STEP_MS);
  await second.api.request("PUT", `${path}/platforms/${platId}/off`);
  await second.api.request("PUT", `${path}/platforms/${platId}/on`);
  const key = await second.api.request("POST", "/api/v2/access-keys", { name: "recorded", role: "viewer" });
  await second.api.request("DELETE", `/api/v2/access-keys/${KEY.parse(key).accessKey}`);
  const self = NODES.parse(await first.api.request("GET", "/api/v2/nodes")).find(({ isSelf }) => isSelf);
  await second.api.request("POST", `/api/v2/nodes/${self?.incarnation}/move`).catch(() => undefined);
  await pass(MOVE_MS);
  for (const { api } of [first, second]) await api.request("POST", `${path}/end`).catch(() => undefined);
  await relayed.closed;
  await pass(STEP_MS);
}

/** Takes one message of each kind, and the reply to each kind of question. */
async function record() {
  const connection = await connect({ servers: services.nats.url });
  const kept = new Map<string, { readonly message: NodeMessage; readonly inbox: string | undefined }>();
  const replies = new Map<string, Record<string, unknown>>();
  const take = (received: Msg) => {
    const { subject, reply } = received;
    // A reply that nobody is there has no body.
    if (received.data.length === 0) return;
    const [, , , ...words] = subject.split(".");
    const body = z.record(z.string(), z.unknown()).safeParse(received.json()).data;
    if (body === undefined) return;
    if (subject.startsWith("_INBOX")) return void replies.set(subject, body);
    const message = { subject: words.join("."), body };
    const kind = kindOf(message);
    // The last one: by then there is more to tell. Of states and samples the longest, which have an encoder and a platform.
    const before = kept.get(kind);
    if (before !== undefined && JSON.stringify(before.message.body).length > JSON.stringify(body).length) return;
    kept.set(kind, { message, inbox: reply });
  };
  for (const pattern of ["fanfare.>", "_INBOX.>"])
    connection.subscribe(pattern, { callback: (error, message) => (error === null ? take(message) : undefined) });
  await connection.flush();
  return {
    stop: async (): Promise<readonly NodeMessage[]> => {
      await connection.close();
      return [...kept.values()]
        .map(({ message, inbox }) => {
          const reply = inbox === undefined ? undefined : replies.get(inbox);
          return reply === undefined ? message : { ...message, reply };
        })
        .toSorted((left, right) => kindOf(left).localeCompare(kindOf(right)));
    },
  };
}

function keep(of: string, messages: readonly NodeMessage[]): void {
  mkdirSync(NODE_MESSAGES, { recursive: true });
  const path = join(NODE_MESSAGES, `${of}.json`);
  writeFileSync(path, `${JSON.stringify({ version: of, messages }, undefined, 2)}\n`);
  const text = readFileSync(path, "utf8");
  for (const secret of services.secrets) if (text.includes(secret)) throw new Error("a secret was told");
  process.stdout.write(`${messages.length} kinds of messages: ${messages.map(kindOf).join(", ")}\n`);
}
